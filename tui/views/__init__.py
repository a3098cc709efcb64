"""Pure functions from the state to lines of text; the widgets put them on the screen.

title, layer_table, totals, activity    the main screen, from top to bottom
plots/          its plots, and the registry of them
outcomes        what is said when a job has ended
history, run_table, history_keys        the history, from top to bottom
run_plots, run_comparison               what is below its table: all runs, or two
"""
