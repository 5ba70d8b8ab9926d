"""The weights of a DistilBERT, BERT or RoBERTa classifier under one set of names.

Exists so that a packed engine is written once for the three families. Weights stay in their file
until they are needed (see `checkpoint.stored`); matrices have the shape (outputs, inputs), for a
product x @ w.T.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from service.checkpoint.stored import Stored, checked_type, numbers, stored_weights
from service.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from service.checkpoint.files import Checkpoint


@dataclass(frozen=True, slots=True)
class Dense:
    """Weight and bias of a linear layer, (x @ weight.T) * scale + bias, or of a layer norm."""

    weight: Stored
    bias: Stored | NDArray[np.float32]
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Layer:
    """One transformer block with a layer norm after attention and after feed-forward."""

    query: Dense
    key: Dense
    value: Dense
    attention_out: Dense
    attention_norm: Dense
    feed_in: Dense
    feed_out: Dense
    feed_norm: Dense


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole classifier.

    A token's embedding is the row of `words` of its id plus the row of `positions` of its position;
    for BERT and RoBERTa these rows include the token-type embedding. RoBERTa does not count its
    padding, the token `uncounted`, which a text may contain too; it has the last row of
    `positions`. The logits come from the first token: activation(x @ head_in) @ head_out, biases
    left out.
    """

    words: Stored
    positions: Stored | NDArray[np.float32]
    uncounted: int | None
    embedding_norm: Dense
    layers: tuple[Layer, ...]
    head_in: Dense
    head_activation: Literal["Relu", "Tanh"]
    head_out: Dense
    heads: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class _Family:
    """Names of the weights in the file; `names` are in the order of the fields of `Layer`."""

    root: str
    layer: str
    names: tuple[str, str, str, str, str, str, str, str]
    head: tuple[str, str]
    activation: Literal["Relu", "Tanh"]


_BERT_NAMES = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "attention.output.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
)
_FAMILIES = {
    "distilbert": _Family(
        root="distilbert.",
        layer="transformer.layer.",
        names=(
            "attention.q_lin",
            "attention.k_lin",
            "attention.v_lin",
            "attention.out_lin",
            "sa_layer_norm",
            "ffn.lin1",
            "ffn.lin2",
            "output_layer_norm",
        ),
        head=("pre_classifier", "classifier"),
        activation="Relu",
    ),
    "bert": _Family(
        "bert.", "encoder.layer.", _BERT_NAMES, ("bert.pooler.dense", "classifier"), "Tanh"
    ),
    "roberta": _Family(
        "roberta.", "encoder.layer.", _BERT_NAMES, ("classifier.dense", "classifier.out_proj"),
        "Tanh",
    ),
}  # fmt: skip


_SIZES = ({"n_layers", "n_heads"}, {"num_hidden_layers", "num_attention_heads"})


def supported(folder: Path) -> bool:
    """Whether a packed engine computes this checkpoint: its family and its configuration."""
    config = json.loads((folder / "config.json").read_text())
    return (
        config.get("model_type") in _FAMILIES
        and config.get("activation", config.get("hidden_act")) == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("sinusoidal_pos_embds", False)
        and not config.get("is_decoder", False)
        # Where config.json has no sizes, those of transformers' own configuration count.
        and any(sizes <= config.keys() for sizes in _SIZES)
        and len(list(folder.glob("*.safetensors"))) == 1
    )


def load_layout(checkpoint: Checkpoint) -> Layout:
    """Read a supported checkpoint.

    Raises:
        ModelError: a weight is missing, or there are more or fewer labels than names.
    """
    folder = checkpoint.folder
    config = json.loads((folder / "config.json").read_text())
    family = _FAMILIES[config["model_type"]]
    reader = _Reader(stored_weights(next(folder.glob("*.safetensors"))))
    try:
        layout = _layout(family, config, reader, checkpoint.first_position)
    except KeyError as error:
        raise ModelError(
            f"{folder}: the weights lack {error}; give a complete checkpoint"
        ) from None
    check_labels(checkpoint, layout.head_out.bias.shape[0])
    return layout


def check_labels(checkpoint: Checkpoint, rows: int) -> None:
    """Compare the rows of the weights of the last layer with the names of labels.

    Raises:
        ModelError: their numbers differ.
    """
    if rows != len(checkpoint.labels):
        raise ModelError(
            f"{checkpoint.folder}: the weights have {rows} labels, config.json names "
            f"{len(checkpoint.labels)}; name as many in its id2label"
        )


def folded(layer: Layer, head_width: int) -> Layer:
    """An equal layer without work that can be done ahead of time.

    The scale of attention scores, 1 / sqrt(D), moves into the query. The key's bias goes: it adds
    the same number, query @ bias, to all scores of a row, which softmax ignores. The value's bias
    moves into the bias of `attention_out`: attention weights sum to 1, so it comes out of attention
    unchanged.
    """
    scale = 1 / math.sqrt(head_width)
    out, value = layer.attention_out, numbers(layer.value.bias)
    return replace(
        layer,
        query=Dense(layer.query.weight, numbers(layer.query.bias) * np.float32(scale), scale),
        key=Dense(layer.key.weight, np.zeros(layer.key.bias.shape, np.float32)),
        value=Dense(layer.value.weight, np.zeros_like(value)),
        attention_out=Dense(out.weight, numbers(out.bias) + numbers(out.weight) @ value),
    )


class _Reader:
    def __init__(self, weights: dict[str, Stored]) -> None:
        self._weights = weights

    def weight(self, name: str) -> Stored:
        return checked_type(name, self._weights[name])

    def dense(self, name: str) -> Dense:
        return Dense(self.weight(f"{name}.weight"), self.weight(f"{name}.bias"))

    def norm(self, name: str) -> Dense:
        # In the first releases of these models the parameters are named gamma and beta.
        old = f"{name}.gamma" in self._weights
        weight, bias = ("gamma", "beta") if old else ("weight", "bias")
        return Dense(self.weight(f"{name}.{weight}"), self.weight(f"{name}.{bias}"))


def _layout(
    family: _Family, config: dict[str, Any], reader: _Reader, first_position: int
) -> Layout:
    embeddings = f"{family.root}embeddings."
    positions: Stored | NDArray[np.float32]
    positions = reader.weight(f"{embeddings}position_embeddings.weight")
    if config["model_type"] != "distilbert":
        # A text is one segment, so every token has token type 0.
        types = reader.weight(f"{embeddings}token_type_embeddings.weight")
        positions = positions.numbers() + types.numbers()[0]
    uncounted = first_position - 1 if first_position else None
    if uncounted is not None:
        rows = numbers(positions)
        positions = np.concatenate([rows[first_position:], rows[uncounted:first_position]])
    return Layout(
        words=reader.weight(f"{embeddings}word_embeddings.weight"),
        positions=positions,
        uncounted=uncounted,
        embedding_norm=reader.norm(f"{embeddings}LayerNorm"),
        layers=tuple(
            _layer(family, reader, f"{family.root}{family.layer}{number}.")
            for number in range(config.get("n_layers") or config["num_hidden_layers"])
        ),
        head_in=reader.dense(family.head[0]),
        head_activation=family.activation,
        head_out=reader.dense(family.head[1]),
        heads=config.get("n_heads") or config["num_attention_heads"],
        epsilon=config.get("layer_norm_eps", 1e-12),
    )


def _layer(family: _Family, reader: _Reader, prefix: str) -> Layer:
    query, key, value, out, norm, feed_in, feed_out, feed_norm = family.names
    return Layer(
        query=reader.dense(prefix + query),
        key=reader.dense(prefix + key),
        value=reader.dense(prefix + value),
        attention_out=reader.dense(prefix + out),
        attention_norm=reader.norm(prefix + norm),
        feed_in=reader.dense(prefix + feed_in),
        feed_out=reader.dense(prefix + feed_out),
        feed_norm=reader.norm(prefix + feed_norm),
    )
