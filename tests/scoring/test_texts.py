"""The public class that scores texts in Python: the stream's readings, and clear errors."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pandas as pd
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
NO_COMMIT = (
    "model=nope is no folder here, and a model of the hub needs its commit, so that every replica "
    "runs the same weights; set revision= to it"
)
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


@pytest.mark.parametrize(
    ("model", "keywords", "message"),
    [
        ("bundled", {"precison": "int8"}, "precison is no setting; did you mean precision?"),
        ("bundled", {"colour": 1}, "colour is no setting; give one of name, revision, device, "),
        (
            "bundled",
            {"precision": "int3"},
            "precision='int3': give auto, float32, bfloat16, float16 or int8",
        ),
        ("bundled", {"threads": "many"}, "threads='many': give a whole number from 0 to 1024"),
        (
            "bundled",
            {"calibration_file": Path("none.json")},
            "calibration_file='none.json': give the path of a file that exists",
        ),
        ("", {}, "model='': give a text that is not empty"),
        ("bundled", {"name": ""}, "name='': give a text that is not empty"),
        ("bundled", {"revision": "0123456"}, "revision=0123456 is for models of the hub, but "),
        ("nope", {}, NO_COMMIT),
        ("bundled", {"other_languages": "pass"}, "other_languages='pass' is for the stream alone"),
        ("bundled", {"text_bytes_max": 10}, "text_bytes_max=10 is for the stream alone: "),
        ("bundled", {"repeats_max": 0}, "repeats_max=0 is for the stream alone: "),
        ("bundled", {"languages": ["x" * 200]}, "languages=['" + "x" * 98 + "…: give codes sep"),
    ],
)  # fmt: skip
def test_a_wrong_keyword_is_named(model: str, keywords: dict[str, Any], message: str) -> None:
    """In one line with its value and what to give: no variables, and nothing of pydantic's."""
    with pytest.raises(SettingsError) as found:
        Scorer(model, **keywords)
    assert str(found.value).startswith(message)
    assert "\n" not in str(found.value)
    assert "SENTIMENT_" not in str(found.value)


def test_what_is_no_model_is_refused() -> None:
    """It would be looked for as a folder of that name."""
    with pytest.raises(TypeError, match="the model is of type NoneType; give bundled, a folder"):
        Scorer(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (pd.DataFrame({"review": ["good"]}), r"is of type DataFrame; give a column of it, lik"),
        ({"review": ["good"]}, r'is of type dict; give a column of it, like texts\["review"\]'),
        (None, r"is of type NoneType; give a list of texts \(str\)"),
        (7, r"is of type int; give a list of texts \(str\)"),
        (b"good", r"is of type bytes; give a list of texts \(str\)"),
    ],
)
def test_what_is_no_column_is_refused(texts: Any, message: str) -> None:
    """At the call, not at the first text: a table would give the names of its columns."""
    for call in (counting().score, counting().score_each):
        with pytest.raises(TypeError, match=message):
            call(texts)


def test_a_column_may_be_of_any_kind() -> None:
    """Of pandas or numpy, a tuple, or keys of what was read."""
    frame = pd.DataFrame({"review": ["good", "bad"]})
    for texts in (frame["review"], frame["review"].to_numpy(), ("good", "bad"), {"good": 1}.keys()):
        assert counting().score(texts)[0].label == "positive"
    with pytest.raises(SettingsError, match="text_format='htm' is none of plain, html"):
        counting().score_each(["good"], text_format="htm")  # type: ignore[arg-type]


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
