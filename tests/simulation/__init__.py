"""The service under faults, in virtual time: seeded, deterministic, thousands of runs a minute.

What runs is the service's own: pipeline, batcher, progress, breaker, the Kafka session with both
ways of delivery, and the isolation of what the model fails on. What is simulated is the world:
event loop and clock (`loop`), Kafka's brokers (`brokers`, `groups`), the client library
(`consumer`, `producer`), the model, and the processes, which are killed and frozen (`replica`).
"""
