"""Scoring any number of texts without Kafka, for the commands that read files.

Exists so that `score` and `evaluate` run the model in exactly one way, and the service's way: the
same checkpoint, the same tokens, the same engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from service.engines import load_engine
from service.engines.checkpoint import load_tokenizer, resolve
from service.engines.slices import slices_by_length
from service.text import TextEncoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from service.ports import Engine
    from service.settings import ModelSettings

# Texts that are sorted by length together: enough for little padding, few enough to stream.
CHUNK_TEXTS = 256
# Bounds the memory of one run of the model.
BATCH_TOKENS_MAX = 8192


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to score texts; used from one thread only."""

    engine: Engine
    encoder: TextEncoder


@dataclass(frozen=True, slots=True)
class Scored:
    """What the model says of one text: a probability for each label, and the likeliest."""

    label: str
    score: float
    scores: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """The object that a line of output holds."""
        return {"label": self.label, "score": self.score, "scores": self.scores}


def load_model(settings: ModelSettings) -> LoadedModel:
    """Load the model; in float32 unless the settings ask otherwise, so that figures are exact.

    Raises:
        SettingsError, ModelError: as `load_engine`.
    """
    if settings.precision == "auto":
        settings = settings.model_copy(update={"precision": "float32"})
    checkpoint = resolve(settings)
    encoder = TextEncoder(load_tokenizer(checkpoint), checkpoint.tokens_max)
    return LoadedModel(load_engine(settings, checkpoint), encoder)


def score_texts(texts: Iterable[str], model: LoadedModel) -> Iterator[Scored]:
    """Score texts; one outcome each, in the same order, at most a chunk of them held at a time.

    Raises:
        ModelError: the model has stopped working.
    """
    remaining = iter(texts)
    while chunk := list(islice(remaining, CHUNK_TEXTS)):
        yield from _score_chunk(chunk, model)


def _score_chunk(texts: list[str], model: LoadedModel) -> list[Scored]:
    sequences = [ids for ids, _ in model.encoder.encode(texts)]
    labels = model.engine.info.labels
    scored: dict[int, Scored] = {}
    for indices in slices_by_length(sequences, BATCH_TOKENS_MAX):
        rows = model.engine.probabilities([sequences[index] for index in indices])
        for index, row in zip(indices, rows, strict=True):
            scores = dict(zip(labels, row.tolist(), strict=True))
            label = max(scores, key=scores.__getitem__)
            scored[index] = Scored(label, scores[label], scores)
    return [scored[index] for index in range(len(texts))]
