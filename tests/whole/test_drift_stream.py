"""Drift in a running service on real Kafka: the metrics move when the input does, not before."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from service.checkpoint.calibration import Reference, read_calibration, write_calibration
from service.checkpoint.files import BUNDLED_FOLDER
from service.observe.drift import TOKEN_EDGES
from service.scoring.texts import load_model, score_texts
from service.settings import ModelSettings
from tools.kafka.streams import WAIT_SECONDS, good_messages, tweets
from tools.kafka.topics import Message, produce
from tools.service_process import running_service

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tools.kafka.streams import Stream
    from tools.service_process import ServiceProcess

pytestmark = [pytest.mark.kafka, pytest.mark.model]

RECORDS = 1000
LIKE, UNLIKE = 0.1, 0.25


def _model_with_reference(folder: Path, texts: Sequence[str]) -> Path:
    """The bundled model, with a reference of these texts in English beside its weights."""
    shutil.copytree(BUNDLED_FOLDER, folder)
    model = load_model(ModelSettings(name=str(folder)))
    found = [scored.scores for scored in score_texts(texts, model)]
    scores = [shares["POSITIVE"] for shares in found]
    likeliest = Counter(max(shares, key=shares.__getitem__) for shares in found)
    stats = [stats for _, stats in model.encoder.encode(list(texts))]
    tenths, bins = [0] * 10, [0] * (len(TOKEN_EDGES) + 1)
    for score, stat in zip(scores, stats, strict=True):
        tenths[min(9, int(score * 10))] += 1
        bins[sum(stat.tokens > edge for edge in TOKEN_EDGES)] += 1
    reference = Reference(
        scores=tuple(count / len(texts) for count in tenths),
        tokens=tuple(count / len(texts) for count in bins),
        unknown=sum(s.unknown_share for s in stats) / len(stats),
        languages={"en": 1.0},
        labels={label: count / len(texts) for label, count in likeliest.items()},
    )
    kept = read_calibration(folder, len(found[0]))
    values = {name: getattr(kept, name) for name in kept.__slots__}
    write_calibration(folder, type(kept)(**values | {"reference": reference}))
    return folder


async def _drift_records(service: ServiceProcess, least: int) -> None:
    """Wait until the metrics are of so many records at least; they are told every two seconds."""
    deadline = time.monotonic() + WAIT_SECONDS
    while service.metric("sentiment_drift_records") < least:
        assert time.monotonic() < deadline, service.log()[-3000:]
        await asyncio.sleep(0.1)


def _index(service: ServiceProcess, of: str) -> float:
    return service.metric("sentiment_drift_index", of=of)


async def test_drift_moves_with_the_input(
    stream: Stream, shared_data: Path, tmp_path: Path
) -> None:
    """First tweets like those of the reference, then long complaints full of unknown signs."""
    texts = tweets(shared_data)
    folder = _model_with_reference(tmp_path / "model", texts[::4])
    alike = list(islice((t for n, t in enumerate(texts) if n % 4 == 1), RECORDS))
    await produce(stream.bootstrap, stream.input, good_messages(alike, RECORDS))
    with running_service(tmp_path, stream.settings(MODEL__NAME=str(folder))) as service:
        await _drift_records(service, RECORDS)
        before = {of: _index(service, of) for of in ("scores", "labels", "tokens", "unknown")}
        unknown, long = (service.metric(f"sentiment_{n}_share") for n in ("unknown", "long"))
        assert {} == {of: index for of, index in before.items() if index >= LIKE}
        assert 0 < before["scores"] + before["tokens"]

        # Few different ones, every fourth longer than a window: a repeat costs the model nothing.
        sign = "\u16a0\u16a2 terrible, awful. "
        worse = [sign * (150 if n % 4 == 0 else 5 + n % 3) for n in range(3 * RECORDS)]
        values = [json.dumps({"id": n, "text": text}).encode() for n, text in enumerate(worse)]
        await produce(stream.bootstrap, stream.input, [Message(value=value) for value in values])
        await _drift_records(service, 4 * RECORDS)
        after = {of: _index(service, of) for of in before}
        assert {} == {of: index for of, index in after.items() if index <= UNLIKE}
        assert service.metric("sentiment_unknown_share") > unknown + 0.1
        assert service.metric("sentiment_long_share") > long + 0.1
        assert service.stop() == 0


async def test_no_index_without_a_reference(
    stream: Stream, shared_data: Path, tmp_path: Path
) -> None:
    """A model that brings none: the shares are told, and no index is made up."""
    folder = shutil.copytree(BUNDLED_FOLDER, tmp_path / "model")
    (folder / "sentiment.json").unlink(missing_ok=True)
    await produce(stream.bootstrap, stream.input, good_messages(tweets(shared_data), 600))
    with running_service(tmp_path, stream.settings(MODEL__NAME=str(folder))) as service:
        await _drift_records(service, 600)
        shown = service.get("/metrics")[1].splitlines()
        assert [] == [line for line in shown if line.startswith("sentiment_drift_index{")]
        assert [] != [line for line in shown if line.startswith("sentiment_language_share{")]
        assert service.stop() == 0
