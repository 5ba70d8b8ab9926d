"""Writes an ONNX model in Protobuf's format, as far as the graphs here need it.

Exists because the `onnx` package costs a service 14 MB and reads nothing for it: only what is
written here. The numbers of fields are those of onnx.proto, which never change. Knows no operator.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

FLOAT: Final = 1
UINT8: Final = 2
INT8: Final = 3
INT32: Final = 6
INT64: Final = 7
FLOAT16: Final = 10
DOUBLE: Final = 11
BFLOAT16: Final = 16
_OF_NUMPY = {
    "float32": FLOAT, "uint8": UINT8, "int8": INT8, "int64": INT64, "float16": FLOAT16
}  # fmt: skip

# Protobuf's kinds of fields: a number of variable length, bytes after their length, four bytes.
_VARINT, _BYTES, _FIXED32 = 0, 2, 5
# TensorProto.DataLocation.EXTERNAL, and the AttributeProto.AttributeType of each kind of value.
_EXTERNAL = 1
_FLOAT_ATTRIBUTE, _INT_ATTRIBUTE, _STRING_ATTRIBUTE, _INTS_ATTRIBUTE = 1, 2, 3, 7

Attribute = int | float | str | list[int]
Shape = list[str | int]


@dataclass(slots=True)
class Model:
    """A model as it grows; nodes and weights are written already."""

    nodes: list[bytes] = field(default_factory=list)
    initializers: list[bytes] = field(default_factory=list)

    def serialized(
        self,
        inputs: Mapping[str, tuple[int, Shape]],
        outputs: Mapping[str, tuple[int, Shape]],
        opsets: Mapping[str, int],
        ir_version: int,
        metadata: Mapping[str, str],
    ) -> bytes:
        """The whole file."""
        graph = _joined(
            [_bytes(1, node) for node in self.nodes],
            [_text(2, "graph")],
            [_bytes(5, tensor) for tensor in self.initializers],
            [_bytes(11, _value(name, *kind)) for name, kind in inputs.items()],
            [_bytes(12, _value(name, *kind)) for name, kind in outputs.items()],
        )
        return _joined(
            [_number(1, ir_version), _bytes(7, graph)],
            [_bytes(8, _text(1, name) + _number(2, to)) for name, to in opsets.items()],
            [_bytes(14, _text(1, key) + _text(2, value)) for key, value in metadata.items()],
        )


def node(
    kind: str,
    inputs: Sequence[str],
    output: str,
    domain: str,
    attributes: Mapping[str, Attribute],
) -> bytes:
    """An operator with one output; an input that is left out is an empty string."""
    return _joined(
        [_text(1, name) for name in inputs],
        [_text(2, output), _text(4, kind)],
        [_bytes(5, _attribute(name, value)) for name, value in attributes.items()],
        [_text(7, domain)] if domain else [],
    )


def array(name: str, value: NDArray[np.generic]) -> bytes:
    """A weight whose numbers are in the model itself."""
    raw = np.ascontiguousarray(value).tobytes()
    return _tensor(name, _OF_NUMPY[value.dtype.name], value.shape) + _bytes(9, raw)


def elsewhere(
    name: str, kind: int, shape: Sequence[int], file: str, offset: int, size_bytes: int
) -> bytes:
    """A weight whose numbers stay in another file, at a place of it."""
    place = {"location": file, "offset": str(offset), "length": str(size_bytes)}
    return _joined(
        [_tensor(name, kind, shape)],
        [_bytes(13, _text(1, key) + _text(2, value)) for key, value in place.items()],
        [_number(14, _EXTERNAL)],
    )


def _tensor(name: str, kind: int, shape: Sequence[int]) -> bytes:
    return _joined([_number(1, size) for size in shape], [_number(2, kind), _text(8, name)])


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, list):
        written, kind = _joined(_number(8, item) for item in value), _INTS_ATTRIBUTE
    elif isinstance(value, str):
        written, kind = _text(4, value), _STRING_ATTRIBUTE
    elif isinstance(value, float):
        written, kind = _key(2, _FIXED32) + struct.pack("<f", value), _FLOAT_ATTRIBUTE
    else:
        written, kind = _number(3, value), _INT_ATTRIBUTE
    return _text(1, name) + written + _number(20, kind)


def _value(name: str, kind: int, shape: Shape) -> bytes:
    dimensions = (_text(2, d) if isinstance(d, str) else _number(1, d) for d in shape)
    dense = _number(1, kind) + _bytes(2, _joined(_bytes(1, d) for d in dimensions))
    return _text(1, name) + _bytes(2, _bytes(1, dense))


def _joined(*parts: Iterable[bytes]) -> bytes:
    return b"".join(piece for part in parts for piece in part)


def _text(number: int, value: str) -> bytes:
    return _bytes(number, value.encode())


def _bytes(number: int, value: bytes) -> bytes:
    return _key(number, _BYTES) + _varint(len(value)) + value


def _number(number: int, value: int) -> bytes:
    return _key(number, _VARINT) + _varint(value)


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _varint(value: int) -> bytes:
    return bytes(_sevens(value % 2**64))


def _sevens(value: int) -> Iterator[int]:
    """Seven bits a byte, lowest first; all bytes but the last have the eighth bit set."""
    while value > 0x7F:
        yield value & 0x7F | 0x80
        value >>= 7
    yield value
