"""Tasks on a Ray cluster.

executor    submits tasks, and receives what they say
head_probe  whether a cluster answers at an address
connection  the connection to it, and the versions on its nodes
trials      on a node: a trial, on images that the node has or receives
stop_list   on a node: the trials to stop, an actor, and the stop flag of a trial
"""
