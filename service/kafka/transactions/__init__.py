"""Transactions of version 2 (KIP-890): parts of aiokafka's producer that are replaced for them."""
