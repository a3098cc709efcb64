"""Pure functions from the state to lines of text; the widgets put them on the screen.

panels/         the main screen: title, layers, scoreboard
plot_registry, plot_data                its plots in order, and their data; plot_drawers draws them
activity        the running job, or the outcome of the last
job_outcomes    the messages shown when a job ends
history, run_table, history_footer      the history, from top to bottom
sweep_view, sweep_front     a sweep: its trials, and their Pareto front
run_plots, run_comparison               below its table: all runs, or two
"""
