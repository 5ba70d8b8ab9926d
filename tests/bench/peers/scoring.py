"""What every peer does alike: its settings, and the Transformers pipeline that scores.

Exists so that the peers differ in their framework alone. May not import the service.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import torch
import transformers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BOOTSTRAP = os.environ["BOOTSTRAP"]
INPUT, OUTPUT, GROUP = os.environ["INPUT"], os.environ["OUTPUT"], os.environ["GROUP"]
# What a handler takes at a time, and the pipeline at once.
BATCH = 32
# A batch that is not full is scored after so long.
WITHIN_S = 0.1


def load_scorer() -> Callable[[Sequence[dict[str, Any]]], list[dict[str, Any]]]:
    """Load the model; gives what turns posts {"id", "text"} into events, batch by batch."""
    torch.set_num_threads(int(os.environ["THREADS"]))
    classify = transformers.pipeline(
        "text-classification",
        model=os.environ["MODEL"],
        device="cpu",
        # Weights saved in half precision would be run so, which CPUs are slow at.
        dtype=torch.float32,
        batch_size=BATCH,
    )

    def score(posts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        outcomes = classify([post["text"] for post in posts], truncation=True)
        return [
            {"id": post["id"], "label": outcome["label"], "score": outcome["score"]}
            for post, outcome in zip(posts, outcomes, strict=True)
        ]

    return score
