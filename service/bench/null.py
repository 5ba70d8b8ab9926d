"""`sentiment-stream run` with an engine that computes nothing: the throughput without a model.

    python -m service.bench.null '{"kafka": {"group_id": "a"}}'

Exists only for `bench`. No setting of the service may select this engine, so that nobody takes its
scores for real ones.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

import numpy as np

from service import app, assembly
from service.observe.logs import configure_logging
from service.records import ModelInfo
from service.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from service.checkpoint.files import Checkpoint
    from service.settings import ModelSettings


class NullEngine:
    """Gives every text the same logits; implements `ports.Engine`."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        """Make an engine with these labels."""
        self._labels = labels

    @property
    def info(self) -> ModelInfo:
        """A description that no real model has."""
        return ModelInfo("null", "none", "null", "float32", "cpu", self._labels)

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Zeros: every label is equally likely. Shape (sequences, labels), float32."""
        return np.zeros((len(sequences), len(self._labels)), np.float32)


def _null(_settings: ModelSettings, checkpoint: Checkpoint) -> NullEngine:
    return NullEngine(checkpoint.labels)


if __name__ == "__main__":
    vars(assembly)["load_engine"] = _null
    settings = load_settings(json.loads(sys.argv[1]))
    configure_logging(settings.log)
    asyncio.run(app.run_service(settings))
