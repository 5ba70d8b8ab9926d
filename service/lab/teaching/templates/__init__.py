"""Sentence templates by kind; values only. None of them may be measured on."""
