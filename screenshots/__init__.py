"""The pictures in the READMEs, made from the real program.

draw        draws the screenshots
record      records the demo: an asciinema cast, and an animation of it
cast        a program in a pseudo-terminal, with the time of everything it writes
film        from a cast to the frames of an animation
animation   from frames to an animated SVG
"""
