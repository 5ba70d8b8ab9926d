"""What the service adds to aiokafka's clients, and what it must know of their insides.

Exists so that everything private to aiokafka is in one room. Nothing may enter that knows the
session, what is committed, or what a record means.
"""
