"""The chart held against the program, Helm, promtool and a real Kubernetes API server.

Exists so that what an operator installs has been admitted, upgraded and taken away before. Nothing
of the service runs here; `describe` alone imports its settings.
"""
