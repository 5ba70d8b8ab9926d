"""A model's files: finding, downloading and checking them; its calibration and tuning files."""
