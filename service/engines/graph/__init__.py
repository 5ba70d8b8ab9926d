"""What an ONNX graph is made of, and how its weights stand in it.

Exists so that `onnx_graph` is about the model alone. Nothing here knows a layer of it.
"""
