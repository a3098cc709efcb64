"""The keys: what each one does, and its label.

keys            keys of the main screen; help and footer come from them
history_keys    keys of the history
palette         the actions of keys by name, in the command palette
"""
