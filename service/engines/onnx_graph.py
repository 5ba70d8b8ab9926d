"""A classifier as an ONNX graph that computes nothing on padding.

All tokens of a batch lie end to end in one matrix for the linear layers; they are laid out as a
padded block only inside attention. In the last layer only the first token of each text is read, so
all is computed for that token alone, and keys and values for none: a product of the query with the
keys' weights, and of what attention sums up with the values' weights, are the same numbers in
another order. What no result depends on is not added: biases of keys, which softmax does not see,
and biases of values are moved behind attention, whose weights sum to one. All of it is exact.

In int8 the linear layers of all blocks but the last multiply 8-bit numbers: weights with a scale
for each output, activations with a scale for each token, found while running. No scale is shared
between texts, so a text scores the same whatever its neighbours are. Embeddings, attention, norms,
the last block and the head stay in float32: they are a few percent of the work.

Inputs are those that `packing.pack` gives. Output: logits float (B, labels).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from service.engines.layout import Dense

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from service.engines.layout import Layer, Layout

# The first with an exact Gelu operator.
OPSET = 20
IR_VERSION = 10
# Of its own operators one multiplies 8-bit numbers and scales the outputs in the same pass.
ONNX_RUNTIME = "com.microsoft"
# From the least to the largest of a row; and from zero to the largest weight, either way.
STEPS, WEIGHT_STEPS = 255, 127
# What of the largest weight of a column is kept.
CUTS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7)
INPUTS: dict[str, tuple[int, list[str | int | None]]] = {
    "ids": (TensorProto.INT64, ["T"]),
    "positions": (TensorProto.INT64, ["T"]),
    "rows": (TensorProto.INT64, ["B", "L"]),
    "mask": (TensorProto.FLOAT, ["B", 1, 1, "L"]),
    "places": (TensorProto.INT64, ["T"]),
    "first": (TensorProto.INT64, ["B"]),
}


def build_graph(layout: Layout, precision: Literal["float32", "int8"] = "float32") -> ModelProto:
    """Build the graph, weights inside."""
    graph = _Graph(layout, int8=precision == "int8")
    graph.classify(layout)
    labels = layout.head_out.bias.shape[0]
    proto = helper.make_graph(
        graph.nodes,
        "packed_classifier",
        [helper.make_tensor_value_info(n, kind, shape) for n, (kind, shape) in INPUTS.items()],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B", labels])],
        graph.initializers,
    )
    operators = [helper.make_opsetid("", OPSET)]
    if precision == "int8":
        operators.append(helper.make_opsetid(ONNX_RUNTIME, 1))
    return helper.make_model(proto, opset_imports=operators, ir_version=IR_VERSION)


def folded(layer: Layer, head_width: int) -> Layer:
    """The same layer with the scale of scores in the query, and no bias of keys and values."""
    scale = np.float32(1 / math.sqrt(head_width))
    out = layer.attention_out
    return replace(
        layer,
        query=Dense(layer.query.weight * scale, layer.query.bias * scale),
        key=Dense(layer.key.weight, np.zeros_like(layer.key.bias)),
        value=Dense(layer.value.weight, np.zeros_like(layer.value.bias)),
        attention_out=Dense(out.weight, out.bias + layer.value.bias @ out.weight),
    )


def quantized(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Quantize each column (inputs, outputs) around zero; gives steps and the columns' scales.

    A column's scale is that of some which leaves the least squared error: to cut a few large
    weights off makes all others finer.
    """
    largest = np.maximum(np.abs(weight).max(axis=0), np.float32(1e-10))
    best = np.full(weight.shape[1], np.inf, np.float32)
    scales = np.empty_like(largest)
    for share in CUTS:
        tried = (largest * np.float32(share / WEIGHT_STEPS)).astype(np.float32)
        error = np.square(_steps(weight, tried) * tried - weight).sum(axis=0)
        scales = np.where(error < best, tried, scales)
        best = np.minimum(error, best)
    return _steps(weight, scales).astype(np.int8), scales


def _steps(weight: NDArray[np.float32], scales: NDArray[np.float32]) -> NDArray[np.float32]:
    steps: NDArray[np.float32] = np.rint(weight / scales).clip(-WEIGHT_STEPS, WEIGHT_STEPS)
    return steps


class _Rows(NamedTuple):
    """A matrix that products are taken of; in int8, with what each of its rows was quantized by.

    Steps times `scales` (T, 1) are the row but for its offset; `offsets` (T, 2) has that, and a 1
    for the bias.
    """

    values: str
    scales: str = ""
    offsets: str = ""


class _Graph:
    def __init__(self, layout: Layout, *, int8: bool) -> None:
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []
        self._width = int(layout.words.shape[1])
        self._heads = layout.heads
        self._epsilon = layout.epsilon
        self._int8 = int8
        self._spread, self._back = self._head_rows()

    def classify(self, layout: Layout) -> None:
        words = self._node("Gather", self._constant(layout.words), "ids")
        positions = self._node("Gather", self._constant(layout.positions), "positions")
        x = self._norm(self._node("Add", words, positions), layout.embedding_norm)
        *layers, last = (folded(layer, self._head_width) for layer in layout.layers)
        for layer in layers:
            x = self._layer(x, layer)
        x = self._last_layer(x, last)
        x = self._node(layout.head_activation, self._dense(_Rows(x), layout.head_in))
        self._node("Identity", self._dense(_Rows(x), layout.head_out), output="logits")

    def _head_rows(self) -> tuple[str, str]:
        """Where each head's part of a token is, among T * heads rows of a head's width, and back.

        Rows that short are laid out and turned for all heads in one pass over memory.
        """
        heads = self._constant(np.int64(self._heads))
        numbers = np.arange(self._heads, dtype=np.int64)
        rows = self._node("Mul", self._node("Unsqueeze", "rows", self._shape(1)), heads)
        spread = self._node("Add", rows, self._constant(numbers[:, None]))
        longest = self._node("Shape", "rows", start=1)
        text = self._node("Mul", self._node("Div", "places", longest), heads)
        text_and_head = self._node(
            "Add", self._node("Unsqueeze", text, self._shape(1)), self._constant(numbers)
        )
        place = self._node("Unsqueeze", self._node("Mod", "places", longest), self._shape(1))
        return spread, self._node("Add", self._node("Mul", text_and_head, longest), place)

    def _layer(self, x: str, layer: Layer) -> str:
        rows = self._rows(x)
        query, key, value = (self._heads_of(rows, d) for d in (layer.query, layer.key, layer.value))
        context = self._attention(query, key, value)
        context = self._node("Reshape", context, self._shape(-1, self._head_width))
        context = self._node("Gather", context, self._back)
        context = self._node("Reshape", context, self._shape(-1, self._width))
        return self._behind_attention(x, self._rows(context), layer)

    def _last_layer(self, x: str, layer: Layer) -> str:
        self._int8 = False
        first = self._node("Gather", x, "first")
        by_head = (self._width, self._heads, self._head_width)
        query = self._dense(_Rows(first), layer.query)
        query = self._node("Reshape", query, self._shape(-1, *by_head[1:]))
        query = self._by_head(query, layer.key.weight.reshape(by_head).transpose(1, 2, 0))
        # The heads' queries are so many places of one head, as wide as a token.
        whole = self._node("Unsqueeze", self._node("Gather", x, "rows"), self._shape(1))
        context = self._attention(self._node("Unsqueeze", query, self._shape(1)), whole, whole)
        context = self._node("Squeeze", context, self._shape(1))
        context = self._by_head(context, layer.value.weight.reshape(by_head).transpose(1, 0, 2))
        context = self._node("Reshape", context, self._shape(-1, self._width))
        return self._behind_attention(first, _Rows(context), layer)

    def _attention(self, query: str, key: str, value: str) -> str:
        """Of (B, heads, places, width of a head) each; shaped as the query."""
        scores = self._node("MatMul", query, self._node("Transpose", key, perm=[0, 1, 3, 2]))
        weights = self._node("Softmax", self._node("Add", scores, "mask"), axis=-1)
        return self._node("MatMul", weights, value)

    def _by_head(self, x: str, weight: NDArray[np.float32]) -> str:
        """(B, heads, N) times (heads, N, M), for each head its own; gives (B, heads, M)."""
        turned = self._node("Transpose", x, perm=[1, 0, 2])
        product = self._node("MatMul", turned, self._constant(np.ascontiguousarray(weight)))
        return self._node("Transpose", product, perm=[1, 0, 2])

    @property
    def _head_width(self) -> int:
        return self._width // self._heads

    def _heads_of(self, rows: _Rows, dense: Dense) -> str:
        """(T, width) to (B, heads, L, width of a head)."""
        parts = self._node("Reshape", self._dense(rows, dense), self._shape(-1, self._head_width))
        return self._node("Gather", parts, self._spread)

    def _behind_attention(self, x: str, context: _Rows, layer: Layer) -> str:
        out = self._dense(context, layer.attention_out)
        x = self._norm(self._node("Add", x, out), layer.attention_norm)
        hidden = self._node("Gelu", self._dense(self._rows(x), layer.feed_in), approximate="none")
        out = self._dense(self._rows(hidden), layer.feed_out)
        return self._norm(self._node("Add", x, out), layer.feed_norm)

    def _rows(self, x: str) -> _Rows:
        """Quantize each row from its least to its largest number, in int8."""
        if not self._int8:
            return _Rows(x)
        zero = self._constant(np.float32(0))
        low = self._node("Min", self._node("ReduceMin", x, self._shape(-1), keepdims=0), zero)
        high = self._node("Max", self._node("ReduceMax", x, self._shape(-1), keepdims=0), zero)
        steps = self._constant(np.float32(1 / STEPS))
        scale = self._node("Mul", self._node("Sub", high, low), steps)
        # A row of zeros must not be divided by nothing.
        scale = self._node("Max", scale, self._constant(np.float32(1e-12)))
        zero_point = self._node("Round", self._node("Neg", self._node("Div", low, scale)))
        unsigned = self._node("Cast", zero_point, to=TensorProto.UINT8)
        values = self._node("QuantizeLinear", x, scale, unsigned, axis=0)
        offset = self._node("Neg", self._node("Mul", zero_point, scale))
        offset, scale = (self._node("Unsqueeze", c, self._shape(1)) for c in (offset, scale))
        ones = self._node("Div", scale, scale)
        return _Rows(values, scale, self._node("Concat", offset, ones, axis=1))

    def _dense(self, rows: _Rows, dense: Dense) -> str:
        if rows.scales:
            return self._int8_dense(rows, dense)
        product = self._node("MatMul", rows.values, self._constant(dense.weight))
        if not dense.bias.any():
            return product
        return self._node("Add", product, self._constant(dense.bias))

    def _int8_dense(self, rows: _Rows, dense: Dense) -> str:
        weight, scales = quantized(dense.weight)
        one, zero = self._constant(np.float32(1)), self._constant(np.uint8(0))
        product = self._node(
            "MatMulIntegerToFloat",
            rows.values, self._constant(weight), one, self._constant(scales), zero,
            domain=ONNX_RUNTIME,
        )  # fmt: skip
        product = self._node("Mul", product, rows.scales)
        # What the offset of each row adds to each output, and the bias, in one pass.
        sums = weight.sum(axis=0, dtype=np.float32) * scales
        added = self._constant(np.stack([sums, dense.bias]).astype(np.float32))
        return self._node("Gemm", rows.offsets, added, product)

    def _norm(self, x: str, norm: Dense) -> str:
        scale, bias = self._constant(norm.weight), self._constant(norm.bias)
        return self._node("LayerNormalization", x, scale, bias, axis=-1, epsilon=self._epsilon)

    def _shape(self, *dimensions: int) -> str:
        return self._constant(np.array(dimensions, dtype=np.int64))

    def _constant(self, value: NDArray[Any] | np.generic) -> str:
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def _node(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        name = output or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name
