"""How sparse each layer becomes, and which weights are pruned.

plans            one sparsity per layer: parsed, checked
layer_selection  which layers a name, a group or a pattern stands for
presets          ready plans, by net
han2015          the tables of Han et al. (2015)
thresholds       how the threshold of a layer is chosen
masks            masks that keep pruned weights at zero
scores           the allocation methods: how each scores the importance of weights
goals            how light a net should be: a ratio, parameters, bytes, multiplications or time;
                 the names of the allocation methods
budgets          what a net costs by the weights it keeps, and dynamic programming over such costs
allocation       from a budget to a sparsity for every layer, by such scores
what_if          a plan's thresholds, counts and histograms, without touching a tensor
curves           accuracy against sparsity, with confidence intervals
forecast         the accuracy a plan is likely to have, from a scan
"""
