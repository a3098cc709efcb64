"""A sweep in the app.

dialog  asks for the lists of a sweep
screen  watches one
"""
