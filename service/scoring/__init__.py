"""Scores token ids: engine runs on the inference thread, and readings from logits."""
