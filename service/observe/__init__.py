"""What operators see of a running service: metrics, logs, traces, health, drift, the live feed."""
