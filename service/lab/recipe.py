"""How to train; apart from `train`, so that the command's help needs no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How to train; the defaults are the published recipe of the SST-2 DistilBERT."""

    learning_rate: float = 1e-5
    batch_size: int = 32
    warmup_steps: int = 600
    length_max: int = 128
    epochs: int = 3
    weight_decay: float = 0.01
    average_decay: float = 0.0
    held_out: int = 500
    evaluate_every: int = 500
    precision: str = "auto"
    seed: int = 1
