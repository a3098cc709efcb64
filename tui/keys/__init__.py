"""The keys: what each one does, its label, and the key that a settings file gives it instead.

key             a key with its action; the keys in force
main_keys       those of the main screen; also the source of help and footer
history_keys    those of the history
plot_keys       those of a plot on the whole screen
sweep_keys      those of a sweep
keymap          reads the keys of a settings file; names the keys in texts
"""
