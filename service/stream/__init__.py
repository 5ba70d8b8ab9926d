"""The stages of the stream: collect, score, publish; with batches, costs, the circuit breaker."""
