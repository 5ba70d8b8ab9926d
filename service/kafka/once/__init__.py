"""Topics that are read once, from a position to their end, by one reader without rebalances."""
