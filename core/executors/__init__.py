"""Tasks on workers: in this process, in others of this machine, on a Ray cluster.

A task is plain data: work to do with a net. Who has tasks makes assignments of them, which a
driver hands to an executor; what workers say becomes events, runs and results.

tasks        what goes to a worker and comes back; the protocol of executors
work/        the kinds of work
packed       what crosses between processes
runner       runs a task, in any process
in_process   the executor of this process
processes    the executor of processes on this machine
cluster      the executor of a Ray cluster
ray_connection  the connection to it, and the versions on its nodes
workers/     what runs in other processes, and on the nodes of a cluster
assignment   a task from its first attempt to its result
recording    an assignment that becomes a run
driver       hands assignments to an executor; one whose worker is lost goes on
side_by_side streams that go on while others wait for workers
events       what is told of trials
scan         a sensitivity scan in portions of layers
"""
