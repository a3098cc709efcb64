"""Widgets: they put lines of spans on a screen and rewrite only what changed.

lines       base of most others: lines of spans
layer_table, plot, key_line         on the main screen
run_table, runs_panel               in the history
line_input  a line to type in; value_input, find_input, note_input: for what
"""
