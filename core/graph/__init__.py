"""A net as torch.fx sees it: its calls, its units, and which of them can be removed.

tracing        a net as a graph, checked against the net itself
fx_calls       the kind and arguments of each call
units          what a call does to each unit: whether it is constant, whether it is needed
call_classes   which calls treat units one by one (batch norm, ReLU ...), and which are layers
dead_units     finds, counts and exactly removes units without an input or an output, and
               their batch norm parameters
compaction     a smaller dense net without them
unit_order     sorts units to make a compact file smaller
prefix_cache   a net cut before a layer: the first part runs once, the rest many times
"""
