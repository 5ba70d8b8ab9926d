"""A model's files: found, downloaded, checked; its calibration and its tuned engine."""
