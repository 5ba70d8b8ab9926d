"""Linear layers on 8-bit integers.

Exists so that `onnx_graph` is about the model alone. A weight has a scale for each output. An
activation is uint8, in one of two ways:

- With ranges that the checkpoint keeps (see `ranges`) its scales are fixed. A layer is two passes:
  one quantizes its input, and the product scales and adds the bias as it writes.
- Without, each row has a scale of its own, found at run time. That takes four more passes, for no
  operator of ONNX Runtime scales by row in the same pass, and is right for any weights.

Either way texts share no scale that depends on them, so a score does not depend on its neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from service.engines.graph import onnx_file
from service.engines.graph.growing import Growing
from service.engines.graph.ranges import STEPS, Place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from service.checkpoint.stored import Stored

# The domain of ONNX Runtime's own operators; MatMulIntegerToFloat multiplies 8-bit integers and
# scales the outputs in one pass.
ONNX_RUNTIME = "com.microsoft"


class Rows(NamedTuple):
    """The names of a matrix (T, inputs) of the graph and, in int8, of its quantization.

    With fixed scales they are those of `place`. Otherwise a row is values * scale + offset;
    `scales` is (T, 1), and `offsets` (T, 2): the offset, and a 1 that multiplies the layer's bias.
    """

    values: str
    scales: str = ""
    offsets: str = ""
    place: Place | None = None


class _Edges(NamedTuple):
    """Names: the rows of each text's first and last token, (2 B) and (2 B, 1).

    `kinds` (T) has a 1 for each of these rows and a 0 for any other.
    """

    rows: str
    indices: str
    kinds: str


class Int8(Growing):
    """Adds to a growing graph what int8 needs of it."""

    def __init__(self, *, whole: bool, unsigned: bool) -> None:
        """Begin a graph; for `unsigned` see `onnx_graph.build_graph`."""
        super().__init__(whole=whole)
        self._zero: np.int8 | np.uint8 = np.uint8(128) if unsigned else np.int8(0)
        self._edges_found: _Edges | None = None

    def fixed_rows(self, x: str, place: Place) -> Rows:
        """The matrix x (T, inputs), quantized by fixed scales."""
        inner, edge = place
        if edge is None:
            parts = self.constant(inner.step), self.constant(inner.zero)
            return Rows(self.node("QuantizeLinear", x, *parts), place=place)
        kinds = self._edges().kinds
        steps, zeros = (
            self.node("Gather", self.constant(np.stack(both)), kinds)
            for both in ((inner.step, edge.step), (inner.zero, edge.zero))
        )
        return Rows(self.node("QuantizeLinear", x, steps, zeros, axis=0), place=place)

    def dynamic_rows(self, x: str) -> Rows:
        """The matrix x (T, inputs); each row is quantized from its minimum to its maximum.

        The range includes 0, and the zero point is rounded, so 0 is exact.
        """
        zero = self.constant(np.float32(0))
        low = self.node("Min", self.node("ReduceMin", x, self.shape(-1), keepdims=0), zero)
        high = self.node("Max", self.node("ReduceMax", x, self.shape(-1), keepdims=0), zero)
        steps = self.constant(np.float32(1 / STEPS))
        scale = self.node("Mul", self.node("Sub", high, low), steps)
        # A row of zeros has the scale 0, which must not be divided by.
        scale = self.node("Max", scale, self.constant(np.float32(1e-12)))
        zero_point = self.node("Round", self.node("Neg", self.node("Div", low, scale)))
        unsigned = self.node("Cast", zero_point, to=onnx_file.UINT8)
        values = self.node("QuantizeLinear", x, scale, unsigned, axis=0)
        offset = self.node("Neg", self.node("Mul", zero_point, scale))
        offset, scale = (self.node("Unsqueeze", c, self.shape(1)) for c in (offset, scale))
        ones = self.node("Div", scale, scale)
        return Rows(values, scale, self.node("Concat", offset, ones, axis=1))

    def int8_dense(
        self, rows: Rows, weight: Stored, bias: NDArray[np.float32], factor: float
    ) -> str:
        """(x @ weight.T) * factor + bias of quantized rows x, (T, inputs) to (T, outputs).

        A row is values * scale + offset, and a weight column is integers * s. Their product is
        (values @ integers) * s * scale + offset * (sum of the integers) * s.
        """
        integers, scales, sums = self.integers(weight, self._zero)
        scales = scales * np.float32(factor)
        if rows.place:
            return self._fixed_dense(rows, integers, scales, sums, bias)
        one, zero = np.float32(1), np.uint8(0)
        product = self._product(rows.values, integers, one, scales, zero)
        product = self.node("Mul", product, rows.scales)
        # (offset, 1) @ (sums * s, bias) adds the second term and the bias in one pass.
        added = self.constant(np.stack([sums * scales, bias]))
        return self.node("Gemm", rows.offsets, added, product)

    def _fixed_dense(
        self,
        rows: Rows,
        integers: str,
        scales: NDArray[np.float32],
        sums: NDArray[np.float32],
        bias: NDArray[np.float32],
    ) -> str:
        """All rows by the inner scale; those of edges are then brought to their own.

        With r = edge step / inner step, an edge's row is r * (row - bias) + bias, and its zero
        point adds (inner zero - edge zero) * edge step * s * (sum of the integers).
        """
        assert rows.place  # noqa: S101 - for the type checker
        inner, edge = rows.place
        every = self._product(rows.values, integers, inner.step, scales, inner.zero, bias)
        if edge is None:
            return every
        ratio = np.float32(edge.step / inner.step)
        moved = np.float32(edge.step) * (np.float32(inner.zero) - np.float32(edge.zero))
        added = self.constant(moved * sums * scales + (1 - ratio) * bias)
        found = self.node("Gather", every, self._edges().rows)
        found = self.node("Add", self.node("Mul", found, self.constant(ratio)), added)
        return self.node("ScatterND", every, self._edges().indices, found)

    def _product(
        self,
        values: str,
        integers: str,
        step: np.float32,
        scales: NDArray[np.float32],
        zero: np.uint8,
        bias: NDArray[np.float32] | None = None,
    ) -> str:
        inputs = [values, integers]
        inputs += [self.constant(step), self.constant(scales), self.constant(zero)]
        has_bias = bias is not None and bias.any()
        if self._zero or has_bias:
            inputs.append(self.constant(self._zero) if self._zero else "")
        if bias is not None and has_bias:
            inputs.append(self.constant(bias))
        return self.node("MatMulIntegerToFloat", *inputs, domain=ONNX_RUNTIME)

    def _edges(self) -> _Edges:
        if self._edges_found is None:
            tokens = self.node("Shape", "ids")
            ends = self.constant(np.array([2**31], np.int64))
            after = self.node("Slice", "first", self.shape(1), ends)
            after = self.node("Concat", after, tokens, axis=0)
            last = self.node("Sub", after, self.constant(np.int64(1)))
            rows = self.node("Concat", "first", last, axis=0)
            indices = self.node("Unsqueeze", rows, self.shape(1))
            none = self.node("Expand", self.constant(np.int64(0)), tokens)
            here = self.node("Expand", self.constant(np.int64(1)), self.node("Shape", rows))
            kinds = self.node("ScatterND", none, indices, here)
            self._edges_found = _Edges(rows, indices, kinds)
        return self._edges_found
