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


# What each part means, for the command's help.
HELP = {
    "learning_rate": "Highest learning rate; it rises over the warm-up and falls to zero.",
    "batch_size": "Texts in a batch.",
    "warmup_steps": "Steps until the highest learning rate.",
    "length_max": "Tokens after which a text is cut.",
    "epochs": "Times that the data is gone through.",
    "weight_decay": "Decay of the weight matrices.",
    "average_decay": "Decay of the average of the weights that is kept; 0 keeps no average.",
    "held_out": "Sentences held out to choose the best checkpoint.",
    "evaluate_every": "Steps between evaluations; also where training can be resumed.",
    "precision": "auto, float32 or bfloat16.",
    "seed": "Seed of everything random.",
}
