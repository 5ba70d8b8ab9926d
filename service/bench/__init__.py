"""Measures how fast the service is, and how close to the limit of the machine; see `report`.

Exists for the command `bench`, whose results are in README.md. No file that the service itself
imports may enter.
"""
