"""Brokers of all kinds, real and simulated, and what reads and writes their topics."""
