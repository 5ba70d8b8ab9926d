"""What an interrupted training run needs to go on: one safetensors file and a JSON of counters.

Exists so that resuming runs no pickle. Writes and reads state; decides nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save_file

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedModel

_FILE = "state.safetensors"
_COUNTERS = "counters.json"


def save_state(
    folder: Path,
    model: PreTrainedModel,
    average: PreTrainedModel | None,
    optimizer: torch.optim.Optimizer,
    counters: dict[str, Any],
) -> None:
    """Write everything, with torch's random state; the file is whole or not there."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    if average is not None:
        tensors |= {f"average.{k}": v for k, v in average.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": value for key, value in state.items()}
    tensors["random"] = torch.get_rng_state()
    partial = folder / "state.partial"
    save_file({k: v.detach().cpu().clone() for k, v in tensors.items()}, partial)
    partial.rename(folder / _FILE)
    (folder / _COUNTERS).write_text(json.dumps(counters))


def read_counters(folder: Path) -> dict[str, Any] | None:
    """The counters of an interrupted run; None where there is none."""
    if not (folder / _FILE).is_file():
        return None
    counters: dict[str, Any] = json.loads((folder / _COUNTERS).read_text())
    return counters


def load_state(
    folder: Path,
    model: PreTrainedModel,
    average: PreTrainedModel | None,
    optimizer: torch.optim.Optimizer,
) -> None:
    """Put everything back where `save_state` found it."""
    tensors = load_file(folder / _FILE)
    rooms: dict[str, dict[str, torch.Tensor]] = {"model": {}, "average": {}, "optimizer": {}}
    for name, tensor in tensors.items():
        room, _, rest = name.partition(".")
        if room in rooms:
            rooms[room][rest] = tensor
    model.load_state_dict(rooms["model"])
    if average is not None:
        average.load_state_dict(rooms["average"])
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in rooms["optimizer"].items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = tensor
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    torch.set_rng_state(tensors["random"])
