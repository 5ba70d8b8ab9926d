"""Ranges that a checkpoint keeps: int8 with fixed scales computes what they say, and no more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import onnx
import pytest

from service.checkpoint.files import resolve
from service.engines import onnx_packed
from service.engines.graph.ranges import KEY, PLACES, STEPS, scale_of
from service.engines.layout import load_layout
from service.engines.onnx_graph import build_graph
from service.engines.onnx_packed import OnnxPacked
from service.errors import ModelError
from service.processor import saturates, this_processor
from service.settings import ModelSettings

torch = pytest.importorskip("torch")
from safetensors.torch import load_file, save_file  # noqa: E402 - needs torch
from transformers import AutoModelForSequenceClassification  # noqa: E402 - the same

from service.lab.int8.ranges import find_ranges, store_ranges  # noqa: E402 - the same
from tools.tiny_checkpoints import write_tiny  # noqa: E402 - the same

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.model

# With padding, and some of one or two tokens, which have no inner ones.
BATCH = [[7] * 9, [8, 9], [5, 6, 7, 100, 33], [11], *([n, 40 + n, 3 * n, 9] for n in range(5, 35))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a checkpoint without ranges."""
    return write_tiny("distilbert", tmp_path / "m")


def logits(folder: Path, precision: Literal["float32", "int8"] = "int8") -> NDArray[np.float32]:
    """Of the batch, by ONNX Runtime."""
    settings = ModelSettings(name=str(folder), device="cpu", precision=precision, threads=1)
    return OnnxPacked(resolve(settings), settings).logits(BATCH)


def with_metadata(folder: Path, content: str) -> None:
    """Write the same weights with something as their ranges."""
    file = folder / "model.safetensors"
    save_file(load_file(file), file, metadata={"format": "pt", KEY: content})


def off(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """The share of the logits' variance that differs."""
    spread = np.square(expected - expected.mean(axis=0)).sum()
    return float(np.square(found - expected).sum() / spread)


def fake(values: Any, *ends: float) -> Any:
    """Numbers (texts, tokens, width) as they are in 8 bits."""
    kinds = [scale_of(*ends[:2]), scale_of(*ends[-2:])]
    rounded = [
        (torch.clamp(torch.round(values / step) + int(zero), 0, STEPS) - int(zero)) * float(step)
        for step, zero in kinds
    ]
    rounded[0][:, [0, -1]] = rounded[1][:, [0, -1]]
    return rounded[0]


def simulated(folder: Path, ranges: list[dict[str, list[float]]]) -> NDArray[np.float32]:
    """The logits of transformers, one text at a time, with what int8 rounds rounded."""
    from service.engines.graph.quantized import quantized  # noqa: PLC0415 - for this alone

    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    for block, kept in zip(model.distilbert.transformer.layer, ranges, strict=False):
        attention = block.attention
        for place, layers in zip(
            PLACES,
            (
                (attention.q_lin, attention.k_lin, attention.v_lin),
                (attention.out_lin,),
                (block.ffn.lin1,),
                (block.ffn.lin2,),
            ),
            strict=True,
        ):
            for layer in layers:
                integers, scales = quantized(layer.weight.detach().numpy())
                layer.weight.data = torch.from_numpy(integers * scales[:, None])
                layer.register_forward_pre_hook(lambda _, x, ends=kept[place]: (fake(x[0], *ends),))
    with torch.inference_mode():
        return np.concatenate([model(torch.tensor([ids])).logits.numpy() for ids in BATCH])


@pytest.mark.parametrize("edges", [True, False])
def test_the_engine_computes_what_training_simulates(folder: Path, edges: bool) -> None:
    """With one range for all tokens, and with one more for the first and the last."""
    ranges = find_ranges(folder, BATCH)
    for block in ranges:
        # So that edges have another step and another zero point.
        block["feed_in"][2] *= 3
        block["feed_out"][3] *= 5
    if not edges:
        ranges = [{p: [min(e[::2]), max(e[1::2])] for p, e in b.items()} for b in ranges]
    with_metadata(folder, json.dumps(ranges))
    found, expected = logits(folder), simulated(folder, ranges)
    # A number between two steps may be rounded to either, and then moves a logit.
    assert np.median(np.abs(found - expected)) < 1e-5
    assert off(found, expected) < 1e-3
    assert off(found, logits(folder, "float32")) > 1e-5


def test_ranges_are_used(folder: Path) -> None:
    """Not only read: with a range that is far too small, the scores are others."""
    dynamic = logits(folder)
    ranges = find_ranges(folder, BATCH)
    store_ranges(folder, ranges)
    assert not np.array_equal(logits(folder), dynamic)
    store_ranges(folder, [{place: [-1e-3, 1e-3] for place in PLACES} for _ in ranges])
    assert off(logits(folder), logits(folder, "float32")) > 0.5


def test_neighbours_do_not_matter(folder: Path) -> None:
    """To the bit nearly: no scale depends on them."""
    store_ranges(folder, find_ranges(folder, BATCH))
    settings = ModelSettings(name=str(folder), device="cpu", precision="int8")
    engine = OnnxPacked(resolve(settings), settings)
    alone = np.concatenate([engine.logits([ids]) for ids in BATCH])
    np.testing.assert_allclose(engine.logits(BATCH), alone, atol=1e-3)


def test_weights_stay_what_they_are(folder: Path) -> None:
    """Storing changes no weight; transformers loads them without a missing or an unknown one."""
    before = load_file(folder / "model.safetensors")
    store_ranges(folder, find_ranges(folder, BATCH))
    after = load_file(folder / "model.safetensors")
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    _, info = AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
    assert not any(info.values())


def test_unsigned_weights_give_the_same_logits(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For processors that get products with signed ones wrong."""
    if saturates(this_processor()):
        pytest.skip("signed weights are wrong on this processor")
    store_ranges(folder, find_ranges(folder, BATCH))
    found = []
    for unsigned in (True, False):
        monkeypatch.setattr(onnx_packed, "saturates", lambda _, wrong=unsigned: wrong)
        found.append(logits(folder).tolist())
    assert found[0] == found[1]


def test_fewer_operators(folder: Path) -> None:
    """No pass over the activations finds a range, and none scales by row."""
    settings = ModelSettings(name=str(folder), device="cpu")

    def kinds() -> set[str]:
        layout = load_layout(resolve(settings))
        model = onnx.load_model_from_string(build_graph(layout, "int8", whole=True))
        return {node.op_type for node in model.graph.node}

    assert {"ReduceMin", "ReduceMax"} < kinds()
    store_ranges(folder, find_ranges(folder, BATCH))
    assert not {"ReduceMin", "ReduceMax"} & kinds()


WHOLE: dict[str, Any] = {place: [-1, 1] for place in PLACES}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("nothing", "Expecting value"),
        ("7", "a list of 2 blocks"),
        ([WHOLE], "a list of 2 blocks"),
        ([WHOLE, 3], "must have query, attention_out"),
        ([WHOLE, {"query": [0, 1]}], "must have query, attention_out"),
        ([WHOLE, WHOLE | {"query": [0, 1, 2]}], r"\[low, high, edge low, edge high\]"),
        ([WHOLE, WHOLE | {"query": [0, "x"]}], "not a finite number"),
        ([WHOLE, WHOLE | {"query": [0, float("nan")]}], "not a finite number"),
        ([WHOLE, WHOLE | {"query": [0, True]}], "not a finite number"),
        ([WHOLE, WHOLE | {"feed_out": [0, 1, 2, 1]}], "ends before it begins"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_damaged_ranges_are_said(folder: Path, content: Any, reason: str) -> None:
    """One line that says what is wrong and what to do."""
    with_metadata(folder, content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(
        ModelError, match=rf"(?s){KEY} in its metadata.*{reason}.*train again"
    ) as caught:
        logits(folder)
    assert "\n" not in str(caught.value)


def test_the_ends_of_a_range() -> None:
    """Zero is exact, and in it even where the range is not around it."""
    for low, high in ((-3.0, 9.0), (2.0, 5.0), (-5.0, -2.0), (0.0, 0.0)):
        step, zero = scale_of(low, high)
        assert step > 0
        assert (int(zero) == STEPS) == (high <= 0 > low)
        assert abs((STEPS - int(zero)) * step - max(high, 0.0)) <= step / 2 + 1e-6
