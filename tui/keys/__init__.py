"""The keys: what each one does, and its label.

keys            those of the main screen; help, footer and README say the same
history_keys    those of the history
"""
