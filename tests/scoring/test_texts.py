"""The public class that scores texts in Python: the stream's readings, and clear errors."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import sentiment_stream
from sentiment_stream import ModelInfo, Scored, Scorer, SettingsError
from service.checkpoint.files import resolve
from service.records import Document, Message, Verdict
from service.scoring.batch import BatchScorer
from service.scoring.processing import load_processing
from service.scoring.texts import CHUNK_TEXTS, LoadedModel, load_model
from service.settings import ModelSettings
from service.text.encoder import TextEncoder
from tools.tiny_model import CountingEngine, tiny_tokenizer
from tools.values import record

TEXTS = [
    "Everything arrived in time, thank you!",
    "charged twice, nobody answers",
    "see gate 4",
    "",
]
INFO = ModelInfo("m", "r", "e", "float32", "cpu", ("negative", "positive"))


def counting() -> Scorer:
    """A scorer with a model that counts words."""
    return Scorer(LoadedModel(CountingEngine(INFO), TextEncoder(tiny_tokenizer(), 64)))


def test_the_public_names() -> None:
    """Users depend on them."""
    names = [
        "ModelError", "ModelInfo", "Reading", "Scored", "Scorer", "ServiceError", "SettingsError",
        "TextStats",
    ]  # fmt: skip
    assert names == sentiment_stream.__all__


def test_readings_are_those_of_the_stream() -> None:
    """The bundled model, as the inference thread runs it; an empty text is not confident."""
    readings = Scorer().score(TEXTS)

    settings = ModelSettings()
    _, encoder, reader = load_processing(settings, resolve(settings))
    model = load_model(settings)
    encoded = [encoder.encode([text])[0] for text in TEXTS]
    documents = [
        Document(Message(record(), text, {}), windows, stats)
        for text, (windows, stats) in zip(TEXTS, encoded, strict=True)
    ]
    outcomes = BatchScorer(([0, 1],), reader).score(model.engine, documents)
    for reading, outcome in zip(readings, outcomes, strict=True):
        assert isinstance(outcome, Verdict)
        assert pytest.approx(outcome.reading.scores, abs=1e-6) == reading.scores
        assert (outcome.reading.label, outcome.reading.confident) == (
            reading.label, reading.confident,
        )  # fmt: skip
    assert ["POSITIVE", "NEGATIVE"] == [reading.label for reading in readings[:2]]
    assert not readings[3].confident


def test_settings_are_those_of_the_service() -> None:
    """With their names; the error of a wrong one has one line."""
    scorer = Scorer("bundled", precision="int8")
    assert ("int8", ("NEGATIVE", "NEUTRAL", "POSITIVE")) == (
        scorer.info.precision, scorer.info.labels,
    )  # fmt: skip
    for wrong in ({"precision": "int3"}, {"precison": "int8"}):
        with pytest.raises(SettingsError, match=next(iter(wrong))) as found:
            Scorer("bundled", **wrong)
        assert "\n" not in str(found.value)
    with pytest.raises(sentiment_stream.ServiceError, match="gone"):
        Scorer(Path("/gone/away"))


def test_any_number_of_texts_in_order() -> None:
    """Also none; an iterator is read at most one chunk ahead."""
    taken = 0

    def texts() -> object:
        nonlocal taken
        for number in range(3 * CHUNK_TEXTS):
            taken += 1
            yield "good " * (number % 3) + "bad"

    assert [] == counting().score([])
    readings = counting().score_each(texts())  # type: ignore[arg-type] # an iterator of texts
    first = next(readings)
    assert isinstance(first, Scored)
    assert CHUNK_TEXTS == taken
    rest = [reading.scores["positive"] for reading in readings]
    assert [1 / 2, 2 / 3] == pytest.approx(rest[:2], abs=0.2)
    assert 3 * CHUNK_TEXTS - 1 == len(rest)


def test_an_element_that_is_no_text_is_named() -> None:
    """And a single text in place of a list is refused."""
    with pytest.raises(TypeError, match=r"\[text\]"):
        counting().score("good")
    with pytest.raises(TypeError, match=r"texts\[1\] is of type float"):
        counting().score(["good", float("nan")])  # type: ignore[list-item] # an empty cell of a table
    with pytest.raises(TypeError, match=r"texts\[1\] has half a surrogate pair"):
        counting().score(["good", "caf\udce9"])  # as `errors="surrogateescape"` reads Latin-1


def test_threads_may_share_one() -> None:
    """They take turns, because a tokenizer is for one thread at a time."""
    scorer = counting()
    found: list[int] = []

    def many() -> None:
        found.append(len(scorer.score(["good bad"] * 300)))

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [300] * 4 == found
