"""What keeps the program running after an error or odd input.

boundary    an error costs the panel or the key it occurs in, not the program
error_log   the file of unforeseen errors, and the line that names it
paths       paths as typed, and as shown
key_burst   a pasted text that arrives as single keys presses none of them
"""
