"""Settings as fields of dataclasses, each declared once.

declaration   a setting: its kind, default and meaning; the fields of a class checked by them
kinds         the values that a setting takes: names, numbers in a range, switches, paths
"""
