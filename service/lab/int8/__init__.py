"""What int8 needs of a model before it runs: the ranges of its activations."""
