"""Fine-tuning and calibration, from texts to a checkpoint; the only part of `lab` with torch."""
