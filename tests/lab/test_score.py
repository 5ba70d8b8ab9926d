"""Scoring lines: one answer for each, in order, whatever it contains."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from service.checkpoint.calibration import Calibration
from service.lab.figures import in_colour, in_json
from service.lab.score import score_lines, score_texts
from service.records import ModelInfo
from service.scoring.readings import LogitsReader
from service.scoring.texts import CHUNK_TEXTS, LoadedModel, load_model
from service.scoring.texts import score_texts as scored_texts
from service.settings import ModelSettings, Settings
from service.text.encoder import TextEncoder
from tools.tiny_model import CountingEngine, CountingThreeEngine, tiny_tokenizer, write_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

INFO = ModelInfo("tiny", "sha256:0", "fake", "float32", "cpu", ("NEGATIVE", "POSITIVE"))
SETTINGS = Settings(model=ModelSettings(text_bytes_max=10_000))


THREE = replace(INFO, labels=("NEGATIVE", "NEUTRAL", "POSITIVE"))


def _model(info: ModelInfo = INFO, reader: LogitsReader | None = None) -> LoadedModel:
    encoder = TextEncoder(tiny_tokenizer(), 64)
    engine = CountingEngine if len(info.labels) == 2 else CountingThreeEngine
    return LoadedModel(engine(info), encoder, reader or LogitsReader())


def _answers(lines: Iterable[bytes]) -> list[dict[str, Any]]:
    out = io.StringIO()
    score_lines(lines, in_json(out), SETTINGS, _model())
    return [json.loads(line) for line in out.getvalue().splitlines()]


def _short(answers: list[dict[str, Any]]) -> list[Any]:
    return [answer.get("label", answer.get("error")) for answer in answers]


def test_answer() -> None:
    """An answer has the likeliest label, its score, and every label's."""
    assert _answers([b"good good film\n"]) == [
        {
            "line": 1,
            "label": "POSITIVE",
            "score": 0.75,
            "scores": {"NEGATIVE": 0.25, "POSITIVE": 0.75},
            "confident": True,
            "language": None,
            "truncated": False,
        }
    ]


def test_answer_of_three_labels() -> None:
    """Neutral is a label like the others; each label has its own threshold."""
    out = io.StringIO()
    model = _model(THREE, LogitsReader(Calibration(thresholds=(0.5, 0.7, 0.5))))
    score_lines([b"film film\n", b"good good"], in_json(out), SETTINGS, model)
    assert [
        {
            "line": 1,
            "label": "NEUTRAL",
            "score": 0.6,
            "scores": {"NEGATIVE": 0.2, "NEUTRAL": 0.6, "POSITIVE": 0.2},
            "confident": False,
            "language": None,
            "truncated": False,
        },
        {
            "line": 2,
            "label": "POSITIVE",
            "score": 0.6,
            "scores": {"NEGATIVE": 0.2, "NEUTRAL": 0.2, "POSITIVE": 0.6},
            "confident": True,
            "language": None,
            "truncated": False,
        },
    ] == [
        {**line, "score": round(line["score"], 6),
         "scores": {k: round(v, 6) for k, v in line["scores"].items()}}
        for line in map(json.loads, out.getvalue().splitlines())
    ]  # fmt: skip


def test_lines_for_a_person() -> None:
    """The label, its score, and the other labels if there are more than two."""
    for info, expected in (
        (THREE, ["POSITIVE 0.500  NEGATIVE 0.250, NEUTRAL 0.250  a good day",
                 "NEUTRAL 0.400  (not confident)  POSITIVE 0.400, NEGATIVE 0.200  good film"]),
        (INFO, ["POSITIVE 0.667  a good day", "POSITIVE 0.667  good film"]),
    ):  # fmt: skip
        console = Console(file=io.StringIO(), width=200)
        model = _model(info, LogitsReader(Calibration(thresholds=(0.5,) * len(info.labels))))
        score_texts(["a good day", "good film", ""], in_colour(console), SETTINGS, model)
        assert isinstance(console.file, io.StringIO)
        lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
        assert [*expected, "text_empty  cannot be scored"] == lines


LINES = [
    (b"a bad day", "NEGATIVE"),
    (b"good\r\n", "POSITIVE"),
    (b'{"text": "good", "id": 7}', "POSITIVE"),
    (b' {"text": "bad"}', "NEGATIVE"),
    (b"{good}", "POSITIVE"),
    (b'{"text": "good"', "POSITIVE"),
    (b'"bad"', "NEGATIVE"),
    (b"\xef\xbb\xbfgood", "POSITIVE"),
    (b"", "text_empty"),
    (b" \t", "text_empty"),
    (b'{"text": ""}', "text_empty"),
    (b"\xff\xfe", "not_utf8"),
    (b'{"text": "\xff"}', "not_utf8"),
    (b'{"message": "good"}', "text_missing"),
    (b'{"text": 5}', "wrong_type"),
    (b'{"text": "\\ud800"}', "lone_surrogate"),
    (b'{"a":' * 1000 + b"1" + b"}" * 1000, "too_deep"),
    (b"good " * 2001, "text_too_large"),
]


@pytest.mark.parametrize(("line", "expected"), LINES)
def test_each_form_of_line(line: bytes, expected: str) -> None:
    """A line is a text or an object; one that cannot be scored has the reason of a dead letter."""
    assert _short(_answers([line])) == [expected]


def test_answers_stay_aligned() -> None:
    """Good and bad lines together: answer n is that of line n."""
    assert _short(_answers([line for line, _ in LINES])) == [expected for _, expected in LINES]


REQUEST = b'{"input_data": ["good", "bad", "", 7]}'
REQUEST_ANSWERS = ["POSITIVE", "NEGATIVE", "text_empty", "wrong_type"]


@pytest.mark.parametrize(
    "request_body",
    [
        REQUEST,
        REQUEST + b"\n",
        json.dumps(json.loads(REQUEST), indent=2).encode(),
        b'{"parameters": {}, ' + REQUEST[1:],
    ],
)
def test_request_of_the_published_endpoint(request_body: bytes) -> None:
    """The whole input is one object, on one or more lines; each element has an answer."""
    assert _short(_answers(io.BytesIO(request_body))) == REQUEST_ANSWERS


def test_request_among_other_lines() -> None:
    """It counts as a request only if it is the whole input, so that answers stay aligned."""
    assert _short(_answers([REQUEST + b"\n", b"good\n"])) == ["text_missing", "POSITIVE"]


def test_brace_on_the_first_line() -> None:
    """A first line that only looks like the start of a request is a text."""
    answers = _short(_answers([b"{\n", b"good\n", b"bad\n"]))
    assert len(answers) == 3
    assert answers[1:] == ["POSITIVE", "NEGATIVE"]


def test_no_input() -> None:
    """No lines give no answers."""
    assert _answers([]) == []


@given(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=20))
def test_any_bytes(lines: list[bytes]) -> None:
    """Each line has one answer, whatever its bytes."""
    assert len(_answers([line + b"\n" for line in lines])) == len(lines)


def test_arguments() -> None:
    """An argument is a text, even if it looks like an object."""
    out = io.StringIO()
    score_texts(
        ['{"text": "bad"} good good', "", "\udcff", "bad"], in_json(out), SETTINGS, _model()
    )
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert _short(answers) == ["POSITIVE", "text_empty", "not_utf8", "NEGATIVE"]


@pytest.mark.parametrize(
    ("form", "answers"),
    [("plain", ["NEGATIVE", "NEGATIVE"]), ("markdown", ["POSITIVE", "text_empty"])],
)
def test_markup_is_taken_out(form: str, answers: list[str]) -> None:
    """As in the stream; a text of which nothing is left has no answer."""
    kafka = SETTINGS.kafka.model_copy(update={"text_format": form})
    settings = SETTINGS.model_copy(update={"kafka": kafka})
    out = io.StringIO()

    score_texts(["> bad bad bad\n\ngood good", "> bad"], in_json(out), settings, _model())

    assert answers == _short([json.loads(line) for line in out.getvalue().splitlines()])


def test_streams() -> None:
    """Answers come a chunk at a time, before the next lines are read."""
    read = 0

    def lines() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield "good"

    first = list(islice(scored_texts(lines(), _model()), CHUNK_TEXTS))
    assert len(first) == CHUNK_TEXTS
    assert read == CHUNK_TEXTS


def test_texts_of_any_length_keep_their_order() -> None:
    """Over more than one chunk."""
    texts = [" ".join(["film"] * (index % 500) + ["good"] * (index % 2)) for index in range(1, 600)]
    model = LoadedModel(CountingEngine(INFO), TextEncoder(tiny_tokenizer(), 512))
    scores = [scored.scores["POSITIVE"] for scored in scored_texts(texts, model)]
    expected = [pytest.approx(2 / 3 if t.endswith("good") else 1 / 2, abs=1e-6) for t in texts]
    assert scores == expected


@pytest.mark.model
def test_loaded_model(tmp_path: Path) -> None:
    """A model from a folder scores in float32 by default."""
    pytest.importorskip("transformers", reason="needs sentiment-stream[torch]")
    model = load_model(ModelSettings(name=str(write_model(tmp_path)), device="cpu"))
    assert model.engine.info.precision == "float32"
    (scored,) = scored_texts(["a good day"], model)
    assert sum(scored.scores.values()) == pytest.approx(1)
    assert scored.score == max(scored.scores.values())
