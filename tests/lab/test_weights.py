"""The recipe of the bundled weights starts from exactly the published tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

pytest.importorskip("torch")
from safetensors.numpy import load_file
from transformers import AutoModelForSequenceClassification

from tools.tiny_checkpoints import write_tiny, write_tiny_encoder
from weights.encoder import encoder_from_onnx, lower_layers

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.model


def exported(tensors: dict[str, NDArray[Any]], path: Path) -> Path:
    """Write tensors as an exporter does: matrices of layers transposed, named by a number."""
    kept, nodes = [], []
    for number, (name, tensor) in enumerate(tensors.items()):
        transposed = tensor.ndim == 2 and name.startswith("encoder.")
        stored = f"onnx::MatMul_{number}" if transposed else name
        kept.append(numpy_helper.from_array(tensor.T.copy() if transposed else tensor, stored))
        if transposed:
            layer = "/" + name.removesuffix(".weight").replace(".", "/").replace("layer/", "layer.")
            nodes.append(helper.make_node("MatMul", ["x", stored], ["y"], name=f"{layer}/MatMul"))
    kept.append(helper.make_tensor("embeddings.position_ids", TensorProto.INT64, [1], [0]))
    onnx.save(helper.make_model(helper.make_graph(nodes, "encoder", [], [], kept)), path)
    return path


def test_an_exported_encoder_comes_back_exactly(tmp_path: Path) -> None:
    """Name by name, and the matrices as they were before they were transposed."""
    tensors = load_file(write_tiny_encoder(tmp_path / "encoder") / "model.safetensors")
    tensors = {name: tensor for name, tensor in tensors.items() if "pooler" not in name}
    (tmp_path / "tokenizer.json").write_text("{}")
    graph = exported(tensors, tmp_path / "encoder.onnx")
    encoder_from_onnx(graph, tmp_path / "tokenizer.json", tmp_path / "folder")
    found = load_file(tmp_path / "folder" / "model.safetensors")
    assert tensors.keys() == found.keys()
    assert all((tensors[name] == found[name]).all() for name in tensors)


def test_the_lower_layers_are_a_model_of_their_own(tmp_path: Path) -> None:
    """With the head, and each tensor as it was."""
    whole = load_file(write_tiny("distilbert", tmp_path / "whole") / "model.safetensors")
    (tmp_path / "whole" / "tokenizer.json").write_text("{}")
    lower_layers(tmp_path / "whole", 1, tmp_path / "lower")
    lower = load_file(tmp_path / "lower" / "model.safetensors")
    assert lower.keys() == {name for name in whole if ".layer." not in name or ".layer.0." in name}
    assert all((lower[name] == whole[name]).all() for name in lower)
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "lower")
    assert (model.config.n_layers, model.config.num_labels) == (1, 2)
