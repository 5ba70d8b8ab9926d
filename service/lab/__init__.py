"""What runs beside the stream, never inside it: makes models, measures them, sends letters back.

A file is a command's (`score`, `evaluate`, `bias`, `compare`, `calibrate`, `tune`, `export`,
`replay`; `runs` is that of `train`), or a part that such files share. Imported by `bench` and `cli`
alone. Heavy packages (torch, transformers, scikit-learn) are imported here freely, because nothing
of the running service comes through here.
"""
