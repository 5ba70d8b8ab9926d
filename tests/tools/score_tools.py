"""A server with `POST /score` on a model that is made up, and a client for it."""

from __future__ import annotations

import io
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

from service.observe.metrics import Metrics
from service.records import Encoded, Reading, TextStats
from service.settings import HttpSettings
from service.web.score_api import ScoreApi
from service.web.server import HttpServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

TEXT_BYTES_MAX = 20_000
JSON = {"Content-Type": "application/json"}


class MadeUpModel:
    """One token a word, and two marks; the more letters, the more positive."""

    def __init__(self, labels: tuple[str, ...] = ("negative", "positive")) -> None:
        """Have two labels, or three with the middle one half as likely as not."""
        self.labels = labels
        self.error: Exception | None = None
        self.runs: list[list[str]] = []

    async def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """See `PrepareThread.encode`."""
        self.runs.append(list(texts))
        return [_encoded(text) for text in texts]

    async def score(self, texts: Sequence[Encoded]) -> list[Reading]:
        """See `Inference.score_request`."""
        if self.error is not None:
            raise self.error
        return [self.reading(sum(text.windows[0])) for text in texts]

    def reading(self, letters: int) -> Reading:
        """Of a text with so many letters; the label of one that is rather bad is none of these."""
        positive = min(letters, 100) / 100
        first, *middle, last = self.labels
        part = 0.5 if middle else 1
        scores = {first: part * (1 - positive), **dict.fromkeys(middle, 0.5), last: part * positive}
        label = max(scores, key=scores.__getitem__) if positive >= 0.5 else "unsure"
        return Reading(label, max(scores.values()), scores, positive >= 0.5)


def _encoded(text: str) -> Encoded:
    ids = [0, *map(len, text.split()), 0]
    return Encoded((ids,), TextStats(len(ids), truncated=False, windows=1, unknown_share=0), None)


class Client:
    """Posts to a running server."""

    def __init__(
        self, session: aiohttp.ClientSession, port: int, metrics: Metrics, api: ScoreApi
    ) -> None:
        """Take over what is open."""
        self.session, self.port, self.metrics, self.api = session, port, metrics, api

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        """Status and answer; bytes go as they are, all else as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.session.post(path, data=io.BytesIO(raw), headers=JSON) as response:
            return response.status, await response.json()

    def url(self, path: str) -> str:
        """Where others find a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def counted(self, path: str, status: int) -> float:
        """How many such answers were counted."""
        labels = {"path": path, "status": str(status)}
        return self.metrics.registry.get_sample_value("sentiment_score_requests_total", labels) or 0


@asynccontextmanager
async def asking(model: MadeUpModel | None) -> AsyncIterator[Client]:
    """A client of a server whose model is there, or is still being loaded."""
    metrics = Metrics()
    api = ScoreApi(metrics, TEXT_BYTES_MAX)
    if model is not None:
        api.open(model.encode, model.score)
    settings = HttpSettings(host="127.0.0.1", port=0)
    server = HttpServer(settings, metrics, lambda: None, lambda: None, [api])
    await server.start()
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
            yield Client(session, server.port, metrics, api)
    finally:
        await server.stop()
