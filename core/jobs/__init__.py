"""What a person starts. Every job is a stream over a workbench: one model, one data set.

workbench      the model, the data and the settings that jobs share; training, fine-tuning
models         fresh models, and models that hold or read given weights
dense_net      the dense net: given, shipped, from the cache, or trained now
dense_cache    dense nets trained on first use
measurement    jobs that only measure: scan, sample, compare, count, benchmark
goals          from a goal to a plan, with the scan some methods need
search         the lightest net within a drop in accuracy
quantization   few values for the weights of each layer, within a drop in accuracy
export         a net written to a file, read back and measured
recording      training and fine-tuning, recorded as runs and resumed
restore        back to a run: its settings, plan and nets
report         results as the JSON of the commands
"""
