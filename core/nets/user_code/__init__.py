"""Where a user's own code lies.

names           how a model is named: by a file or a module
import_errors   why its code cannot be imported, and what to do
"""
