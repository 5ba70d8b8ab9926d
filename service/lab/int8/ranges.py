"""Finds the ranges of activations that int8 has fixed scales for, and keeps them with the weights.

Exists so that a trained model runs in int8 without finding ranges at run time; what they mean is
told in `engines.graph.ranges`. Changes no weight, and trains nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification

from service.engines.graph.ranges import KEY, PLACES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from transformers import PreTrainedModel

# Places where the first and the last token of a text have ranges of their own. Elsewhere they are
# no larger than others, and two ranges would only take time (figures in service/bench/README.md).
APART = ("feed_in", "feed_out")


def find_ranges(folder: Path, sequences: Iterable[Sequence[int]]) -> list[dict[str, list[float]]]:
    """The least and the largest number of each place over texts; see `engines.graph.ranges`.

    `folder` has a DistilBERT classifier; a sequence has its special tokens. A thousand texts of the
    kind that will be scored are enough, but of every length and every kind.
    """
    loaded = AutoModelForSequenceClassification.from_pretrained(
        folder, local_files_only=True, dtype=torch.float32
    )
    return ranges_of(cast("PreTrainedModel", loaded), sequences)


@torch.inference_mode()
def ranges_of(
    model: PreTrainedModel, sequences: Iterable[Sequence[int]]
) -> list[dict[str, list[float]]]:
    """The same for a model that is loaded, one text at a time, so that none is padded."""
    model.eval()  # type: ignore[no-untyped-call] # has no types
    *blocks, _ = cast("torch.nn.ModuleList", model.get_submodule("distilbert.transformer.layer"))
    found: list[dict[str, list[float]]] = []
    hooks = []
    for block in blocks:
        layers = ("attention.q_lin", "attention.out_lin", "ffn.lin1", "ffn.lin2")
        of_block: dict[str, list[float]] = {place: [] for place in PLACES}
        found.append(of_block)
        for place, layer in zip(PLACES, layers, strict=True):
            see = _Seen(of_block[place], apart=place in APART)
            hooks.append(block.get_submodule(layer).register_forward_pre_hook(see))
    try:
        for ids in sequences:
            model(input_ids=torch.tensor([ids], device=model.device))
    finally:
        for hook in hooks:
            hook.remove()
    return found


class _Seen:
    """Widens a range, [low, high] or [low, high, edge low, edge high], by each input of a layer."""

    def __init__(self, ends: list[float], *, apart: bool) -> None:
        self._ends = ends
        ends += [0.0] * (4 if apart else 2)

    def __call__(self, _: torch.nn.Module, inputs: tuple[Any, ...]) -> None:
        (rows,) = inputs[0]
        if len(self._ends) == 4:
            self._widen(2, rows[[0, -1]])
            rows = rows[1:-1]
        if len(rows):
            self._widen(0, rows)

    def _widen(self, at: int, rows: torch.Tensor) -> None:
        self._ends[at] = min(self._ends[at], float(rows.min()))
        self._ends[at + 1] = max(self._ends[at + 1], float(rows.max()))


def store_ranges(folder: Path, ranges: list[dict[str, list[float]]] | None) -> None:
    """Write ranges into the metadata of the weights' file; None takes away those that are there."""
    file = folder / "model.safetensors"
    metadata = {"format": "pt"} | ({} if ranges is None else {KEY: json.dumps(ranges)})
    # A file that is mapped by a running engine stays what it is.
    written = file.with_suffix(".new")
    save_file(load_file(file), written, metadata=metadata)
    written.replace(file)
