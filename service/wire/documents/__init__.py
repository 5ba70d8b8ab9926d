"""Bytes of a record to a JSON document, and the places in it.

Pure. Knows nothing of what a record becomes: that is up to `wire.decode`.
"""
