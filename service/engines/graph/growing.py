"""A graph as it grows: its nodes, and where each of its weights stands.

Exists so that every weight stands once: a large one stays in the checkpoint's file, which ONNX
Runtime maps and lets go once its kernels have packed the numbers. What is to be done to a weight
before (another number format, 8-bit integers) is a node of constants, computed while the graph is
loaded and only for the weights that need it. Knows no layer of the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from service.checkpoint.stored import NUMBER_TYPES, Stored, numbers
from service.engines.graph import onnx_file
from service.engines.graph.quantized import WEIGHT_STEPS, quantized

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

# A smaller weight is copied into the model, so that not a page of the file is kept for each.
REFERENCE_BYTES_MIN = 2**16
# The formats that weights may have in their file.
_STORED_AS = {
    "F64": onnx_file.DOUBLE,
    "F32": onnx_file.FLOAT,
    "F16": onnx_file.FLOAT16,
    "BF16": onnx_file.BFLOAT16,
}


class Growing:
    """Nodes and weights; strings are names of values in the graph."""

    def __init__(self, *, whole: bool) -> None:
        """Begin a graph; with `whole` all weights are in the model itself."""
        self.model = onnx_file.Model()
        self._whole = whole

    def shape(self, *dimensions: int) -> str:
        """The sizes of a value, as operators take them."""
        return self.constant(np.array(dimensions, dtype=np.int64))

    def chosen_rows(self, table: Stored | NDArray[np.float32], rows: str) -> str:
        """Rows of a table of embeddings in float32; the table stays in its own format."""
        chosen = self.node("Gather", self._stored(table), rows)
        return chosen if self._is_float32(table) else self.node("Cast", chosen, to=onnx_file.FLOAT)

    def weight(self, weight: Stored, shape: Sequence[int] | None = None) -> str:
        """A weight in float32."""
        name = self._stored(weight, shape)
        return name if self._is_float32(weight) else self.node("Cast", name, to=onnx_file.FLOAT)

    def _is_float32(self, weight: Stored | NDArray[np.float32]) -> bool:
        """Whether `_stored` gives it so."""
        if not isinstance(weight, Stored) or not self._referred(weight):
            return True
        return weight.number_type == "F32"

    def _referred(self, weight: Stored) -> bool:
        # Files that old releases wrote may have weights at odd places, where no array may be.
        aligned = weight.offset % np.dtype(NUMBER_TYPES[weight.number_type]).itemsize == 0
        return not self._whole and aligned and weight.size_bytes >= REFERENCE_BYTES_MIN

    def _stored(
        self, weight: Stored | NDArray[np.float32], shape: Sequence[int] | None = None
    ) -> str:
        """A weight in the format that it has in its file."""
        if not isinstance(weight, Stored) or not self._referred(weight):
            return self.constant(numbers(weight).reshape(shape or weight.shape))
        return self._initializer(
            lambda name: onnx_file.elsewhere(
                name,
                _STORED_AS[weight.number_type],
                shape or weight.shape,
                weight.file.name,
                weight.offset,
                weight.size_bytes,
            )
        )

    def constant(self, value: NDArray[Any] | np.generic) -> str:
        """Numbers that are in the model itself."""
        return self._initializer(lambda name: onnx_file.array(name, np.asarray(value)))

    def _initializer(self, written: Callable[[str], bytes]) -> str:
        name = f"c{len(self.model.initializers)}"
        self.model.initializers.append(written(name))
        return name

    def node(
        self,
        kind: str,
        *inputs: str,
        output: str = "",
        domain: str = "",
        **attributes: onnx_file.Attribute,
    ) -> str:
        """An operator; gives the name of its output."""
        name = output or f"n{len(self.model.nodes)}"
        self.model.nodes.append(onnx_file.node(kind, inputs, name, domain, attributes))
        return name

    def integers(
        self, weight: Stored, zero: np.int8 | np.uint8
    ) -> tuple[str, NDArray[np.float32], NDArray[np.float32]]:
        """A weight (inputs, outputs) in 8-bit integers; their scales, and their sums.

        `zero` is the integer that stands for 0, of the type that all have; the sums are without it.

        Those of a float32 weight in the file are computed again while the graph is loaded: in the
        model's bytes they would stand for good, beside those that its kernels pack. A weight in
        half precision would be float32 in between, which is four times as large.
        """
        integers, scales = quantized(weight.numbers())
        if self._referred(weight) and self._is_float32(weight):
            steps = self.constant(scales), self.constant(np.full(len(scales), zero))
            found = self.node("QuantizeLinear", self.weight(weight), *steps, axis=0)
            least = zero.dtype.type(int(zero) - WEIGHT_STEPS)
            found = self.node("Clip", found, self.constant(least))
        else:
            found = self.constant((integers + np.int16(zero)).astype(zero.dtype))
        sums = integers.sum(axis=1, dtype=np.float32)
        return self.node("Transpose", found, perm=[1, 0]), scales, sums
