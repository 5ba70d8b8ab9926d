"""Loads the model that training starts from: a classifier, or a BERT encoder converted to one.

Exists so that a small sentence encoder such as all-MiniLM-L6-v2 (6 layers, width 384) becomes an
ordinary `DistilBertForSequenceClassification` that every tool can load. A BERT encoder differs from
DistilBERT by its token-type embedding. A text of one segment uses only row 0 of it, so adding that
row to the position embeddings gives the same sums, and the rest has DistilBERT's shape. No training
here.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

import torch
import transformers
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    BertConfig,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    PreTrainedModel,
)

from service.errors import InputError, first_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LABELS = ("NEGATIVE", "POSITIVE")

_RENAMES = (
    (r"^embeddings\.", "distilbert.embeddings."),
    (r"^encoder\.layer\.", "distilbert.transformer.layer."),
    (r"\.attention\.self\.query\.", ".attention.q_lin."),
    (r"\.attention\.self\.key\.", ".attention.k_lin."),
    (r"\.attention\.self\.value\.", ".attention.v_lin."),
    (r"\.attention\.output\.dense\.", ".attention.out_lin."),
    (r"\.attention\.output\.LayerNorm\.", ".sa_layer_norm."),
    (r"\.intermediate\.dense\.", ".ffn.lin1."),
    (r"(layer\.\d+)\.output\.dense\.", r"\1.ffn.lin2."),
    (r"(layer\.\d+)\.output\.LayerNorm\.", r"\1.output_layer_norm."),
)


def load_base(folder: Path, labels: Sequence[str] = LABELS) -> PreTrainedModel:
    """Load a checkpoint folder as a classifier with these labels, in float32.

    A classifier with two labels becomes one with three by a row of zeros between them. Otherwise a
    head with another number of labels is initialised at random.

    Raises:
        InputError: the folder has no checkpoint that can be used.
    """
    # Keep its progress bars and reports of unused weights out of the output of training.
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call] # has no types
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call] # has no types
    if not (folder / "config.json").is_file():
        message = f"{folder}: no config.json; give a checkpoint folder in Hugging Face layout"
        raise InputError(message)
    try:
        return _loaded(folder, labels)
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(
            f"{folder}: cannot be loaded ({first_line(error)}); download the model again"
        ) from None


def becomes_distilbert(folder: Path) -> bool:
    """Whether `load_base` makes a DistilBERT of this folder's model."""
    try:
        config = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError):
        return False
    kind = config.get("model_type")
    return bool(
        kind == "distilbert" or (kind == "bert" and _is_encoder(config.get("architectures")))
    )


def _is_encoder(architectures: Sequence[str] | None) -> bool:
    return "BertForSequenceClassification" not in (architectures or [])


def _loaded(folder: Path, labels: Sequence[str]) -> PreTrainedModel:
    config = AutoConfig.from_pretrained(folder)
    if isinstance(config, BertConfig) and _is_encoder(config.architectures):
        return _bert_as_distilbert(folder, config, labels)
    between = (config.num_labels, len(labels)) == (2, 3)
    model: PreTrainedModel = AutoModelForSequenceClassification.from_pretrained(
        folder,
        **_named(LABELS if between else labels),
        ignore_mismatched_sizes=True,
        use_safetensors=True,
        dtype="float32",
    )
    return _with_label_between(model, labels) if between else model


def _named(labels: Sequence[str]) -> dict[str, Any]:
    return {
        "num_labels": len(labels),
        "id2label": dict(enumerate(labels)),
        "label2id": {name: index for index, name in enumerate(labels)},
    }


def _with_label_between(model: PreTrainedModel, labels: Sequence[str]) -> PreTrainedModel:
    """Add a third label between the two poles of a classifier; its logit is 0 at first."""
    poles = cast("torch.nn.Linear", model.classifier)
    head = torch.nn.Linear(poles.in_features, len(labels))
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
        head.weight[[0, 2]] = poles.weight
        head.bias[[0, 2]] = poles.bias
    model.classifier = head
    for name, value in _named(labels).items():
        setattr(model.config, name, value)
    setattr(model, "num_labels", len(labels))  # noqa: B010 - mypy takes the attribute for a module
    return model


def _bert_as_distilbert(
    folder: Path, bert: BertConfig, labels: Sequence[str]
) -> DistilBertForSequenceClassification:
    if bert.hidden_act != "gelu":
        message = f"{folder}: hidden_act is {bert.hidden_act}, DistilBERT training needs gelu"
        raise InputError(message)
    encoder = AutoModel.from_pretrained(
        folder, use_safetensors=True, dtype="float32", add_pooling_layer=False
    )
    config = DistilBertConfig(
        vocab_size=bert.vocab_size,
        max_position_embeddings=bert.max_position_embeddings,
        n_layers=bert.num_hidden_layers,
        n_heads=bert.num_attention_heads,
        dim=bert.hidden_size,
        hidden_dim=bert.intermediate_size,
        pad_token_id=bert.pad_token_id,
        **_named(labels),
    )
    model = DistilBertForSequenceClassification(config)
    missing, unexpected = model.load_state_dict(_renamed(encoder.state_dict()), strict=False)
    if unexpected or any(not name.startswith(("pre_classifier", "classifier")) for name in missing):
        message = f"{folder}: cannot be read as DistilBERT: {sorted(unexpected)[:3]}"
        raise InputError(message)
    return model


def _renamed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    token_type = state.pop("embeddings.token_type_embeddings.weight")
    state["embeddings.position_embeddings.weight"] += token_type[0]
    renamed = {}
    for name, tensor in state.items():
        if name.endswith("position_ids"):
            continue
        new_name = name
        for pattern, replacement in _RENAMES:
            new_name = re.sub(pattern, replacement, new_name)
        renamed[new_name] = tensor
    return renamed
