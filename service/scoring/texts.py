"""Scores texts without Kafka: for commands that read files, for notebooks and for measurements.

Exists so that all of these score as the stream does, with the same checkpoint, tokens, engine and
readings. Reads no files but the model's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, get_args

from service.checkpoint.files import resolve
from service.checkpoint.tuning import tuned
from service.engines import engine_name, load_engine
from service.errors import SettingsError
from service.records import TextFormat
from service.scoring.joining import joined
from service.scoring.keywords import in_keywords, model_settings
from service.scoring.processing import load_processing
from service.scoring.readings import LogitsReader
from service.text.encoder import encoded
from service.text.language import Languages
from service.text.markup import plain_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from service.ports import Engine
    from service.records import ModelInfo, Reading, TextStats
    from service.settings import ModelSettings
    from service.text.encoder import TextEncoder, Windows
    from service.text.markup import Plain

# Texts that an engine gets at a time: enough for runs of similar lengths with little padding, and
# few enough to stream. The engine limits the size of its runs itself.
CHUNK_TEXTS = 256


@dataclass(frozen=True, slots=True)
class Scored:
    """What the stream publishes of a text: the reading, the language, and what was cut.

    `language` is an ISO 639 code, None if it cannot be detected. `stats` are the event's
    `text_stats`: `truncated` says that the end was not read, and `quoted_chars`, `signature_chars`
    and `code_chars` what the text's format has cut before.
    """

    reading: Reading
    language: str | None
    stats: TextStats

    @property
    def label(self) -> str:
        """The likeliest label, or that of the settings for texts that the model is unsure of."""
        return self.reading.label

    @property
    def score(self) -> float:
        """The highest probability."""
        return self.reading.score

    @property
    def scores(self) -> dict[str, float]:
        """The probability of each label."""
        return self.reading.scores

    @property
    def confident(self) -> bool:
        """Whether the label may be acted on."""
        return self.reading.confident

    def as_dict(self) -> dict[str, Any]:
        """All figures by the names that they have in events."""
        stats = asdict(self.stats)
        del stats["known"]
        return {**self.reading.as_dict(), "language": self.language, "text_stats": stats}


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to score texts; used from one thread only.

    Without `languages`, the language of no text is detected.
    """

    engine: Engine
    encoder: TextEncoder
    reader: LogitsReader = field(default_factory=LogitsReader)
    languages: Languages | None = None

    def logits(self, texts: Sequence[Windows]) -> NDArray[np.float32]:
        """The logits of texts from their windows, shape (texts, labels)."""
        logits = self.engine.logits([window for windows in texts for window in windows])
        counts = [len(windows) for windows in texts]
        return joined(logits, counts, multi_label=self.reader.multi_label)

    def described(self) -> dict[str, str]:
        """The model and how it runs, for reports of its figures."""
        info = self.engine.info
        return {
            "name": info.name,
            "revision": info.revision,
            "engine": info.engine,
            "precision": info.precision,
        }


class Scorer:
    """Scores texts as the stream does; threads may share one, and then take turns.

    >>> Scorer("bundled").score(["Everything arrived in time, thank you!"])[0].label
    'POSITIVE'
    """

    def __init__(self, model: str | Path | LoadedModel = "bundled", **settings: Any) -> None:
        """Load a model: `bundled`, a folder, or a name on the hub with its `revision`.

        `settings` are those of `SENTIMENT_MODEL__…` in lower case, such as `precision="int8"` or
        `unsure_label="UNSURE"`; the environment is not read. The default precision is that of a
        `tuning_file`, or of the model's calibration. Settings of what becomes of a record are
        refused.

        Raises:
            SettingsError: a setting is unknown or has a wrong value, or settings conflict.
            ModelError: the model cannot be found or used.
        """
        if not isinstance(model, LoadedModel):
            if not isinstance(model, str | Path):
                kind = type(model).__name__
                raise TypeError(
                    f"the model is of type {kind}; give bundled, a folder, or a name of the hub"
                )
            with in_keywords():
                model = load_model(model_settings(str(model), settings))
        self._model = model
        self._lock = Lock()

    @property
    def info(self) -> ModelInfo:
        """The model, how it runs, and its labels."""
        return self._model.engine.info

    def score(self, texts: Iterable[str], text_format: TextFormat = "plain") -> list[Scored]:
        """What is found for each text, in the same order.

        Markup, quotes and signatures are taken out as `text_format` says, which is that of
        `SENTIMENT_KAFKA__TEXT_FORMAT`. A text of which nothing is left has an unsure reading; the
        stream publishes a dead letter for it.

        Raises:
            TypeError: `texts` is a single string or a whole table, or has an element that is no
                string.
            SettingsError: there is no such format.
            ModelError: the model has stopped working.
        """
        return list(self.score_each(texts, text_format))

    def score_each(
        self, texts: Iterable[str], text_format: TextFormat = "plain"
    ) -> Iterator[Scored]:
        """As `score`, but lazily: holds at most CHUNK_TEXTS texts at a time."""
        _check_is_column(texts)
        if text_format not in get_args(TextFormat):
            forms = ", ".join(get_args(TextFormat))
            raise SettingsError(f"text_format={text_format!r} is none of {forms}; give one of them")
        # Not in this function, so that what is wrong is said before the first text is asked for.
        return self._each(texts, text_format)

    def _each(self, texts: Iterable[str], text_format: TextFormat) -> Iterator[Scored]:
        for chunk in _chunks(_checked(texts)):
            found = [plain_text(text, text_format) for text in chunk]
            with self._lock:
                scored = list(scored_texts([plain.text for plain in found], self._model))
            yield from map(_with_cuts, scored, found)


def _with_cuts(scored: Scored, plain: Plain) -> Scored:
    _, quoted, signature, code = plain
    stats = replace(scored.stats, quoted_chars=quoted, signature_chars=signature, code_chars=code)
    return replace(scored, stats=stats)


def _check_is_column(texts: Any) -> None:
    kind = type(texts).__name__
    if isinstance(texts, str):
        raise TypeError("texts is one text; give a list: [text]")
    # Each would give the names of its columns for texts, as a table of pandas does.
    if isinstance(texts, Mapping) or hasattr(texts, "columns"):
        raise TypeError(f'texts is of type {kind}; give a column of it, like texts["review"]')
    is_many = hasattr(texts, "__iter__") or hasattr(texts, "__getitem__")
    if isinstance(texts, bytes | bytearray) or not is_many:
        raise TypeError(f"texts is of type {kind}; give a list of texts (str)")


def _checked(texts: Iterable[Any]) -> Iterator[str]:
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            kind = type(text).__name__
            raise TypeError(f"texts[{place}] is of type {kind}; only texts (str) can be scored")
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            raise TypeError(f"texts[{place}] has half a surrogate pair, which is no text of UTF-8")
        yield text


def load_model(settings: ModelSettings) -> LoadedModel:
    """Load the model, to score as the stream does on a CPU.

    That is in the precision of the settings, of a tuning file, or else of the model's calibration,
    which is float32 for models of others: a GPU's half precision must be asked for.

    Raises:
        SettingsError, ModelError: as `tuned`, `load_engine` and `load_processing`.
    """
    checkpoint = resolve(settings)
    # No log is set up in commands and notebooks: a warning would be among the results.
    settings = tuned(settings, checkpoint, warns=False)
    if settings.precision == "auto":
        packed = engine_name(settings, checkpoint) == "onnx_packed"
        precision = checkpoint.precision if packed else "float32"
        settings = settings.model_copy(update={"precision": precision})
    _, encoder, reader = load_processing(settings, checkpoint)
    languages = Languages(settings.known_languages, settings.other_languages)
    return LoadedModel(load_engine(settings, checkpoint), encoder, reader, languages)


def score_texts(texts: Iterable[str], model: LoadedModel) -> Iterator[Reading]:
    """Score texts lazily: one reading each, in the same order.

    Raises:
        ModelError: the model has stopped working.
    """
    return (scored.reading for scored in scored_texts(texts, model))


def scored_texts(texts: Iterable[str], model: LoadedModel) -> Iterator[Scored]:
    """As `score_texts`, with the language and the figures of the tokenizer.

    Raises:
        ModelError: the model has stopped working.
    """
    labels = model.engine.info.labels
    for chunk in _chunks(texts):
        inputs = encoded(chunk, model.encoder, model.languages)
        logits = model.logits([text.windows for text in inputs])
        readings = model.reader.read(labels, logits, inputs)
        for text, reading in zip(inputs, readings, strict=True):
            yield Scored(reading, text.language, text.stats)


def logits_of(texts: Iterable[str], model: LoadedModel) -> Iterator[NDArray[np.float32]]:
    """The logits of texts in order, chunk by chunk; shape (texts of the chunk, labels).

    Texts are normalised, cut into windows and joined as for scoring; the logits are not calibrated.

    Raises:
        ModelError: the model has stopped working.
    """
    for chunk in _chunks(texts):
        # Only readings need the language.
        yield model.logits([windows for windows, _ in model.encoder.encode(chunk)])


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(texts)
    while chunk := list(islice(remaining, CHUNK_TEXTS)):
        yield chunk
