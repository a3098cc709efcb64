"""What the screens show: immutable, with every way it can change.

state           the main screen: nets, plan, results, plots
layer_list      the layers as the table lists them; layer_rows: rows, headings, what matches
results         what jobs gave, and the key that says whether it still belongs here
measurement     what is measured in the background; background: what is worth measuring
training_curve  how a training goes
undo            what undo and redo go to
recipe_form, export_form    the rows of two dialogs
browsing        the history: what is chosen, marked, sorted by
runs            the runs as the history shows them; lenient: facts nobody has checked
"""
