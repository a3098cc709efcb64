"""What a user may set.

settings         the settings of a run, checked
recipe_changes   changes to a recipe
recipe_file      settings and sparsities in a TOML file
toml             TOML with the line of every key
"""
