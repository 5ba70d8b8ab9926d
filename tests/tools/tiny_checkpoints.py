"""Tiny random checkpoints of each family, written as transformers writes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    PreTrainedModel,
    RobertaConfig,
    RobertaForSequenceClassification,
)

if TYPE_CHECKING:
    from pathlib import Path

VOCABULARY = 120
LABELS = {0: "NEGATIVE", 1: "POSITIVE"}
_LABELS: dict[str, Any] = {"id2label": LABELS, "label2id": {v: k for k, v in LABELS.items()}}
_BERT: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 520,
}


def tiny_model(family: str) -> PreTrainedModel:
    """A random classifier of a family (distilbert, bert, roberta) with weights far from zero."""
    torch.manual_seed(3)
    model: PreTrainedModel
    if family == "distilbert":
        model = DistilBertForSequenceClassification(
            DistilBertConfig(
                vocab_size=VOCABULARY, dim=24, n_layers=3, n_heads=4, hidden_dim=48,
                max_position_embeddings=520, **_LABELS,
            )
        )  # fmt: skip
    elif family == "bert":
        model = BertForSequenceClassification(BertConfig(**_BERT, **_LABELS))
    else:
        model = RobertaForSequenceClassification(RobertaConfig(**_BERT, **_LABELS))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def write_tiny(family: str, folder: Path) -> Path:
    """Write a tiny classifier with a word-level tokenizer; gives the folder."""
    tiny_model(family).save_pretrained(folder)
    write_tokenizer(folder)
    return folder


def write_tiny_encoder(folder: Path) -> Path:
    """Write a BERT without a head, as sentence encoders are."""
    torch.manual_seed(4)
    BertModel(BertConfig(**_BERT)).save_pretrained(folder)
    write_tokenizer(folder)
    return folder


def write_tokenizer(folder: Path) -> None:
    """Write a tokenizer of the words w0, w1, …."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [*special, *(f"w{i}" for i in range(VOCABULARY - len(special)))]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizer", "model_max_length": 512})
    )
