"""What runs on the nodes of a Ray cluster.

trials      a trial, on images that the node has or receives
stop_list   the trials to stop: an actor, and the stop flag of a trial
"""
