"""Runs on disk.

experiment    a folder of runs: find, begin, resume, delete
runs          read a run
run_record    the record of a run: the declaration of its file
run_writer    write a run in progress
recorded_trials  which trials have a run already
exports       the files a run's net was exported to
saved_scans   sensitivity scans stored with an experiment
pareto        the Pareto front of accuracy and size
spread        the mean and range of a number over seeds
"""
