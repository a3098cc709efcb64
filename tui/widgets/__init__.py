"""Widgets: they put lines of spans on a screen and redraw only what changed.

lines       base of most others: lines of spans
layer_table, plot, key_line         on the main screen
run_table, runs_panel               in the history
looks       the colors of roles, for pictures of plots
line_input  base of the lines to type in: value_input, find_input, note_input
"""
