"""A live page whose feed a test fills: any labels, any number of outcomes, and no model.

The page's server runs on its own thread, since Playwright needs the main one. Outcomes are
published to the feed as the pipeline does it. May not start a broker or a service.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from service.observe.drift import DriftWindow
from service.observe.feed import Feed
from service.observe.metrics import Metrics
from service.records import Message, ModelInfo, Reading, Unscored, Verdict
from service.settings import HttpSettings
from service.stream.counts import OutcomeCounts
from service.web.live import Live
from service.web.server import HttpServer
from tools.values import record, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

WAIT_S = 20.0
REPEAT_S = 0.4


class FedPage:
    """A page of a model with these labels; `tell` may be called from any thread."""

    def __init__(self, labels: Sequence[str], *, explain: bool) -> None:
        """Start without messages; with `explain` the page has its box, and a test answers it."""
        metrics = Metrics()
        self._feed = Feed(100.0, include_text=True)
        self._counts = OutcomeCounts(metrics, DriftWindow(), 0.1, self._feed)
        self.live = Live(self._feed, metrics, lambda: None, explain=explain)
        settings = HttpSettings(host="127.0.0.1", port=0)
        self.server = HttpServer(settings, metrics, lambda: None, lambda: None, [self.live])
        self.loop = asyncio.new_event_loop()
        self._repeating: list[Future[None]] = []
        metrics.set_model(ModelInfo("fed", "0", "scripted", "float32", "cpu", tuple(labels)))

    def tell(
        self, text: str, label: str | None, score: float = 0.9, *, confident: bool | None = True,
        ago_s: float = 0.0,
    ) -> None:  # fmt: skip
        """Publish a message, now or `ago_s` seconds ago; call it in the order of their times."""
        scored, at = _scored(text, label, score, confident, ago_s)
        done = threading.Event()

        def publish() -> None:
            self._counts.published(scored, time.time() - ago_s, at)
            done.set()

        self.loop.call_soon_threadsafe(publish)
        assert done.wait(WAIT_S)

    def repeat(self, labels: Sequence[tuple[str, bool]]) -> None:
        """Publish messages with these labels, confident or not, repeatedly until the end.

        All messages of a round are in the same second, so that shares are those of the round.
        """
        self._repeating.append(asyncio.run_coroutine_threadsafe(self._repeat(labels), self.loop))

    async def _repeat(self, labels: Sequence[tuple[str, bool]]) -> None:
        while True:
            at = time.monotonic()
            for label, confident in labels:
                scored, _ = _scored(f"One more {label}.", label, 0.9, confident, 0.0)
                self._counts.published(scored, time.time(), at)
            await asyncio.sleep(REPEAT_S)

    async def serve(self) -> None:
        """Start the server."""
        await self.server.start()

    async def end(self) -> None:
        """Stop publishing, all streams and the server."""
        for repeating in self._repeating:
            repeating.cancel()
        await self.live.stop()
        await self.server.stop()


def _scored(
    text: str, label: str | None, score: float, confident: bool | None, ago_s: float
) -> tuple[Verdict | Unscored, float]:
    at = time.monotonic() - ago_s
    message = Message(replace(record(), polled_at=at - 0.02), text, {"source": "survey"})
    if label is None or confident is None:
        return Unscored(message, "en"), at
    document = replace(verdict().document, message=message, language="en")
    return Verdict(document, Reading(label, score, {label: score}, confident)), at


@contextmanager
def fed_page(labels: Sequence[str], *, explain: bool = False) -> Iterator[FedPage]:
    """Serve a page for a model with these labels."""
    page = FedPage(labels, explain=explain)
    thread = threading.Thread(target=page.loop.run_forever, name="page", daemon=True)
    thread.start()

    def done(work: object) -> None:
        asyncio.run_coroutine_threadsafe(work, page.loop).result(WAIT_S)  # type: ignore[arg-type]

    done(page.serve())
    try:
        yield page
    finally:
        done(page.end())
        page.loop.call_soon_threadsafe(page.loop.stop)
        thread.join(WAIT_S)
        page.loop.close()
