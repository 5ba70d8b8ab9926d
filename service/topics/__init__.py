"""Commands that read whole topics: replay of dead letters, comparison of two output topics."""
