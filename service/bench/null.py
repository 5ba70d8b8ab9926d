"""`sentiment-stream run` with an engine that computes nothing: what the rest of the way carries.

    python -m service.bench.null '{"kafka": {"group_id": "a"}}'

Exists for `bench` alone; no setting of the service leads here, so that no made-up score is ever
taken for one.
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
    """Says the same of every text; implements `ports.Engine`."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        """Have these labels."""
        self._labels = labels

    @property
    def info(self) -> ModelInfo:
        """Which model this is not."""
        return ModelInfo("null", "none", "null", "float32", "cpu", self._labels)

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """No label before another; shape (sequences, labels), float32."""
        return np.zeros((len(sequences), len(self._labels)), np.float32)


def _null(_settings: ModelSettings, checkpoint: Checkpoint) -> NullEngine:
    return NullEngine(checkpoint.labels)


if __name__ == "__main__":
    vars(assembly)["load_engine"] = _null
    settings = load_settings(json.loads(sys.argv[1]))
    configure_logging(settings.log)
    asyncio.run(app.run_service(settings))
