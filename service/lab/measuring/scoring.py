"""Scoring any number of texts without Kafka, for the commands that read files.

Exists so that all that measures runs the model in exactly one way, and the service's way: the same
checkpoint, the same tokens, the same engine, the same reading of what it says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from service.checkpoint.files import resolve
from service.engines import load_engine
from service.records import Encoded
from service.scoring.joining import joined
from service.scoring.processing import load_processing
from service.scoring.readings import LogitsReader
from service.text.language import Languages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from service.ports import Engine
    from service.records import Reading
    from service.settings import ModelSettings
    from service.text.encoder import TextEncoder, Windows

# Texts that an engine gets at a time: enough of like length for little padding in its runs, which
# it bounds itself, and few enough to stream.
CHUNK_TEXTS = 256


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to score texts; used from one thread only.

    Without `languages` no text shows its language.
    """

    engine: Engine
    encoder: TextEncoder
    reader: LogitsReader = field(default_factory=LogitsReader)
    languages: Languages | None = None

    def encoded(self, texts: Sequence[str]) -> list[Encoded]:
        """Texts as the engine gets them, with what is told of them."""
        tell = self.languages.tell if self.languages is not None else lambda _: None
        return [
            Encoded(windows, stats, tell(text))
            for text, (windows, stats) in zip(texts, self.encoder.encode(texts), strict=True)
        ]

    def logits(self, texts: Sequence[Windows]) -> NDArray[np.float32]:
        """Of the windows of these texts at once, shape (texts, labels)."""
        logits = self.engine.logits([window for windows in texts for window in windows])
        counts = [len(windows) for windows in texts]
        return joined(logits, counts, multi_label=self.reader.multi_label)

    def described(self) -> dict[str, str]:
        """Which model it is and how it runs, as figures of it say."""
        info = self.engine.info
        return {
            "name": info.name,
            "revision": info.revision,
            "engine": info.engine,
            "precision": info.precision,
        }


def load_model(settings: ModelSettings) -> LoadedModel:
    """Load the model; in float32 unless the settings ask otherwise, so that figures are exact.

    Raises:
        SettingsError, ModelError: as `load_engine` and `load_processing`.
    """
    if settings.precision == "auto":
        settings = settings.model_copy(update={"precision": "float32"})
    checkpoint = resolve(settings)
    _, encoder, reader = load_processing(settings, checkpoint)
    languages = Languages(settings.known_languages, settings.other_languages)
    return LoadedModel(load_engine(settings, checkpoint), encoder, reader, languages)


def score_texts(texts: Iterable[str], model: LoadedModel) -> Iterator[Reading]:
    """Score texts; one reading each, in the same order, at most a chunk of them held at a time.

    Raises:
        ModelError: the model has stopped working.
    """
    labels = model.engine.info.labels
    for chunk in _chunks(texts):
        encoded = model.encoded(chunk)
        logits = model.logits([text.windows for text in encoded])
        yield from model.reader.read(labels, logits, encoded)


def logits_of(texts: Iterable[str], model: LoadedModel) -> Iterator[NDArray[np.float32]]:
    """The logits of texts in order, chunk by chunk; shape (texts of the chunk, labels).

    Normalised, cut into windows and joined as the model's folder and the settings have it, and not
    calibrated.

    Raises:
        ModelError: the model has stopped working.
    """
    for chunk in _chunks(texts):
        # Without their languages, which only a reading needs.
        yield model.logits([windows for windows, _ in model.encoder.encode(chunk)])


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(texts)
    while chunk := list(islice(remaining, CHUNK_TEXTS)):
        yield chunk
