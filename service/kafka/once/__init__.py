"""Topics that are read once, from a point to their end, without a consumer group."""
