"""Lines to type in, below the plots or in a dialog.

line_input    base of the others
value_input   an exact sparsity
number_input  the exact number of a setting
find_input    finds layers, updated with every key
note_input    a note about a run
"""
