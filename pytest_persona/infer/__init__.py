"""The verbs on numbers: pure functions from the model's nouns and numpy arrays to findings."""
