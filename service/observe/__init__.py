"""What operators see of a running service: metrics, logs, traces, drift, the page's feed."""
