"""The panels of the main screen.

arrangement     how they share a terminal of any size
title           the line above them
layer_table     the layers and their sparsities
layer_facts     its columns that only a wide table has: what each layer costs
scoreboard      how light the net is, and how good
"""
