"""Helpers for tests of the live page in a browser."""
