"""What a person prefers: on every start, in every command.

declared      each preference, declared once: its name, its values, its default
reading       from the environment and the settings file; problems are named, and do not stop it
config_file   the settings file in the platform's config folder, with the line of each value
first_start   remembers that the tour has been seen
"""
