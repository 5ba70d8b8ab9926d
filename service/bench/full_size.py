"""A checkpoint of DistilBERT's full size with random weights.

Exists so that speed can be measured without the real weights: the time of the arithmetic does not
depend on the numbers. The scores of this model mean nothing.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import save_file

from service.checkpoint.files import BUNDLED_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

# distilbert-base-uncased, as its config.json says.
CONFIG = {
    "architectures": ["DistilBertForSequenceClassification"],
    "model_type": "distilbert",
    "activation": "gelu",
    "dim": 768,
    "hidden_dim": 3072,
    "n_heads": 12,
    "n_layers": 6,
    "max_position_embeddings": 512,
    "vocab_size": 30522,
    "pad_token_id": 0,
    "id2label": {"0": "NEGATIVE", "1": "POSITIVE"},
    "label2id": {"NEGATIVE": 0, "POSITIVE": 1},
}
# The standard deviation with which these models are initialised.
DEVIATION = 0.02


def write_full_size(folder: Path) -> Path:
    """Write the checkpoint (268 MB) into a folder, created if missing; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        # The bundled model has the same vocabulary.
        shutil.copy(BUNDLED_FOLDER / name, folder / name)
    save_file(_weights(), folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def _weights() -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    width, hidden = 768, 3072
    weights: dict[str, NDArray[np.float32]] = {}

    def matrix(name: str, rows: int, columns: int) -> None:
        normal = rng.standard_normal((rows, columns), dtype=np.float32)
        weights[f"{name}.weight"] = normal * np.float32(DEVIATION)

    def linear(name: str, inputs: int, outputs: int) -> None:
        matrix(name, outputs, inputs)
        weights[f"{name}.bias"] = np.zeros(outputs, np.float32)

    def norm(name: str) -> None:
        weights[f"{name}.weight"] = np.ones(width, np.float32)
        weights[f"{name}.bias"] = np.zeros(width, np.float32)

    matrix("distilbert.embeddings.word_embeddings", 30522, width)
    matrix("distilbert.embeddings.position_embeddings", 512, width)
    norm("distilbert.embeddings.LayerNorm")
    for number in range(6):
        layer = f"distilbert.transformer.layer.{number}."
        for name in ("q_lin", "k_lin", "v_lin", "out_lin"):
            linear(f"{layer}attention.{name}", width, width)
        norm(f"{layer}sa_layer_norm")
        linear(f"{layer}ffn.lin1", width, hidden)
        linear(f"{layer}ffn.lin2", hidden, width)
        norm(f"{layer}output_layer_norm")
    linear("pre_classifier", width, width)
    linear("classifier", width, 2)
    return weights
