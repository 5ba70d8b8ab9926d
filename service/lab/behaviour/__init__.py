"""Behaviour tests of a model after CheckList: sentences, changes, a table of failures."""
