"""Weights stand once: they stay in their file, and a model names where they are."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Literal

import numpy as np
import onnx
import pytest

from service.checkpoint.files import BUNDLED_FOLDER, resolve
from service.checkpoint.stored import stored_weights
from service.engines.graph import onnx_file
from service.engines.graph.quantized import ROWS, WEIGHT_STEPS, quantized
from service.engines.layout import load_layout
from service.engines.onnx_graph import build_graph
from service.engines.onnx_packed import OnnxPacked
from service.errors import ModelError
from service.settings import ModelSettings

torch = pytest.importorskip("torch")
from safetensors.torch import load_file, save_file  # noqa: E402 - needs torch

from tools.tiny_checkpoints import write_tiny  # noqa: E402 - only where torch is installed

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BUNDLED = BUNDLED_FOLDER / "model.safetensors"
# The linear layers of the bundled model in float32, as kernels pack them: what a run reads. The
# first five layers have 1.77 million weights each; the last one and the head read less.
PACKED_BYTES = 6 * (4 * 384 * 384 + 2 * 384 * 1536) * 4
PRECISIONS: tuple[Literal["float32", "int8"], ...] = ("float32", "int8")
# Texts that are read by all of a layer, with padding beside them.
BATCH = [[7] * 9, [8, 9], [5, 6, 7, 100, 33]]


def test_a_model_of_references_is_small() -> None:
    """No weight is in it that is large; each that is has one place in the file."""
    model = onnx.load_model_from_string(build_graph(load_layout(resolve(ModelSettings()))))
    places = [
        tuple(int(entry.value) for entry in tensor.external_data if entry.key != "location")
        for tensor in model.graph.initializer
        if tensor.external_data
    ]
    stored = stored_weights(BUNDLED).values()

    assert len(places) == len(set(places))
    assert {(s.offset, s.size_bytes) for s in stored if s.size_bytes >= 2**16} == set(places)
    assert len(model.SerializeToString()) < 2**19


def test_a_whole_model_is_valid_onnx(tmp_path: Path) -> None:
    """The checker of the onnx package finds nothing, and the numbers are in it."""
    layout = load_layout(resolve(ModelSettings(name=str(write_tiny("bert", tmp_path)))))
    model = onnx.load_model_from_string(build_graph(layout, whole=True, metadata={"labels": "a,b"}))

    onnx.checker.check_model(model, full_check=True)
    assert [("labels", "a,b")] == [(p.key, p.value) for p in model.metadata_props]
    assert not any(tensor.external_data for tensor in model.graph.initializer)


def test_a_node_is_read_as_it_was_written() -> None:
    """Attributes of each kind, negative and large numbers among them."""
    given: dict[str, onnx_file.Attribute] = {
        "a": -1, "b": 2**62, "c": 0.125, "d": "word", "e": [1, 0, -3]
    }  # fmt: skip
    read = onnx.NodeProto.FromString(onnx_file.node("Kind", ["x", ""], "y", "com.x", given))

    found = {a.name: onnx.helper.get_attribute_value(a) for a in read.attribute}
    assert given | {"d": b"word"} == found
    assert (["x", ""], ["y"]) == (list(read.input), list(read.output))
    assert ("Kind", "com.x") == (read.op_type, read.domain)


@pytest.mark.parametrize("name", ["float64", "float32", "float16", "bfloat16"])
def test_numbers_are_read_as_torch_reads_them(name: str, tmp_path: Path) -> None:
    """Of each format, wherever in the file."""
    kind = getattr(torch, name)
    tensors = {"odd": torch.ones(3, dtype=kind), "w": torch.randn(5, 7).to(kind)}
    save_file(tensors, tmp_path / "m.safetensors")
    for name_of, weight in stored_weights(tmp_path / "m.safetensors").items():
        assert np.array_equal(tensors[name_of].float().numpy(), weight.numbers())


def test_a_format_that_is_not_read_is_named(tmp_path: Path) -> None:
    """With what to do, in one line."""
    folder = write_tiny("distilbert", tmp_path)
    tensors = load_file(folder / "model.safetensors")
    tensors["classifier.weight"] = tensors["classifier.weight"].to(torch.float8_e4m3fn)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"classifier.weight is in F8_E4M3.*; save the weights"):
        load_layout(resolve(ModelSettings(name=str(folder))))


@pytest.mark.model
@pytest.mark.parametrize("name", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("family", ["distilbert", "bert", "roberta"])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_weight_in_the_file_counts_as_one_in_the_model(
    family: str,
    name: str,
    precision: Literal["float32", "int8"],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same logits, in every format of the file."""
    folder = write_tiny(family, tmp_path)
    tensors = load_file(folder / "model.safetensors")
    kind = getattr(torch, name)
    save_file({n: t.to(kind) for n, t in tensors.items()}, folder / "model.safetensors")
    settings = ModelSettings(name=str(folder), device="cpu", precision=precision)
    copied = OnnxPacked(resolve(settings), settings).logits(BATCH)
    monkeypatch.setattr("service.engines.graph.growing.REFERENCE_BYTES_MIN", 0)
    np.testing.assert_allclose(
        OnnxPacked(resolve(settings), settings).logits(BATCH), copied, atol=1e-5
    )


def test_rows_are_quantized_alike_however_many_there_are() -> None:
    """Each has its own scale; the largest number is not clipped beyond the range."""
    weight: NDArray[np.float32] = np.random.default_rng(1).standard_normal(
        (2 * ROWS + 3, 40), np.float32
    )
    integers, scales = quantized(weight)
    for row in (0, ROWS, 2 * ROWS + 2):
        alone, scale = quantized(weight[row : row + 1])
        assert np.array_equal(alone[0], integers[row])
        assert scale[0] == scales[row]
    assert np.abs(integers.astype(int)).max() == WEIGHT_STEPS
    assert np.abs(integers * scales[:, None] - weight).mean() < 0.01


HELD = """
import sys
from pathlib import Path
from service.checkpoint.files import resolve
from service.settings import ModelSettings
import onnxruntime

def bytes_of(name):
    status = Path("/proc/self/status").read_text()
    return int(status.partition(name + ":")[2].split()[0]) * 1024

from service.engines.onnx_packed import OnnxPacked

def settings_of(**name):
    return ModelSettings(device="cpu", threads=1, precision=sys.argv[1], **name)

# The code that is read for the first model counts for none.
tiny = settings_of(name=sys.argv[2])
OnnxPacked(resolve(tiny), tiny)
settings = settings_of()
checkpoint = resolve(settings)
before = bytes_of("VmRSS")
engine = OnnxPacked(checkpoint, settings)
print(bytes_of("VmHWM") - before, *sorted({"onnx", "torch", "transformers"} & set(sys.modules)))
"""


@pytest.mark.model
@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the memory of a process")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_budget_of_memory(precision: str, tmp_path: Path) -> None:
    """While the bundled model is loaded, its linear layers stand once, and two fifths beside them.

    Nothing that makes models is imported for it.
    """
    done = subprocess.run(  # noqa: S603 - arguments are this file's own
        [sys.executable, "-c", HELD, precision, str(write_tiny("distilbert", tmp_path))],
        capture_output=True,
        text=True,
        check=True,
    )
    growth_bytes, *imported = done.stdout.split()
    assert int(growth_bytes) < 1.4 * PACKED_BYTES
    assert [] == imported
