"""`train --int8`: weights rounded to int8 are the same numbers in both precisions."""

from __future__ import annotations

import io
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from service.errors import InputError
from service.lab.teaching.recipe import Recipe, same_recipe
from service.lab.teaching.sources import Sources

torch = pytest.importorskip("torch")

from safetensors.torch import load_file  # noqa: E402 - only where torch is installed

from service.engines.graph.quantized import quantized  # noqa: E402
from service.lab.training.averaged import train  # noqa: E402
from service.lab.training.base_model import load_base  # noqa: E402
from service.lab.training.rounded import round_weights  # noqa: E402
from tools.tiny_checkpoints import write_tiny, write_tiny_encoder  # noqa: E402

pytestmark = pytest.mark.model

FOLDER = Path(__file__).resolve().parents[3] / "service" / "model"
LABELS = ("NEGATIVE", "NEUTRAL", "POSITIVE")
RECIPE = Recipe(batch_size=8, epochs=1, held_out=10, precision="float32", int8=True)


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


def sources(folder: Path) -> Sources:
    """Sentences with two labels."""
    rows = "".join(
        f"{' '.join(f'w{(i * 7 + j) % 90}' for j in range(13))}\t{i % 2}\n" for i in range(30)
    )
    (folder / "train.tsv").write_text("sentence\tlabel\n" + rows)
    return Sources(folder / "train.tsv")


def test_the_kept_model_is_rounded(tmp_path: Path) -> None:
    """The run before it has its weights as they were learned."""
    base, quiet = write_tiny_encoder(tmp_path / "base"), Console(file=io.StringIO())
    train(base, sources(tmp_path), tmp_path / "out", RECIPE, quiet)
    found, before = (
        load_file(tmp_path / name / "model.safetensors") for name in ("out", "out.run-1")
    )
    changed = {name for name in found if not found[name].equal(before[name])}
    blocks = [f"distilbert.transformer.layer.{number}." for number in (0, 1)]
    layers = [*(f"attention.{n}_lin" for n in ("q", "k", "v", "out")), "ffn.lin1", "ffn.lin2"]
    assert changed == {f"{block}{layer}.weight" for block in blocks for layer in layers}


def test_another_classifier_is_refused_before_it_is_trained(tmp_path: Path) -> None:
    """Its blocks have other names."""
    base = write_tiny("bert", tmp_path / "classifier")
    with pytest.raises(InputError, match="--int8 is for a DistilBERT"):
        train(base, sources(tmp_path), tmp_path / "out", RECIPE, Console())
    assert not (tmp_path / "out").exists()


def test_a_recipe_of_an_earlier_release_is_the_same() -> None:
    """What it does not name had its default; so a finished run is not made again."""
    plain = replace(RECIPE, int8=False)
    written = asdict(plain)
    del written["int8"]
    assert same_recipe(written, plain)
    assert not same_recipe(written, RECIPE)
