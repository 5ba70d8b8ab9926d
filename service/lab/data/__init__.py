"""Labelled files of every form that `lab` reads. No model here."""
