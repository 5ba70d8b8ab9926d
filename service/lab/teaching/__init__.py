"""The texts that a model is trained on: files, lessons, texts that must have equal scores."""
