"""The page of feeds and producers, and the messages that it is made of."""
