"""A sweep: what is shown of it, and the form that starts one.

board  a sweep after all events so far
form   the lists of a sweep, while they are edited
"""
