"""From token ids to a label and its probabilities, on the inference thread."""
