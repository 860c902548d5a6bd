"""Files to model: the only place that validates what users write."""
