"""The live page over HTTP: its files, and the stream of what it shows.

A stream is server-sent events: a `snapshot` when it begins, then a `news` each beat in which there
is something new. What is the same for all viewers is written once; a viewer that does not keep up
loses what waits for it and gets a snapshot instead. Says only what `feed` and the metrics know.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from importlib import resources
from typing import TYPE_CHECKING, Any

from aiohttp import web

from service.observe.feed import BEAT_S, LABELS_MAX
from service.observe.metrics import service_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aiohttp.typedefs import Handler
    from prometheus_client.metrics import MetricWrapperBase
    from prometheus_client.samples import Sample

    from service.observe.feed import Feed
    from service.observe.metrics import Metrics

# One service is watched by a few people; each costs a connection and some writes a second.
VIEWERS_MAX = 16
# Four seconds of news: who is further behind wants a new picture, not an old film.
WAITING_MAX = 8
# Sooner than proxies give a silent connection up, commonly after a minute or half of one.
HEARTBEAT_S = 15.0
# A viewer whose buffers take nothing for so long is gone.
WRITE_TIMEOUT_S = 10.0
# How long a page waits before it asks again: a restart takes seconds, and viewers are few.
RETRY_MS = 1000
# Partitions whose lag is named, the largest first.
PARTITIONS_MAX = 32

_TYPES = {"css": "text/css", "html": "text/html", "js": "text/javascript", "svg": "image/svg+xml"}
_HEADERS = {
    # Nothing inline, nothing from elsewhere, and no way to turn a text into markup.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_Json = dict[str, Any]


class Viewer:
    """What waits for one viewer: bounded, and None where there is no more to come."""

    def __init__(self) -> None:
        """Begin with nothing waiting."""
        self.waiting: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING_MAX)

    def offer(self, event: bytes) -> bool:
        """Let it wait, if there is room."""
        with contextlib.suppress(asyncio.QueueFull):
            self.waiting.put_nowait(event)
            return True
        return False

    def replace(self, event: bytes | None) -> None:
        """Let it wait instead of all that waits."""
        while not self.waiting.empty():
            self.waiting.get_nowait()
        self.waiting.put_nowait(event)


class Live:
    """The page and its stream, as a part of the HTTP server.

    `ready` returns None when all is well, else the reason in one line; `explain` says whether the
    server answers `POST /explain`, which the page's box asks.
    """

    def __init__(
        self, feed: Feed, metrics: Metrics, ready: Callable[[], str | None], *, explain: bool
    ) -> None:
        """Nothing runs before the first viewer comes."""
        self._explain = explain
        self._feed = feed
        self._metrics = metrics
        self._ready = ready
        self._viewers: set[Viewer] = set()
        self._beating: asyncio.Task[None] | None = None
        self._status: _Json = {}
        self._stopped = False

    def routes(self) -> list[web.RouteDef]:
        """The page, its files and the stream."""
        files = [
            web.get("/" if name == "index.html" else f"/page/{name}", _serving(name, content))
            for name, content in _page_files().items()
        ]
        return [*files, web.get("/feed", self._stream, allow_head=False)]

    async def stop(self) -> None:
        """End all streams; may be called twice. New ones are refused from here on."""
        self._stopped = True
        for viewer in self._viewers:
            viewer.replace(None)
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if self._stopped or len(self._viewers) >= VIEWERS_MAX:
            reason = "stopping" if self._stopped else f"there are {VIEWERS_MAX} viewers already"
            return web.json_response(
                {"status": "unavailable", "reason": reason},
                status=503,
                headers={"Retry-After": "5"},
            )
        response = web.StreamResponse(
            # Proxies shall pass on what comes, and not gather or compress it.
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-store, no-transform",
                "X-Accel-Buffering": "no",
                "X-Content-Type-Options": "nosniff",
                "Cross-Origin-Resource-Policy": "same-origin",
            }
        )
        viewer = self._join()
        try:
            await response.prepare(request)
            await response.write(b"retry: %d\n\n" % RETRY_MS)
            await _pass_on(viewer, response)
        except (ConnectionError, TimeoutError):  # it went, or takes nothing any more
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._viewers.discard(viewer)
        return response

    def _join(self) -> Viewer:
        """A new viewer, whose first event is a snapshot that the next news follow on."""
        self._send_news()
        viewer = Viewer()
        viewer.replace(self._snapshot())
        self._viewers.add(viewer)
        if self._beating is None or self._beating.done():
            self._beating = asyncio.create_task(self._beat(), name="feed")
        return viewer

    async def _beat(self) -> None:
        while self._viewers:
            await asyncio.sleep(BEAT_S)
            self._send_news()

    def _send_news(self) -> None:
        now = time.monotonic()
        self._feed.batches(batch_sizes(self._metrics), now)
        news = {name: new for name, new in self._feed.take(now).items() if new}
        status = self._read_status()
        if status != self._status:
            news["status"] = self._status = status
        if "seconds" in news:
            news["totals"] = self._feed.totals()
        if not (news and self._viewers):
            return
        event = _event("news", {"now": now, **news})
        for viewer in self._viewers:
            if not viewer.offer(event):
                viewer.replace(self._snapshot())

    def _snapshot(self) -> bytes:
        return _event(
            "snapshot",
            {
                "now": time.monotonic(),
                "version": service_version(),
                "budget_ms": self._feed.budget_ms,
                "include_text": self._feed.include_text,
                "explain": self._explain,
                "status": self._status,
                "totals": self._feed.totals(),
                **self._feed.snapshot(),
            },
        )

    def _read_status(self) -> _Json:
        metrics = self._metrics
        lags = [
            (f"{sample.labels['topic']}/{sample.labels['partition']}", int(sample.value))
            for sample in _samples(metrics.lag_records)
        ]
        return {
            "trouble": self._ready(),
            "model": next((s.labels for s in _samples(metrics.model_info)), None),
            # The model's own come first, in its order, by which the page gives them colours.
            "labels": [s.labels["label"] for s in _samples(metrics.scored)][:LABELS_MAX],
            "partitions": _value(metrics.assigned_partitions),
            "epoch": _value(metrics.epoch),
            "rebalances": _value(metrics.rebalances),
            "queued": _value(metrics.queued_records),
            "lag": sum(records for _, records in lags),
            "lags": sorted(lags, key=lambda lag: (-lag[1], lag[0]))[:PARTITIONS_MAX],
        }


async def _pass_on(viewer: Viewer, response: web.StreamResponse) -> None:
    while True:
        event: bytes | None = b": nothing new\n\n"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT_S):
                event = await viewer.waiting.get()
        async with asyncio.timeout(WRITE_TIMEOUT_S):
            await response.write(_event("end", {}) if event is None else event)
        if event is None:
            return


def _event(name: str, data: _Json) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def batch_sizes(metrics: Metrics) -> dict[str, int]:
    """How many batches there were so far, by the most messages that their size class has."""
    sizes, below = {}, 0
    for sample in _samples(metrics.batch_messages):
        if sample.name.endswith("_bucket"):
            bound, count = sample.labels["le"].removesuffix(".0"), int(sample.value)
            if count > below:
                sizes[bound] = count - below
            below = count
    return sizes


def _samples(metric: MetricWrapperBase) -> Iterable[Sample]:
    return (sample for family in metric.collect() for sample in family.samples)


def _value(metric: MetricWrapperBase) -> int:
    return int(next(iter(_samples(metric))).value)


def _page_files() -> dict[str, bytes]:
    files = resources.files("service.web.page").iterdir()
    return {f.name: f.read_bytes() for f in files if f.name.rpartition(".")[2] in _TYPES}


def _serving(name: str, content: bytes) -> Handler:
    kind = _TYPES[name.rpartition(".")[2]]

    async def serve(_request: web.Request) -> web.Response:
        return web.Response(body=content, content_type=kind, charset="utf-8", headers=_HEADERS)

    return serve
