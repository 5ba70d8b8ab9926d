"""Sentence templates for training, by kind; values only. Measurements must not use any of them."""
