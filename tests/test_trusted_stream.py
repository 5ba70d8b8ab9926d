"""On Kafka: languages, long texts, and scores that the model's folder says how to read."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kafka_tools import Message, produce, read_all
from service.trust import Trust, write_trust
from service_process import running_service

if TYPE_CHECKING:
    from stream_tools import Stream

pytestmark = [pytest.mark.kafka, pytest.mark.model]

MODEL = Path(__file__).resolve().parents[1] / "service" / "model"
ENGLISH = "I really love the new release, thank you!"
FRENCH = "Le service client ne répond jamais au téléphone"
LONG = "The room was clean and the people were kind to us. " * 300
TEMPERATURE = 3.0


def _messages(texts: list[str]) -> list[Message]:
    return [
        Message(key=b"one", value=json.dumps({"id": number, "text": text}).encode(), headers=[])
        for number, text in enumerate(texts)
    ]


def _model(folder: Path, trust: Trust) -> str:
    shutil.copytree(MODEL, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    write_trust(folder, trust)
    return str(folder)


async def _events(stream: Stream, tmp_path: Path, count: int, **more: str) -> list[dict[str, Any]]:
    with running_service(tmp_path, stream.settings(**more)) as service:
        await stream.wait_published(service, count)
    return sorted(await stream.events(), key=lambda event: int(event["source_id"]))


async def test_what_the_folder_says_reaches_the_events(stream: Stream, tmp_path: Path) -> None:
    """Temperature, threshold and normaliser; a long text in windows, and what of it is not read."""
    folders = [
        _model(tmp_path / "calibrated", Trust(1, TEMPERATURE, thresholds=(0.999, 0.999))),
        _model(tmp_path / "plain", Trust(1)),
    ]
    texts = [ENGLISH, LONG, ENGLISH, "#SoGood 😂"]
    await produce(stream.bootstrap, stream.input, _messages(texts))
    events: list[dict[str, Any]] = []
    for number, folder in enumerate(folders):
        events = await _events(
            stream,
            tmp_path,
            len(texts),
            KAFKA__GROUP_ID=f"{stream.group}-{number}",
            MODEL__NAME=folder,
            MODEL__UNSURE_LABEL="NEUTRAL",
            MODEL__TEXT_TOKENS_MAX="1500",
        )
    calibrated, plain = (
        [event for event in events if event["model"]["name"] == name]
        for name in ("calibrated", "plain")
    )

    for event, raw in zip(calibrated, plain, strict=True):
        assert (False, "NEUTRAL") == (event["confident"], event["label"])
        assert (True, 0) == (raw["confident"], raw["text_stats"]["unknown_share"])
        odds = {n: math.log(s / (1 - s)) for n, s in raw["scores"].items() if 0 < s < 1}
        for name, share in odds.items():
            assert pytest.approx(share / TEMPERATURE, abs=0.02) == math.log(
                event["scores"][name] / (1 - event["scores"][name])
            )
    stats = calibrated[1]["text_stats"]
    assert (1500, True) == (stats["tokens"], stats["truncated"])
    assert stats["windows"] > 2


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
