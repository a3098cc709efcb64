"""What the screens show: immutable, with every change to it.

state           the main screen: nets, plan, results, plots
layer_list      the listed layers; layer_rows: rows, headings, matches
results         results of jobs, and the key of the base and plan they belong to
measurement     background measurements; background: what is worth measuring
training_curve  the progress of a training
undo            what undo and redo restore
recipe_form, export_form    the rows of two dialogs
run_list        the history: selection, mark, sort order
runs            the runs as the history shows them
saved_plan      the plan as a file, from one session to the next
"""
