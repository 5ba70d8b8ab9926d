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

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from service.checkpoint.stored import numbers
from service.engines.graph import onnx_file
from service.engines.graph.growing import Growing
from service.engines.layout import folded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.engines.layout import Dense, Layer, Layout

# The first opset with an exact Gelu operator.
OPSET = 20
IR_VERSION = 10
# The domain of ONNX Runtime's own operators; MatMulIntegerToFloat multiplies 8-bit integers and
# scales the outputs in one pass.
ONNX_RUNTIME = "com.microsoft"
# Quantization steps of an activation row from its minimum to its maximum (uint8).
STEPS = 255
INPUTS: dict[str, tuple[int, onnx_file.Shape]] = {
    "ids": (onnx_file.INT64, ["T"]),
    "positions": (onnx_file.INT64, ["T"]),
    "rows": (onnx_file.INT64, ["B", "L"]),
    "mask": (onnx_file.FLOAT, ["B", 1, 1, "L"]),
    "places": (onnx_file.INT64, ["T"]),
    "first": (onnx_file.INT64, ["B"]),
}


def build_graph(
    layout: Layout,
    precision: Literal["float32", "int8"] = "float32",
    *,
    whole: bool = False,
    unsigned: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """Build the graph, as the bytes of an ONNX model.

    Large weights stay in the checkpoint's file, which the model names without its folder: whoever
    loads it says where that is, and maps the file. With `whole` they are all in the model. With
    `unsigned` the integers of int8 are 128 larger: the same numbers, for kernels that get products
    with signed ones wrong (see `processor.saturates`).
    """
    graph = _Graph(layout, int8=precision == "int8", whole=whole, unsigned=unsigned)
    graph.classify(layout)
    operators = {"": OPSET} | ({ONNX_RUNTIME: 1} if precision == "int8" else {})
    outputs: dict[str, tuple[int, onnx_file.Shape]] = {
        "logits": (onnx_file.FLOAT, ["B", layout.head_out.bias.shape[0]])
    }
    return graph.model.serialized(INPUTS, outputs, operators, IR_VERSION, metadata or {})


class _Rows(NamedTuple):
    """The names of a matrix (T, inputs) of the graph and, in int8, of its quantization.

    A quantized row is values * scale + offset. `scales` is (T, 1). `offsets` is (T, 2): the offset,
    and a 1 that multiplies the bias of the linear layer.
    """

    values: str
    scales: str = ""
    offsets: str = ""


class _Graph(Growing):
    """Nodes and weights of the graph; strings are names of values in it."""

    def __init__(self, layout: Layout, *, int8: bool, whole: bool, unsigned: bool) -> None:
        super().__init__(whole=whole)
        self._width = int(layout.words.shape[1])
        self._heads = layout.heads
        self._epsilon = layout.epsilon
        self._int8 = int8
        self._zero: np.int8 | np.uint8 = np.uint8(128) if unsigned else np.int8(0)
        self._spread, self._back = self._head_rows()

    def classify(self, layout: Layout) -> None:
        words = self.chosen_rows(layout.words, "ids")
        positions = self.chosen_rows(layout.positions, "positions")
        x = self._norm(self.node("Add", words, positions), layout.embedding_norm)
        *layers, last = (folded(layer, self._head_width) for layer in layout.layers)
        for layer in layers:
            x = self._layer(x, layer)
        x = self._last_layer(x, last)
        x = self.node(layout.head_activation, self._dense(_Rows(x), layout.head_in))
        self.node("Identity", self._dense(_Rows(x), layout.head_out), output="logits")

    def _head_rows(self) -> tuple[str, str]:
        """Indices to pad and split into heads with one Gather, and to go back with another.

        Seen as (T * H, D), a packed matrix has the part of head h of token t in row t * H + h. The
        first result has the row for each place of the block (B, H, L); the second has the place
        for each of the T * H rows. So padding and transposing take one pass over memory.
        """
        heads = self.constant(np.int64(self._heads))
        numbers = np.arange(self._heads, dtype=np.int64)
        # rows (B, L) -> (B, 1, L) * H, plus the head (H, 1): (B, H, L).
        rows = self.node("Mul", self.node("Unsqueeze", "rows", self.shape(1)), heads)
        spread = self.node("Add", rows, self.constant(numbers[:, None]))
        # places (T) = text * L + position -> (text * H + head) * L + position: (T, H).
        longest = self.node("Shape", "rows", start=1)
        text = self.node("Mul", self.node("Div", "places", longest), heads)
        text_and_head = self.node(
            "Add", self.node("Unsqueeze", text, self.shape(1)), self.constant(numbers)
        )
        position = self.node("Unsqueeze", self.node("Mod", "places", longest), self.shape(1))
        return spread, self.node("Add", self.node("Mul", text_and_head, longest), position)

    def _layer(self, x: str, layer: Layer) -> str:
        """One block for all tokens, (T, W) to (T, W)."""
        rows = self._rows(x)
        query, key, value = (self._heads_of(rows, d) for d in (layer.query, layer.key, layer.value))
        context = self._attention(query, key, value)  # (B, H, L, D)
        context = self.node("Reshape", context, self.shape(-1, self._head_width))
        context = self.node("Gather", context, self._back)  # (T, H, D)
        context = self.node("Reshape", context, self.shape(-1, self._width))
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
        first = self.node("Gather", x, "first")  # (B, W)
        # Rows of a weight are in the order of heads: (W, W) is (H, D, W).
        by_head = (self._heads, self._head_width, self._width)
        keys = self.weight(layer.key.weight, by_head)  # K^T of each head: (H, D, W)
        values = self.weight(layer.value.weight, by_head)  # V^T: (H, D, W)
        values = self.node("Transpose", values, perm=[0, 2, 1])  # V: (H, W, D)
        query = self._dense(_Rows(first), layer.query)  # (B, W)
        query = self.node("Reshape", query, self.shape(-1, *by_head[:2]))  # q: (B, H, D)
        query = self._by_head(query, keys)  # q K^T: (B, H, W)
        # All heads attend to the same tokens, so the H queries of a text take the place of L
        # queries of one head that is W wide.
        query = self.node("Unsqueeze", query, self.shape(1))  # (B, 1, H, W)
        tokens = self.node("Gather", x, "rows")  # (B, L, W)
        tokens = self.node("Unsqueeze", tokens, self.shape(1))  # X: (B, 1, L, W)
        context = self._attention(query, tokens, tokens)  # weights X: (B, 1, H, W)
        context = self.node("Squeeze", context, self.shape(1))  # (B, H, W)
        context = self._by_head(context, values)  # (weights X) V: (B, H, D)
        context = self.node("Reshape", context, self.shape(-1, self._width))  # (B, W)
        return self._after_attention(first, _Rows(context), layer)

    def _attention(self, query: str, key: str, value: str) -> str:
        """Attention of query (B, h, Q, N) to key and value (B, h, L, N); (B, h, Q, N).

        The query is already scaled (see `layout.folded`).
        """
        scores = self.node("MatMul", query, self.node("Transpose", key, perm=[0, 1, 3, 2]))
        weights = self.node("Softmax", self.node("Add", scores, "mask"), axis=-1)  # (B, h, Q, L)
        return self.node("MatMul", weights, value)

    def _by_head(self, x: str, weight: str) -> str:
        """The product of x (B, H, N) with a matrix for each head (H, N, M); (B, H, M)."""
        heads_first = self.node("Transpose", x, perm=[1, 0, 2])
        product = self.node("MatMul", heads_first, weight)
        return self.node("Transpose", product, perm=[1, 0, 2])

    @property
    def _head_width(self) -> int:
        return self._width // self._heads

    def _heads_of(self, rows: _Rows, dense: Dense) -> str:
        """A linear layer, then padded and by head: (T, W) to (B, H, L, D)."""
        parts = self.node("Reshape", self._dense(rows, dense), self.shape(-1, self._head_width))
        return self.node("Gather", parts, self._spread)

    def _after_attention(self, x: str, context: _Rows, layer: Layer) -> str:
        """The rest of a block, of any number of rows (N, W)."""
        out = self._dense(context, layer.attention_out)
        x = self._norm(self.node("Add", x, out), layer.attention_norm)
        hidden = self.node("Gelu", self._dense(self._rows(x), layer.feed_in), approximate="none")
        out = self._dense(self._rows(hidden), layer.feed_out)
        return self._norm(self.node("Add", x, out), layer.feed_norm)

    def _rows(self, x: str) -> _Rows:
        """The matrix x (T, inputs); in int8 each row is quantized from its minimum to its maximum.

        The range includes 0, and the zero point is rounded, so 0 is exact.
        """
        if not self._int8:
            return _Rows(x)
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
        return _Rows(values, scale, self.node("Concat", offset, ones, axis=1))

    def _dense(self, rows: _Rows, dense: Dense) -> str:
        """A linear layer, (N, inputs) to (N, outputs)."""
        if rows.scales:
            return self._int8_dense(rows, dense)
        inputs = [rows.values, self.weight(dense.weight)]
        bias = numbers(dense.bias)
        if bias.any():
            inputs.append(self.constant(bias))
        return self.node("Gemm", *inputs, alpha=dense.scale, transB=1)

    def _int8_dense(self, rows: _Rows, dense: Dense) -> str:
        """A linear layer on 8-bit integers.

        A row is values * scale + offset, and a weight column is integers * s. Their product is
        (values @ integers) * s * scale + offset * (sum of the integers) * s.
        """
        weight, scales, sums = self.integers(dense.weight, self._zero)
        scales = scales * np.float32(dense.scale)
        one, zero = self.constant(np.float32(1)), self.constant(np.uint8(0))
        product = self.node(
            "MatMulIntegerToFloat",
            rows.values, weight, one, self.constant(scales), zero,
            *([self.constant(self._zero)] if self._zero else []),
            domain=ONNX_RUNTIME,
        )  # fmt: skip
        product = self.node("Mul", product, rows.scales)
        # (offset, 1) @ (sums * s, bias) adds the second term and the bias in one pass.
        added = self.constant(np.stack([sums * scales, numbers(dense.bias)]))
        return self.node("Gemm", rows.offsets, added, product)

    def _norm(self, x: str, norm: Dense) -> str:
        scale, bias = (self.constant(numbers(part)) for part in (norm.weight, norm.bias))
        return self.node("LayerNormalization", x, scale, bias, axis=-1, epsilon=self._epsilon)
