"""What is done to the service and to its brokers: faults, a proxy, planted bugs."""
