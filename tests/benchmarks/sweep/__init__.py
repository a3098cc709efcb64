"""Sweeps: what a trial costs elsewhere, and what the driver takes. Skips Ray where it is missing.

throughput     trials a second, and events, here and through Ray
drawing        events a second, and how late the live table is drawn
large_net      a checkpoint of ResNet-50
trials         overhead of a trial in a worker; two at once
scripted       trials of a script
local_cluster  a Ray cluster on this machine
"""
