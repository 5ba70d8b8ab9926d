"""Where each weight lies in a checkpoint's safetensors file, and its numbers when they are needed.

Exists so that no weight stands in memory before something computes with it: an engine passes on the
place in the file, or reads one weight at a time. Knows nothing of models.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from safetensors import safe_open

from service.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

# The formats that are read, by safetensors' names. numpy has no bfloat16, which is the upper half
# of a float32.
NUMBER_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
# A safetensors file begins with the length of its header, in this many bytes.
_LENGTH_BYTES = 8


@dataclass(frozen=True, slots=True)
class Stored:
    """One weight in a file; `number_type` is a key of `NUMBER_TYPES`."""

    file: Path
    number_type: str
    shape: tuple[int, ...]
    offset: int
    size_bytes: int

    def numbers(self) -> NDArray[np.float32]:
        """Read it from the file."""
        kind = np.dtype(NUMBER_TYPES[self.number_type])
        count = self.size_bytes // kind.itemsize
        flat = np.fromfile(self.file, kind, count, offset=self.offset)
        if self.number_type == "BF16":
            flat = (flat.astype(np.uint32) << 16).view(np.float32)
        return flat.astype(np.float32, copy=False).reshape(self.shape)


def stored_weights(file: Path) -> dict[str, Stored]:
    """The weights in a safetensors file by name; of the file only the header is read.

    Raises:
        ModelError: it is no such file, or has weights in a format that is not read.
    """
    # The files of a snapshot in the hub's cache are links.
    file = file.resolve()
    # It compares the header with the length of the file, so that no place is outside.
    with safe_open(file, framework="numpy"):
        pass
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(_LENGTH_BYTES), "little")
        header = json.loads(stream.read(length))
    header.pop("__metadata__", None)
    found = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        place = _LENGTH_BYTES + length + begin
        found[name] = Stored(file, entry["dtype"], tuple(entry["shape"]), place, end - begin)
    return found


def numbers(weight: Stored | NDArray[np.float32]) -> NDArray[np.float32]:
    """The numbers of a weight that is in a file, or of one that was computed."""
    return weight.numbers() if isinstance(weight, Stored) else weight


def checked_type(name: str, weight: Stored) -> Stored:
    """The same weight, if its numbers can be read.

    Raises:
        ModelError: they are in another format.
    """
    if weight.number_type not in NUMBER_TYPES:
        raise ModelError(
            f"{weight.file}: {name} is in {weight.number_type}, which is not read; "
            "save the weights in float32, float16 or bfloat16"
        )
    return weight
