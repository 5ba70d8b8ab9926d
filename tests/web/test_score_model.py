"""`POST /score` on the bundled model: the stream's scores, real clients, and schemathesis."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from service.assembly import WARM_UP_TEXTS, build_prepare
from service.checkpoint.files import resolve
from service.engines import load_engine
from service.observe.metrics import Metrics
from service.records import Verdict
from service.scoring.batch import BatchScorer
from service.scoring.inference import Inference
from service.scoring.processing import load_processing
from service.settings import HttpSettings, Settings
from service.text.language import Languages
from service.web.score_api import ScoreApi
from service.web.server import HttpServer
from tools.score_tools import TEXT_BYTES_MAX, Client
from tools.values import record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from service.text.prepare import PrepareThread

pytestmark = pytest.mark.model

TEXTS = [
    "The new release fixed my sync problem, thank you!",
    "Two hours in the queue and then the desk closes. Never again.",
    "#SoGood 😍 &amp; free @you http://example.org",
    "天気がいい",
    # More than one window, and more than is read.
    "It was a long day, and the food was bad. " * 150,
    "I love it. " * 700,
]


class Service:
    """The threads that score, and an HTTP client for them."""

    def __init__(self, client: Client, prepare: PrepareThread, inference: Inference) -> None:
        """Hold what is running already."""
        self.client, self.prepare, self.inference = client, prepare, inference

    async def of_the_stream(self, texts: list[str]) -> list[Verdict]:
        """The stream's verdicts of texts."""
        records = [record(number, text.encode()) for number, text in enumerate(texts)]
        items: Any = await self.prepare(records)
        verdicts = await self.inference.score(items)
        return [verdict for verdict in verdicts if isinstance(verdict, Verdict)]


@asynccontextmanager
async def _running() -> AsyncIterator[Service]:
    settings = Settings.model_validate({"kafka": {"input_format": "text"}})
    checkpoint = resolve(settings.model)
    calibration, encoder, reader = load_processing(settings.model, checkpoint)
    strict = replace(calibration, thresholds=(0.6,) * len(checkpoint.labels))
    reader = replace(reader, calibration=strict, unsure_label="UNSURE")
    warm_up = encoder.sequences(WARM_UP_TEXTS)
    inference = Inference(
        lambda: load_engine(settings.model, checkpoint), warm_up, BatchScorer(warm_up, reader)
    )
    prepare = build_prepare(settings, encoder, Languages({"en"}, "score"))
    metrics = Metrics()
    api = ScoreApi(metrics, TEXT_BYTES_MAX)
    http = HttpSettings(host="127.0.0.1", port=0)
    server = HttpServer(http, metrics, lambda: None, lambda: None, [api])
    try:
        await inference.start()
        api.open(prepare.encode, inference.score_request)
        await server.start()
        async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
            yield Service(Client(session, server.port, metrics, api), prepare, inference)
    finally:
        await server.stop()
        prepare.close()
        await inference.stop()


async def test_a_text_scores_the_same_as_in_the_stream() -> None:
    """Normalised, in windows, calibrated: label and probabilities are those of its event.

    Their last digits depend on the other texts of the same run.
    """
    async with _running() as service:
        verdicts = await service.of_the_stream(TEXTS)
        short = await service.client.post("/score", {"input_data": TEXTS})
        full = await service.client.post("/score", {"inputs": TEXTS})

    assert (200, len(TEXTS)) == (short[0], len(verdicts))
    for verdict, scored, ranked in zip(verdicts, short[1], full[1], strict=True):
        assert {
            "label": verdict.reading.label,
            "score": pytest.approx(verdict.reading.score, abs=1e-3),
        } == scored
        assert pytest.approx(verdict.reading.scores, abs=1e-3) == {
            r["label"]: r["score"] for r in ranked
        }
    assert len(verdicts[4].document.windows) > 1
    assert verdicts[5].document.stats.truncated
    # In another language, and cut.
    assert ["UNSURE", "UNSURE"] == [short[1][3]["label"], short[1][5]["label"]]


@pytest.mark.parametrize("text", ["Das Essen war wirklich sehr gut, vielen Dank!", "\u200b\u2800"])
async def test_what_the_model_cannot_judge_is_explained_so(text: str) -> None:
    """Another language, and no word; the same as in an event."""
    async with _running() as service:
        (verdict,) = await service.of_the_stream([text])
        status, answer = await service.client.post("/explain", {"text": text})
    assert (200, False, "UNSURE") == (status, answer["confident"], answer["label"])
    assert (False, "UNSURE") == (verdict.reading.confident, verdict.reading.label)


async def test_hugging_faces_client_understands_the_answer() -> None:
    """It takes the first list for the labels of its one text, and shows the error."""
    hub = pytest.importorskip("huggingface_hub")
    async with _running() as service:
        client = hub.InferenceClient(model=service.client.url("/score"))
        found = await asyncio.to_thread(client.text_classification, TEXTS[0])
        with pytest.raises(hub.errors.HfHubHTTPError, match="holds nothing but white space"):
            await asyncio.to_thread(client.text_classification, " ")
        of_two = hub.InferenceClient(model=service.client.url("/score?labels=poles"))
        poles = await asyncio.to_thread(of_two.text_classification, TEXTS[0])

    assert "POSITIVE" == found[0].label
    assert pytest.approx(1) == sum(element.score for element in found)
    assert ["POSITIVE", "NEGATIVE"] == [element.label for element in poles]
    assert pytest.approx(1) == sum(element.score for element in poles)


async def test_the_published_endpoints_sample() -> None:
    """The same two labels, though the bundled model has three."""
    texts = ["Today was an amazing day!", "It was an unfortunate series of events."]
    async with _running() as service:
        body = {"input_data": texts}
        status, answer = await service.client.post("/score?labels=poles", body)
    assert (200, ["POSITIVE", "NEGATIVE"]) == (status, [one["label"] for one in answer])
    assert all(one["score"] > 0.9 for one in answer), answer


async def test_an_explanation_by_the_model() -> None:
    """The words that carry a sentence weigh most; label and score are those of `/score`."""
    text = "The hotel in Kenya was awful."
    async with _running() as service:
        status, answer = await service.client.post("/explain", {"text": text})
        _, [scored] = await service.client.post("/score", {"input_data": [text]})

    assert 200 == status
    assert "NEGATIVE" == max(answer["scores"], key=answer["scores"].__getitem__)
    assert (scored["label"], pytest.approx(scored["score"], abs=1e-3)) == (
        answer["label"],
        answer["score"],
    )
    heaviest = max(answer["words"], key=lambda word: word["weight"])
    assert "awful." == heaviest["text"]
    assert 19 == len(answer["countries"])


async def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    """All its checks, on data that fits the OpenAPI document and on data that does not."""
    async with _running() as service:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "schemathesis.cli", "run", service.client.url("/openapi.json")),
            *("--checks", "all", "--mode", "all", "--max-examples", "60", "--seed", "8"),
            *("--no-color", "--suppress-health-check", "all"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=tmp_path,
        )
        output, _ = await process.communicate()
        counted = service.client.counted("/score", 200), service.client.counted("/score", 422)

    assert 0 == process.returncode, output.decode()[-5000:]
    assert min(counted) > 10, counted
