"""What a model is worth on labelled text, and the thresholds that follow."""
