"""The commands: NAME is `featherweight NAME`; app is the program without a command.

NAME    what the command checks, what it runs, what it prints and its JSON
"""
