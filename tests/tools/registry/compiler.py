"""What Google's compiler makes of a Protobuf schema."""

from __future__ import annotations

import tempfile
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

NAME = "schema.proto"


def by_protoc(text: str) -> FileDescriptorSet:
    """The descriptors of a schema and of the standard files that it imports, its own last."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / NAME).write_text(text)
        out = Path(folder) / "out"
        standard = Path(protoc.__file__).parent / "_proto"
        options = [f"-I{folder}", f"-I{standard}", f"--descriptor_set_out={out}"]
        assert 0 == protoc.main(["protoc", *options, "--include_imports", NAME])
        return FileDescriptorSet.FromString(out.read_bytes())
