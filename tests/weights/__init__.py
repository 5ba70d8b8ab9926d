"""How the bundled weights are made: `make weights`."""
