"""Lists of devices through the staged import: the own table, and those that other programs export.

`formats` says which columns each list has and how it is recognised, `cells` reads them, `catalogue` finds products,
schools and devices on file, `differences` compares, `devices` is the source. What no column takes is dropped before
anything is stored.
"""
