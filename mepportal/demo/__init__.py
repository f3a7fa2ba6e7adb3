"""The demonstration city: real schools of Hamm, everything else generated. Never in production."""
