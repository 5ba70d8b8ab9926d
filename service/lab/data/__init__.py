"""Readers of the data files of `lab`. No model code here."""
