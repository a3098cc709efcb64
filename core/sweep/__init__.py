"""Sweeps: many runs of one net, one after the other or at once, here or on other machines.

A trial is data. The driver plans it, hands it to an executor as a task, and records what comes
back, so that every trial is one run of the experiment wherever it ran.

choices      how the plan of a trial is chosen
grid         lists of values, and the trials they make
sweep_file   a sweep as a TOML file: a recipe file with lists
planning     from trials to tasks
driver       runs the tasks that are left, and writes their runs
live/        the events of a sweep, for whoever watches it from another process
summary      means and ranges over seeds, the Pareto front, the report
"""
