"""Tasks run by workers: in this process, in processes of this machine, or on a Ray cluster.

A task is plain data: work to do on a net. Callers wrap tasks in assignments; a driver hands these
to an executor, and turns what workers send into events, runs and results.

tasks        what goes to a worker and comes back; the protocol of executors
work/        the kinds of work
packed       what crosses between processes
runner       runs a task, in any process
in_process   the executor of this process
processes    the executor of processes on this machine
local_worker what runs in each of them
ray_cluster/ the executor of a Ray cluster
assignment   a task from its first attempt to its result
recording    an assignment recorded as a run
driver       hands assignments to an executor; resubmits those whose worker is lost
side_by_side runs streams side by side: one goes on while others wait for workers
events       the events of trials
scan         a sensitivity scan in portions of layers
"""
