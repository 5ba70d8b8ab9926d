"""The live page over HTTP: its files, and the event stream with its data.

The stream consists of server-sent events: first a `snapshot`, then `news` on each beat that has
something new. News are serialised once for all viewers. A viewer that does not keep up loses its
queued events and gets a new snapshot. All data comes from `feed` and the metrics.
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

# Each viewer costs a connection and a few writes a second.
VIEWERS_MAX = 16
# Events queued for a viewer: four seconds of news. One that is further behind gets a snapshot.
QUEUED_MAX = 8
# Shorter than the idle timeout of proxies, commonly 30 or 60 s.
HEARTBEAT_S = 15.0
# A viewer to whom nothing can be written for this long is disconnected.
WRITE_TIMEOUT_S = 10.0
# How long a page waits before it reconnects: a restart takes seconds, and viewers are few.
RETRY_MS = 1000
# Partitions whose lag is listed, the largest lags first.
PARTITIONS_MAX = 32

_TYPES = {"css": "text/css", "html": "text/html", "js": "text/javascript", "svg": "image/svg+xml"}
_HEADERS = {
    # No inline code, nothing from other sites, and no way to turn a string into markup.
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
    """The queue of one viewer: bounded; None marks the end of the stream."""

    def __init__(self) -> None:
        """Start with an empty queue."""
        self.queued: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUED_MAX)

    def offer(self, event: bytes) -> bool:
        """Queue an event; False if the queue is full."""
        with contextlib.suppress(asyncio.QueueFull):
            self.queued.put_nowait(event)
            return True
        return False

    def replace(self, event: bytes | None) -> None:
        """Drop all queued events and queue this one."""
        while not self.queued.empty():
            self.queued.get_nowait()
        self.queued.put_nowait(event)


class Live:
    """The page and its stream, as a part of the HTTP server.

    `not_ready` returns the reason why the service is not ready in one line, or None. `explain` is
    whether the server serves `POST /explain`, which the box of the page uses.
    """

    def __init__(
        self, feed: Feed, metrics: Metrics, not_ready: Callable[[], str | None], *, explain: bool
    ) -> None:
        """Start nothing; the first viewer starts the beat."""
        self._explain = explain
        self._feed = feed
        self._metrics = metrics
        self._not_ready = not_ready
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
        """End all streams and refuse new ones; may be called twice."""
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
            # Proxies must not buffer or compress the stream.
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
            await _write_events(viewer, response)
        except (ConnectionError, TimeoutError):  # the viewer is gone, or reads no more
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._viewers.discard(viewer)
        return response

    def _join(self) -> Viewer:
        """Add a viewer, whose first event is a snapshot; the next news continue from it."""
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
            "not_ready": self._not_ready(),
            "model": next((s.labels for s in _samples(metrics.model_info)), None),
            # The model's labels come first, in its order, by which the page assigns colours.
            "labels": [s.labels["label"] for s in _samples(metrics.scored)][:LABELS_MAX],
            "partitions": _value(metrics.assigned_partitions),
            "epoch": _value(metrics.epoch),
            "rebalances": _value(metrics.rebalances),
            "queued": _value(metrics.queued_records),
            "lag": sum(records for _, records in lags),
            "lags": sorted(lags, key=lambda lag: (-lag[1], lag[0]))[:PARTITIONS_MAX],
        }


async def _write_events(viewer: Viewer, response: web.StreamResponse) -> None:
    while True:
        event: bytes | None = b": nothing new\n\n"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT_S):
                event = await viewer.queued.get()
        async with asyncio.timeout(WRITE_TIMEOUT_S):
            await response.write(_event("end", {}) if event is None else event)
        if event is None:
            return


def _event(name: str, data: _Json) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def batch_sizes(metrics: Metrics) -> dict[str, int]:
    """Batches since the start, by the upper bound of their size in messages."""
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
