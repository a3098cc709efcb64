"""What keeps the program running after an error or odd input.

error_boundary   confines an error to the panel or key it occurs in
error_log        the file of unforeseen errors, and the line that names it
paths            paths as typed and as displayed
key_burst        keeps text pasted as single keys from triggering actions
"""
