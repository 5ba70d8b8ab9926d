"""The stages of the stream: collect, score, publish; batches, costs, the circuit breaker."""
