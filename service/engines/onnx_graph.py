"""A classifier as an ONNX graph without linear layers on padding.

For the linear layers all tokens of a batch are one packed matrix; only attention sees a padded
block. The head reads only the first token of each text, so the last layer is computed for that
token alone, and without forming keys and values (see `_last_layer`). Biases of keys and values are
left out of attention (see `layout.folded`). All of this is exact, apart from rounding.

In int8 the linear layers of all blocks but the last multiply 8-bit integers. Weights have a scale
for each output, activations a scale for each token, found at run time. Texts share no scale, so
the score of a text does not depend on its batch. Embeddings, attention, norms, the last block and
the head stay in float32; they are a few percent of the work.

The inputs are the arrays of `packing.pack`. The output is `logits`, float32 (B, labels). In the
comments on shapes:

    B  texts                          W  width of a token
    T  tokens of all texts            H  heads of attention
    L  tokens of the longest text     D  width of a head, W / H
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from service.engines.layout import folded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from service.engines.layout import Dense, Layer, Layout

# The first opset with an exact Gelu operator.
OPSET = 20
IR_VERSION = 10
# The domain of ONNX Runtime's own operators; MatMulIntegerToFloat multiplies 8-bit integers and
# scales the outputs in one pass.
ONNX_RUNTIME = "com.microsoft"
# Quantization steps: of an activation row from its minimum to its maximum (uint8), and of a weight
# column from zero to its largest absolute value (int8, symmetric).
STEPS, WEIGHT_STEPS = 255, 127
# Clipping thresholds to try, as shares of the largest absolute weight of a column.
CLIPS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7)
INPUTS: dict[str, tuple[int, list[str | int | None]]] = {
    "ids": (TensorProto.INT64, ["T"]),
    "positions": (TensorProto.INT64, ["T"]),
    "rows": (TensorProto.INT64, ["B", "L"]),
    "mask": (TensorProto.FLOAT, ["B", 1, 1, "L"]),
    "places": (TensorProto.INT64, ["T"]),
    "first": (TensorProto.INT64, ["B"]),
}


def build_graph(layout: Layout, precision: Literal["float32", "int8"] = "float32") -> ModelProto:
    """Build the graph with its weights."""
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


def quantized(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Quantize each column of a weight (inputs, outputs) symmetrically to int8.

    Of the scales from `CLIPS` each column gets the one with the smallest squared error: clipping
    a few large weights makes the steps of all others finer.

    Returns:
        The integers (inputs, outputs), and the scales (outputs).
    """
    largest = np.maximum(np.abs(weight).max(axis=0), np.float32(1e-10))
    least_error = np.full(weight.shape[1], np.inf, np.float32)
    scales = np.empty_like(largest)
    for clip in CLIPS:
        tried = (largest * np.float32(clip / WEIGHT_STEPS)).astype(np.float32)
        error = np.square(_steps(weight, tried) * tried - weight).sum(axis=0)
        scales = np.where(error < least_error, tried, scales)
        least_error = np.minimum(error, least_error)
    return _steps(weight, scales).astype(np.int8), scales


def _steps(weight: NDArray[np.float32], scales: NDArray[np.float32]) -> NDArray[np.float32]:
    steps: NDArray[np.float32] = np.rint(weight / scales).clip(-WEIGHT_STEPS, WEIGHT_STEPS)
    return steps


class _Rows(NamedTuple):
    """The names of a matrix (T, inputs) of the graph and, in int8, of its quantization.

    A quantized row is values * scale + offset. `scales` is (T, 1). `offsets` is (T, 2): the offset,
    and a 1 that multiplies the bias of the linear layer.
    """

    values: str
    scales: str = ""
    offsets: str = ""


class _Graph:
    """Nodes and weights of the graph; strings are names of values in it."""

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
        """Indices to pad and split into heads with one Gather, and to go back with another.

        Seen as (T * H, D), a packed matrix has the part of head h of token t in row t * H + h. The
        first result has the row for each place of the block (B, H, L); the second has the place
        for each of the T * H rows. So padding and transposing take one pass over memory.
        """
        heads = self._constant(np.int64(self._heads))
        numbers = np.arange(self._heads, dtype=np.int64)
        # rows (B, L) -> (B, 1, L) * H, plus the head (H, 1): (B, H, L).
        rows = self._node("Mul", self._node("Unsqueeze", "rows", self._shape(1)), heads)
        spread = self._node("Add", rows, self._constant(numbers[:, None]))
        # places (T) = text * L + position -> (text * H + head) * L + position: (T, H).
        longest = self._node("Shape", "rows", start=1)
        text = self._node("Mul", self._node("Div", "places", longest), heads)
        text_and_head = self._node(
            "Add", self._node("Unsqueeze", text, self._shape(1)), self._constant(numbers)
        )
        position = self._node("Unsqueeze", self._node("Mod", "places", longest), self._shape(1))
        return spread, self._node("Add", self._node("Mul", text_and_head, longest), position)

    def _layer(self, x: str, layer: Layer) -> str:
        """One block for all tokens, (T, W) to (T, W)."""
        rows = self._rows(x)
        query, key, value = (self._heads_of(rows, d) for d in (layer.query, layer.key, layer.value))
        context = self._attention(query, key, value)  # (B, H, L, D)
        context = self._node("Reshape", context, self._shape(-1, self._head_width))
        context = self._node("Gather", context, self._back)  # (T, H, D)
        context = self._node("Reshape", context, self._shape(-1, self._width))
        return self._after_attention(x, self._rows(context), layer)

    def _last_layer(self, x: str, layer: Layer) -> str:
        """The last block for the first token of each text, (T, W) to (B, W); no keys and values.

        In one head, with X (L, W) the tokens of a text, K and V (W, D) the weights of keys and
        values, and q (D) the query of the first token:

            scores  = q (X K)^T     = (q K^T) X^T
            context = weights (X V) = (weights X) V

        On the left, keys X K and values X V are two products over all tokens. On the right the
        query is taken to the width of a token (q K^T), attends to whole tokens, and only the sum
        (weights X) is multiplied by V: two products over one row of each text. Neither has a bias
        (see `layout.folded`).
        """
        self._int8 = False
        first = self._node("Gather", x, "first")  # (B, W)
        by_head = (self._width, self._heads, self._head_width)
        # Columns of a weight are in the order of heads: (W, W) is (W, H, D).
        keys = layer.key.weight.reshape(by_head).transpose(1, 2, 0)  # K^T of each head: (H, D, W)
        values = layer.value.weight.reshape(by_head).transpose(1, 0, 2)  # V: (H, W, D)
        query = self._dense(_Rows(first), layer.query)  # (B, W)
        query = self._node("Reshape", query, self._shape(-1, *by_head[1:]))  # q: (B, H, D)
        query = self._by_head(query, keys)  # q K^T: (B, H, W)
        # All heads attend to the same tokens, so the H queries of a text take the place of L
        # queries of one head that is W wide.
        query = self._node("Unsqueeze", query, self._shape(1))  # (B, 1, H, W)
        tokens = self._node("Gather", x, "rows")  # (B, L, W)
        tokens = self._node("Unsqueeze", tokens, self._shape(1))  # X: (B, 1, L, W)
        context = self._attention(query, tokens, tokens)  # weights X: (B, 1, H, W)
        context = self._node("Squeeze", context, self._shape(1))  # (B, H, W)
        context = self._by_head(context, values)  # (weights X) V: (B, H, D)
        context = self._node("Reshape", context, self._shape(-1, self._width))  # (B, W)
        return self._after_attention(first, _Rows(context), layer)

    def _attention(self, query: str, key: str, value: str) -> str:
        """Attention of query (B, h, Q, N) to key and value (B, h, L, N); (B, h, Q, N).

        The query is already scaled (see `layout.folded`).
        """
        scores = self._node("MatMul", query, self._node("Transpose", key, perm=[0, 1, 3, 2]))
        weights = self._node("Softmax", self._node("Add", scores, "mask"), axis=-1)  # (B, h, Q, L)
        return self._node("MatMul", weights, value)

    def _by_head(self, x: str, weight: NDArray[np.float32]) -> str:
        """The product of x (B, H, N) with a matrix for each head (H, N, M); (B, H, M)."""
        heads_first = self._node("Transpose", x, perm=[1, 0, 2])
        product = self._node("MatMul", heads_first, self._constant(np.ascontiguousarray(weight)))
        return self._node("Transpose", product, perm=[1, 0, 2])

    @property
    def _head_width(self) -> int:
        return self._width // self._heads

    def _heads_of(self, rows: _Rows, dense: Dense) -> str:
        """A linear layer, then padded and by head: (T, W) to (B, H, L, D)."""
        parts = self._node("Reshape", self._dense(rows, dense), self._shape(-1, self._head_width))
        return self._node("Gather", parts, self._spread)

    def _after_attention(self, x: str, context: _Rows, layer: Layer) -> str:
        """The rest of a block, of any number of rows (N, W)."""
        out = self._dense(context, layer.attention_out)
        x = self._norm(self._node("Add", x, out), layer.attention_norm)
        hidden = self._node("Gelu", self._dense(self._rows(x), layer.feed_in), approximate="none")
        out = self._dense(self._rows(hidden), layer.feed_out)
        return self._norm(self._node("Add", x, out), layer.feed_norm)

    def _rows(self, x: str) -> _Rows:
        """The matrix x (T, inputs); in int8 each row is quantized from its minimum to its maximum.

        The range includes 0, and the zero point is rounded, so 0 is exact.
        """
        if not self._int8:
            return _Rows(x)
        zero = self._constant(np.float32(0))
        low = self._node("Min", self._node("ReduceMin", x, self._shape(-1), keepdims=0), zero)
        high = self._node("Max", self._node("ReduceMax", x, self._shape(-1), keepdims=0), zero)
        steps = self._constant(np.float32(1 / STEPS))
        scale = self._node("Mul", self._node("Sub", high, low), steps)
        # A row of zeros has the scale 0, which must not be divided by.
        scale = self._node("Max", scale, self._constant(np.float32(1e-12)))
        zero_point = self._node("Round", self._node("Neg", self._node("Div", low, scale)))
        unsigned = self._node("Cast", zero_point, to=TensorProto.UINT8)
        values = self._node("QuantizeLinear", x, scale, unsigned, axis=0)
        offset = self._node("Neg", self._node("Mul", zero_point, scale))
        offset, scale = (self._node("Unsqueeze", c, self._shape(1)) for c in (offset, scale))
        ones = self._node("Div", scale, scale)
        return _Rows(values, scale, self._node("Concat", offset, ones, axis=1))

    def _dense(self, rows: _Rows, dense: Dense) -> str:
        """A linear layer, (N, inputs) to (N, outputs)."""
        if rows.scales:
            return self._int8_dense(rows, dense)
        product = self._node("MatMul", rows.values, self._constant(dense.weight))
        if not dense.bias.any():
            return product
        return self._node("Add", product, self._constant(dense.bias))

    def _int8_dense(self, rows: _Rows, dense: Dense) -> str:
        """A linear layer on 8-bit integers.

        A row is values * scale + offset, and a weight column is integers * s. Their product is
        (values @ integers) * s * scale + offset * (sum of the integers) * s.
        """
        weight, scales = quantized(dense.weight)
        one, zero = self._constant(np.float32(1)), self._constant(np.uint8(0))
        product = self._node(
            "MatMulIntegerToFloat",
            rows.values, self._constant(weight), one, self._constant(scales), zero,
            domain=ONNX_RUNTIME,
        )  # fmt: skip
        product = self._node("Mul", product, rows.scales)
        # (offset, 1) @ (sums * s, bias) adds the second term and the bias in one pass.
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
