"""The keys: what each one does, and its label.

main_keys       those of the main screen; also the source of help and footer
history_keys    those of the history
plot_keys       those of a plot on the whole screen
"""
