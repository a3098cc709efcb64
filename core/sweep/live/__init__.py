"""A running sweep: its events, and how other processes follow and stop it.

The driver appends events to a file, and looks for files that ask it to stop; nothing listens on a
port. Loads no torch.

events      the events of a sweep
event_json  these events as JSON and back
folder      the files of a sweep: its log, its lock, and requests to stop
log         writes the events
watching    reads them as they come
process     starts a sweep in a process of its own
"""
