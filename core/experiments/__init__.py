"""Runs on disk.

experiment    a folder of runs: find, begin, resume, delete
runs          one run, read
run_record    what is recorded of a run: the declaration of its file
run_writer    one run, while it is made
exports       the files a run's net was exported to
saved_scans   sensitivity scans kept with an experiment
pareto        the runs that no other run beats in both accuracy and size
"""
