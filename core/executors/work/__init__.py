"""The kinds of work that a task may be.

fine_tuning  a net pruned to a plan and fine-tuned: a run
packing      a net in its smallest compact file
layer_scan   layers of a net scanned
"""
