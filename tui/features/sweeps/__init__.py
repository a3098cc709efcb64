"""Sweeps in the app.

sweeping       asks for a sweep, starts it, and watches it
sweep_command  the words of the command that runs it
"""
