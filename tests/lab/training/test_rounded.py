"""Weights rounded to int8 are the same numbers in both precisions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from service.engines.graph.quantized import quantized  # noqa: E402 - only where torch is installed
from service.lab.training.base_model import load_base  # noqa: E402
from service.lab.training.rounded import round_weights  # noqa: E402

pytestmark = pytest.mark.model

FOLDER = Path(__file__).resolve().parents[3] / "service" / "model"
LABELS = ("NEGATIVE", "NEUTRAL", "POSITIVE")


def test_the_engine_finds_the_same_integers_again() -> None:
    """Of every weight that it has in int8, after half precision too; no other weight changes."""
    model = load_base(FOLDER, LABELS)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1 + torch.randn_like(parameter) / 50)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    round_weights(model)
    changed = set()
    for name, weight in model.state_dict().items():
        if torch.equal(weight, before[name]):
            continue
        changed.add(name)
        integers, _ = quantized(before[name].numpy())
        stored, scales = quantized(weight.half().float().numpy())
        assert np.array_equal(stored, integers), name
        off = np.abs(stored * scales[:, None] - weight.numpy()).max()
        assert off < float(weight.abs().max()) * 1e-3
    assert len(changed) == 5 * 6
    assert all(name.endswith("weight") and ".layer.5." not in name for name in changed)
