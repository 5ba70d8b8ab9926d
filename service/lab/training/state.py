"""Saves and loads the state of a training run, so that an interrupted one can resume.

Exists so that resuming needs no pickle: the state is one safetensors file and a JSON of counters.
Decides nothing.
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
    """Write all state, torch's random state included; the file is complete or does not exist."""
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
    """The counters of an interrupted run; None if there is no such run."""
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
    """Restore the state that `save_state` wrote."""
    tensors = load_file(folder / _FILE)
    owned: dict[str, dict[str, torch.Tensor]] = {"model": {}, "average": {}, "optimizer": {}}
    for name, tensor in tensors.items():
        owner, _, rest = name.partition(".")
        if owner in owned:
            owned[owner][rest] = tensor
    model.load_state_dict(owned["model"])
    if average is not None:
        average.load_state_dict(owned["average"])
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in owned["optimizer"].items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = tensor
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    torch.set_rng_state(tensors["random"])
