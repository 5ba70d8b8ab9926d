"""On Kafka: languages, long texts, and scores that the model's folder says how to read."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from service.checkpoint.calibration import Calibration, write_calibration
from tools.kafka.topics import Message, produce, read_all
from tools.service_process import running_service

if TYPE_CHECKING:
    from tools.kafka.streams import Stream

pytestmark = [pytest.mark.kafka, pytest.mark.model]

MODEL = Path(__file__).resolve().parents[2] / "service" / "model"
ENGLISH = "I really love the new release, thank you!"
FRENCH = "Le service client ne répond jamais au téléphone"
LONG = "The room was clean and the people were kind to us. " * 300
TEMPERATURE = 3.0


def _messages(texts: list[str]) -> list[Message]:
    return [
        Message(key=b"one", value=json.dumps({"id": number, "text": text}).encode(), headers=[])
        for number, text in enumerate(texts)
    ]


def _model(folder: Path, calibration: Calibration) -> str:
    shutil.copytree(MODEL, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    write_calibration(folder, calibration)
    return str(folder)


async def _events(stream: Stream, tmp_path: Path, count: int, **more: str) -> list[dict[str, Any]]:
    with running_service(tmp_path, stream.settings(**more)) as service:
        await stream.wait_published(service, count)
    return sorted(await stream.events(), key=lambda event: int(event["source_id"]))


async def test_what_the_folder_says_reaches_the_events(stream: Stream, tmp_path: Path) -> None:
    """Temperature, thresholds and normaliser; a long text in windows, and what is not read of it.

    Nothing is confident below its threshold; and without thresholds only what the model can judge:
    no text that is cut, in another language, or without a word.
    """
    never = (0.9999,) * len(_labels())
    models = [
        (Calibration(1, TEMPERATURE, thresholds=never), {"MODEL__UNSURE_LABEL": "UNSURE"}),
        (Calibration(1), {}),
    ]
    texts = [ENGLISH, LONG, ENGLISH, "#SoGood 😂", FRENCH, "\u200b\u2800", FRENCH]
    await produce(stream.bootstrap, stream.input, _messages(texts))
    events: list[dict[str, Any]] = []
    for number, (calibration, more) in enumerate(models):
        events = await _events(
            stream,
            tmp_path,
            len(texts),
            KAFKA__GROUP_ID=f"{stream.group}-{number}",
            MODEL__NAME=_model(tmp_path / f"model-{number}", calibration),
            MODEL__TEXT_TOKENS_MAX="1500",
            **more,
        )
    calibrated, plain = (
        [event for event in events if event["model"]["name"] == f"model-{number}"]
        for number in range(2)
    )

    assert [(False, "UNSURE")] * len(texts) == [(e["confident"], e["label"]) for e in calibrated]
    judged = [True, False, True, True, False, False, False]
    assert judged == [event["confident"] for event in plain]
    assert {True} == {event["label"] in _labels() for event in plain}
    for event, raw in zip(calibrated, plain, strict=True):
        assert pytest.approx(_log_odds(raw) / TEMPERATURE, abs=0.02) == _log_odds(event)
    assert 0 == calibrated[3]["text_stats"]["unknown_share"]
    stats = calibrated[1]["text_stats"]
    assert (1500, True) == (stats["tokens"], stats["truncated"])
    assert stats["windows"] > 2


def _labels() -> list[str]:
    config = json.loads((MODEL / "config.json").read_text())
    return list(config["id2label"].values())


def _log_odds(event: dict[str, Any]) -> float:
    """Of the last label against the first."""
    first, *_, last = event["scores"].values()
    return math.log(last / first)


@pytest.mark.parametrize("policy", ["score", "dead_letter", "pass"])
async def test_texts_in_other_languages(stream: Stream, tmp_path: Path, policy: str) -> None:
    """Scored and named, dead letters, or events without a score; the others are as ever."""
    texts = [ENGLISH, FRENCH, "ok", FRENCH, ENGLISH]
    await produce(stream.bootstrap, stream.input, _messages(texts))
    count = 3 if policy == "dead_letter" else 5
    events = await _events(stream, tmp_path, count, MODEL__OTHER_LANGUAGES=policy)
    letters = await read_all(stream.bootstrap, stream.letters)

    french = [event for event in events if event["source_id"] in (1, 3)]
    others = [event for event in events if event not in french]
    assert [("en", True), (None, True), ("en", True)] == [
        (event["language"], event["score"] > 0.5) for event in others
    ]
    reasons = [dict(letter.headers)["sentiment.errors.reason"] for letter in letters]
    assert [b"other_language"] * (2 if policy == "dead_letter" else 0) == reasons
    assert [("fr", policy == "score")] * (0 if policy == "dead_letter" else 2) == [
        (event["language"], event["label"] is not None) for event in french
    ]
