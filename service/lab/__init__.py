"""Commands that run apart from the stream: they train, measure, tune and export models.

Each file belongs to a command, or is shared by several. Only `bench` and `cli` import this folder.
Heavy packages (torch, transformers, scikit-learn) may be imported here, because the running service
imports nothing from here.
"""
