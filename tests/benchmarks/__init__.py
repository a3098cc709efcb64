"""How fast the program is, against the plain way of doing the same work.

    python -m tests.benchmarks [NAME ...] [--json FILE] [--against FILE]

A benchmark is a module with a function `figures`; `__main__` lists them. A folder's name stands for
all of its figures. `recipe_study` is a command of its own. Both ways run in one process, in turns,
with the same threads, and the median of their ratios counts: seconds differ from hour to hour.

    train_and_prune/   training, augmentation, distillation, pruning; `recipe_study`
    measure/           evaluation, scans, accuracy estimates, the table of costs
    app/               startup, lag, keys in a large net and in one of many layers, what-ifs
    pruned_nets/       their size in a file, their speed in the sparse engine
    one_shot/          accuracy without training, against other ways
    sweep/             trials elsewhere and at once; what the driver takes
    support/           what the benchmarks share
"""
