"""Tasks on workers: in this process, in others of this machine, on a Ray cluster.

tasks        what goes to a worker and comes back; the protocol of executors
runner       runs a task, in any process
in_process   the executor of this process
processes    the executor of processes on this machine
cluster      the executor of a Ray cluster
ray_connection  the connection to it, and the versions on its nodes
recorded     which tasks have a run already
"""
