"""Schema registries for tests: a fake one over HTTP, and a real one that Maven fetches."""
