"""The points of a sensitivity scan before they are measured.

statistics   running statistics of their own
preparation  layers repaired, and statistics computed, for one group of points after another
"""
