"""What a model is trained on: files, templates, texts that must score alike."""
