"""What the screens show: immutable, with every change to it.

state           the main screen: nets, plan, results, plots
layer_list      the listed layers; layer_rows: rows, headings, matches
results         results of this session's jobs, and the base and plan they belong to
measurement     background measurements; next_measurement: which one is due
training_curve  the progress of a training
undo            what undo and redo restore
recipe_form     the rows of the recipe dialog; export_form: of the export dialog
run_list        the listed runs; run_rows: their facts, sort keys, differences
sweep/          a sweep so far, and the form that starts one
plan_file       the saved plan, from one session to the next
"""
