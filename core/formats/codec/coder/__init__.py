"""The entropy coder: an adaptive binary range coder and the models that predict each bit."""
