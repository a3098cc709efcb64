"""The keys: what each one does and what it is called.

keys            those of the main screen; help, footer and README say the same
history_keys    those of the history
palette         the actions of keys by name, in the command palette
"""
