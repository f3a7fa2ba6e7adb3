"""Pages of the applications: the list, one application, its draft form, and what a person does with it."""
