"""A classifier as an ONNX graph that computes nothing on padding.

All tokens of a batch lie end to end in one matrix for the linear layers; they are laid out as a
padded block only inside attention. In the last layer only the first token of each text is read,
so everything but keys and values is computed for that token alone. Both are exact.

Inputs, for T tokens in B texts of at most L tokens:
    ids, positions  int64 (T)     token ids, and each one's place within its text
    rows            int64 (B, L)  which of the T rows stands at each place; padding repeats row 0
    mask            float (B, 1, 1, L)  0 where a token stands, a large negative number elsewhere
    places          int64 (T)     where in the B * L places each row stands
    first           int64 (B)     the row of each text's first token
Output: logits float (B, labels).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from service.engines.layout import Dense, Layer, Layout

# The first with an exact Gelu operator.
OPSET = 20
IR_VERSION = 10
INPUTS: dict[str, tuple[int, list[str | int | None]]] = {
    "ids": (TensorProto.INT64, ["T"]),
    "positions": (TensorProto.INT64, ["T"]),
    "rows": (TensorProto.INT64, ["B", "L"]),
    "mask": (TensorProto.FLOAT, ["B", 1, 1, "L"]),
    "places": (TensorProto.INT64, ["T"]),
    "first": (TensorProto.INT64, ["B"]),
}


def build_graph(layout: Layout) -> ModelProto:
    """Build the graph, weights inside."""
    graph = _Graph(layout)
    graph.classify(layout)
    labels = layout.head_out.bias.shape[0]
    proto = helper.make_graph(
        graph.nodes,
        "packed_classifier",
        [helper.make_tensor_value_info(n, kind, shape) for n, (kind, shape) in INPUTS.items()],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B", labels])],
        graph.initializers,
    )
    return helper.make_model(
        proto, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )


class _Graph:
    def __init__(self, layout: Layout) -> None:
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []
        self._width = int(layout.words.shape[1])
        self._heads = layout.heads
        self._epsilon = layout.epsilon

    def classify(self, layout: Layout) -> None:
        words = self._node("Gather", self._constant(layout.words), "ids")
        positions = self._node("Gather", self._constant(layout.positions), "positions")
        x = self._norm(self._node("Add", words, positions), layout.embedding_norm)
        for layer in layout.layers[:-1]:
            x = self._layer(x, layer)
        x = self._last_layer(x, layout.layers[-1])
        x = self._node(layout.head_activation, self._dense(x, layout.head_in))
        self._node("Identity", self._dense(x, layout.head_out), output="logits")

    def _layer(self, x: str, layer: Layer) -> str:
        query, key, value = (self._heads_of(x, d) for d in (layer.query, layer.key, layer.value))
        context = self._attention(query, key, value)
        context = self._node("Reshape", context, self._shape(-1, self._width))
        return self._behind_attention(x, self._node("Gather", context, "places"), layer)

    def _last_layer(self, x: str, layer: Layer) -> str:
        first = self._node("Gather", x, "first")
        query = self._dense(first, layer.query)
        query = self._node("Reshape", query, self._shape(-1, 1, self._heads, self._head_width))
        query = self._node("Transpose", query, perm=[0, 2, 1, 3])
        key, value = self._heads_of(x, layer.key), self._heads_of(x, layer.value)
        context = self._attention(query, key, value)
        context = self._node("Reshape", context, self._shape(-1, self._width))
        return self._behind_attention(first, context, layer)

    @property
    def _head_width(self) -> int:
        return self._width // self._heads

    def _heads_of(self, x: str, dense: Dense) -> str:
        """(T, width) to (B, heads, L, width of a head)."""
        padded = self._node("Gather", self._dense(x, dense), "rows")
        split = self._node("Reshape", padded, self._shape(0, 0, self._heads, self._head_width))
        return self._node("Transpose", split, perm=[0, 2, 1, 3])

    def _attention(self, query: str, key: str, value: str) -> str:
        """Give (B, places of the query, heads, width of a head)."""
        scale = self._constant(np.float32(1 / math.sqrt(self._head_width)))
        scores = self._node("MatMul", self._node("Mul", query, scale), self._turned(key))
        weights = self._node("Softmax", self._node("Add", scores, "mask"), axis=-1)
        return self._node("Transpose", self._node("MatMul", weights, value), perm=[0, 2, 1, 3])

    def _turned(self, key: str) -> str:
        return self._node("Transpose", key, perm=[0, 1, 3, 2])

    def _behind_attention(self, x: str, context: str, layer: Layer) -> str:
        out = self._dense(context, layer.attention_out)
        x = self._norm(self._node("Add", x, out), layer.attention_norm)
        hidden = self._node("Gelu", self._dense(x, layer.feed_in), approximate="none")
        return self._norm(
            self._node("Add", x, self._dense(hidden, layer.feed_out)), layer.feed_norm
        )

    def _dense(self, x: str, dense: Dense) -> str:
        product = self._node("MatMul", x, self._constant(dense.weight))
        return self._node("Add", product, self._constant(dense.bias))

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
