"""Text as people read it, or type it.

lines     lines of spans, each with the role that gives it its color
format    numbers
paths     paths
"""
