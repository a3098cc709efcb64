"""A sweep while it runs: what happens in it, and how other processes follow and stop it.

Its driver writes what happens into files, and looks at files for whom to stop; nothing listens.
Loads no torch.

events      what happens in a sweep
event_json  these events as JSON and back
folder      the files of a sweep: who runs it, and whom to stop
log         writes the events of a sweep
watching    reads them, as they come
process     starts a sweep in a process of its own
"""
