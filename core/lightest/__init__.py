"""The lightest net within an allowed drop in accuracy: down in steps, each from the net before.

steps     how large the next steps are, and how long they train
trials    a trial, its events, and the results
search    what to look for
descent   the stream that goes down, with any kind of trial
attempts  trials by real fine-tunings, and what their nets cost
recorded  a trial's fine-tuning and file: from the run that recorded them, or on a worker
job       one descent a seed, alone or side by side, and the file
front     the least cost for each accuracy, over seeds
report    the result as JSON

Loads no torch before `descent`.
"""
