"""A DistilBERT so small that it is made in the test, in the layout of Hugging Face.

The vocabulary is a few words. Weights are random by a fixed seed: what they say means nothing,
but is the same every time.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from service.records import ModelInfo

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
WORDS = ("good", "bad", "film", "day", "a", "very", "not")
VOCABULARY = {word: index for index, word in enumerate((*SPECIAL, *WORDS))}

CONFIG: dict[str, Any] = {
    "architectures": ["DistilBertForSequenceClassification"],
    "model_type": "distilbert",
    "dim": 16,
    "hidden_dim": 32,
    "n_heads": 2,
    "n_layers": 2,
    "vocab_size": len(VOCABULARY),
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "id2label": {"0": "NEGATIVE", "1": "POSITIVE"},
    "label2id": {"NEGATIVE": 0, "POSITIVE": 1},
}


def tiny_tokenizer() -> Tokenizer:
    """Words of the vocabulary, in lower case, between [CLS] and [SEP]."""
    tokenizer = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))  # noqa: S106 - no password
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def write_files(folder: Path, **changes: Any) -> Path:
    """Write a checkpoint that can be checked but not run: its weights are one number.

    `changes` replace keys of config.json; None leaves the key out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = {key: value for key, value in {**CONFIG, **changes}.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(config))
    tiny_tokenizer().save(str(folder / "tokenizer.json"))
    save_file({"weight": np.zeros(1, np.float32)}, folder / "model.safetensors")
    return folder


def write_model(folder: Path, **changes: Any) -> Path:
    """Write a checkpoint that can be run; needs torch and transformers."""
    import torch  # noqa: PLC0415 - heavy, and not everywhere
    from transformers import (  # noqa: PLC0415
        DistilBertConfig,
        DistilBertForSequenceClassification,
    )

    write_files(folder, **changes)
    torch.manual_seed(1)
    config = DistilBertConfig.from_pretrained(folder)
    # Wide weights, so that different texts get clearly different scores.
    config.initializer_range = 0.5
    DistilBertForSequenceClassification(config).save_pretrained(folder)
    return folder


class CountingEngine:
    """A fake engine: the share of label 1 is that of `good` among the words good and bad."""

    def __init__(self, info: ModelInfo) -> None:
        """Stand for a model of two labels."""
        self.info = info

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Score two labels by counting; an even count is an even share."""
        good = np.array([list(ids).count(VOCABULARY["good"]) for ids in sequences], np.float32)
        bad = np.array([list(ids).count(VOCABULARY["bad"]) for ids in sequences], np.float32)
        shares = (good + 1) / (good + bad + 2)
        logits: NDArray[np.float32] = np.log(np.stack([1 - shares, shares], axis=1))
        return logits


class CountingThreeEngine(CountingEngine):
    """As `CountingEngine`, with a label between the two whose word is film."""

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Score three labels by counting."""
        ids = [VOCABULARY[word] for word in ("bad", "film", "good")]
        counts = np.array([[list(one).count(i) + 1 for i in ids] for one in sequences], np.float32)
        logits: NDArray[np.float32] = np.log(counts / counts.sum(axis=1, keepdims=True))
        return logits
