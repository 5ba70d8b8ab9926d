"""An encoder's ONNX export as a checkpoint folder, and the lower layers of a model as a model.

Exists because the base model of the bundled weights is published in a Maven artifact, as ONNX.
Exact: tensors are renamed, and turned where the exporter turned them; nothing is computed.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import numpy_helper
from safetensors import safe_open
from safetensors.numpy import save_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

# Of a BERT with layers of width 384, as all of the MiniLM family have it.
CONFIG = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "vocab_size": 30522,
    "hidden_size": 384,
    "intermediate_size": 1536,
    "num_attention_heads": 12,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
}
TOKENIZER = {"tokenizer_class": "BertTokenizerFast", "do_lower_case": True, "model_max_length": 512}


def encoder_from_onnx(graph: Path, tokenizer: Path, folder: Path) -> None:
    """Write the encoder as a `BertModel` folder; `tokenizer` is its tokenizer.json."""
    model = onnx.load(graph).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.initializer}
    tensors = {
        name: tensor
        for name, tensor in stored.items()
        if name.startswith(("embeddings.", "encoder.")) and not name.endswith("position_ids")
    }
    for node in model.node:
        # The exporter has turned the matrices of linear layers, and named them by number.
        if node.op_type == "MatMul" and node.input[1] in stored:
            layer = node.name.strip("/").removesuffix("/MatMul").replace("/", ".")
            tensors[f"{layer}.weight"] = stored[node.input[1]].T
    layers = {name.split(".")[2] for name in tensors if name.startswith("encoder.layer.")}
    _write(folder, tensors, CONFIG | {"num_hidden_layers": len(layers)})
    shutil.copy(tokenizer, folder / "tokenizer.json")
    (folder / "tokenizer_config.json").write_text(json.dumps(TOKENIZER))


def lower_layers(model: Path, count: int, folder: Path) -> None:
    """Write a DistilBERT classifier that has the first `count` layers of one, and its head."""
    with safe_open(model / "model.safetensors", "np") as file:
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    tensors = {
        name: tensor
        for name, tensor in stored.items()
        if ".layer." not in name or int(name.partition(".layer.")[2].partition(".")[0]) < count
    }
    config = json.loads((model / "config.json").read_text())
    _write(folder, tensors, config | {"n_layers": count})
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(model / name, folder)


def _write(
    folder: Path, tensors: Mapping[str, NDArray[np.float32]], config: Mapping[str, object]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    whole = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    save_file(whole, folder / "model.safetensors", metadata={"format": "pt"})
