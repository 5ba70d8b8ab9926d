"""Behaviour tests in the manner of CheckList: sentences, changes, a table of failures."""
