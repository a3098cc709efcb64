"""Widgets: they put lines of spans on a screen and redraw only what changed.

lines       base of most others: lines of spans
panel       lines in a frame: layer_table, scoreboard and plot, on the main screen
key_line    its keys
run_table, runs_panel               in the history
role_styles the colors of roles, for pictures of plots
inputs      lines to type in
"""
