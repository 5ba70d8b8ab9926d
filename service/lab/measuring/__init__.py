"""Measures a model on labelled text, and finds thresholds for a target accuracy."""
