"""Pure functions from the state to lines of text; the widgets put them on the screen.

title, layer_table, totals, activity    the main screen, from top to bottom
plot_registry, plot_data                its plots in order, and their data; plot_drawers draws them
job_outcomes    the messages shown when a job ends
history, run_table, history_footer      the history, from top to bottom
run_plots, run_comparison               below its table: all runs, or two
"""
