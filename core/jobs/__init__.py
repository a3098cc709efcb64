"""Jobs a user starts: streams over a workbench, which is one model, one data set and settings.

A job without a partial result raises `StoppedError` if its stop flag is raised.

workbench      the model, the data and the settings that jobs share; training, fine-tuning
net            a net to prune from: its weights, and what a screen shows of them
models         models of the workbench: fresh, uninitialized, and with given weights
preflight      checks of the settings before anything is downloaded
dense_net      the dense net: given, shipped, cached, or trained now
measurement    jobs that only measure: scan, sample, compare, count, benchmark
goals          from a goal to a plan, with the scan some methods need
quantization   few values for the weights of each layer, within an allowed drop in accuracy
export         a net written to a file, read back and measured
recorded_jobs  training and fine-tuning recorded as runs
resume         an interrupted run continued from its last checkpoint
restore        back to a run: its settings, plan and nets
report         results as the JSON of the commands
"""
