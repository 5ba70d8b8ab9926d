"""What runs beside the stream, never inside it: train, evaluate, and later bench, bias, replay.

May import any other room; no room may import it. Heavy packages (torch, transformers,
scikit-learn) are imported here freely, because nothing of the running service comes through here.
"""
