"""How fast the service is, and how far from what the machine can do; see `report`."""
