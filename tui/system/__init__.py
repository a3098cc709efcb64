"""What keeps the program alive whatever comes up.

boundary    an error costs the panel or the key it came up in, not the program
error_log   the file of errors nobody foresaw, and the line that names it
key_burst   a text that arrives as single keys presses none of them
"""
