"""Tables in the forms that people keep them in, read and written row by row.

Exists so that `score` and `evaluate` take the same files in the same way. A row is a mapping of
columns and knows its line; no file is ever held whole. Nothing is scored here, and no label is
known.
"""
