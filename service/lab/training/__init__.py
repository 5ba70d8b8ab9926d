"""Fine-tuning and calibrating, which need torch: from texts to a checkpoint."""
