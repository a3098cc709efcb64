"""A user's own code: where it lies.

names           how a model is named: by a file or a module
sources         the files with its code, and their digest
import_errors   why its code cannot be imported, and what to do
"""
