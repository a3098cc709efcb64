"""What runs in other processes.

local      a process of this machine, which gets its tasks through a pipe
trials     a trial on a node of a Ray cluster, with images that the node has or receives
stop_list  the trials of a cluster to stop: an actor, and the stop flag of a trial
"""
