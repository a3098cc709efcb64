"""What the commands that use workers have in common, and how the search for the lightest net looks.

engines   where tasks run: options and executors
descents  the live table of a search whose trials run side by side
"""
