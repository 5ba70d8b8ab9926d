"""Requests that aiokafka does not have, in the form of its own: one module for each API key.

aiokafka negotiates the version of each with the broker and sends it. Nothing may enter that decides
what an answer means for the service.
"""
