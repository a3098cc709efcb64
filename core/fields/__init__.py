"""Settings as fields of dataclasses, each declared once.

declaration   a setting: kind, default, meaning; checks of a class's fields
kinds         the values a setting accepts: names, numbers in a range, switches, paths
"""
