"""What a user may set.

settings         the settings of a run, checked
recipe_changes   the recipe fields a person may change, each declared once
recipe_file      settings and sparsities in a TOML file
toml             TOML with the line of every key
"""
