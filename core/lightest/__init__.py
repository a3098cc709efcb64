"""The lightest net within an allowed drop in accuracy: down in steps, each from the net before.

steps     how large the next step is, and how long it trains
trials    a trial, what is told of it, and the results
descent   the stream that goes down, with any kind of trial
recorded  a trial's fine-tuning and file: from the run that recorded them, or new
job       trials by real fine-tunings, what their nets cost, one descent a seed, the file
front     the least cost for each accuracy, over seeds
report    the result as JSON

Loads no torch before `job`.
"""
