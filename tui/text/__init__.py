"""Text as people read or type it.

lines     lines of spans, each with a role that determines its color
frames    boxes and rules around panels
format    numbers
units     large numbers and sizes, each in its unit
outside   text from outside, shown and never obeyed
encodings characters that a stream's encoding lacks
terms     the terms of the field, explained
glyphs    characters in ASCII of the same width
"""
