"""Official files about schools, and the city's own table of its network, through the staged import.

`base` holds what they share; each other module is one kind of file.
"""
