"""The live page's files and its event stream, over a real server on a free port."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

import service.web.live
from service.observe.feed import BEAT_S, Feed
from service.observe.metrics import Metrics, service_version
from service.records import ModelInfo, Partition, Reason
from service.settings import HttpSettings
from service.web.live import QUEUED_MAX, VIEWERS_MAX, Live, Viewer, batch_sizes
from service.web.server import HttpServer
from tools.values import rejected, verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

# Longer than a beat takes on a busy machine; the test fails if an event does not come in time.
WAIT_S = 20.0
Event = tuple[str, Any]


class Served:
    """A page on a server, with its feed and metrics."""

    def __init__(self) -> None:
        """Start without any message."""
        self.feed = Feed(100.0, include_text=True)
        self.metrics = Metrics()
        self.not_ready: str | None = None
        self.live = Live(self.feed, self.metrics, lambda: self.not_ready, explain=True)
        settings = HttpSettings(host="127.0.0.1", port=0)
        self.server = HttpServer(
            settings, self.metrics, lambda: None, lambda: self.not_ready, [self.live]
        )

    def publish(self, count: int = 1) -> None:
        """Publish outcomes now, as the pipeline does."""
        for number in range(count):
            loop = asyncio.get_running_loop()
            self.feed.published(verdict(number), 1_700_000_000.0, loop.time())


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Served, aiohttp.ClientSession]]:
    """A server with the page, and a client of it."""
    served = Served()
    await served.server.start()
    base = f"http://127.0.0.1:{served.server.port}"
    try:
        async with aiohttp.ClientSession(base) as client:
            yield served, client
    finally:
        await served.live.stop()
        await served.server.stop()


async def next_event(response: aiohttp.ClientResponse) -> Event:
    """The next event of a stream, without comments; its name is "" at the end."""
    name = ""
    async with asyncio.timeout(WAIT_S):
        while line := (await response.content.readline()).decode():
            if line.startswith("event: "):
                name = line.removeprefix("event: ").strip()
            elif line.startswith("data: "):
                return name, json.loads(line.removeprefix("data: "))
    return "", None


async def news_with(response: aiohttp.ClientResponse, field: str) -> Any:
    """That field of the next news that has it."""
    while True:
        name, data = await next_event(response)
        assert name == "news"
        if field in data:
            return data[field]


async def test_the_page_replaces_the_index() -> None:
    """Its files have their types; inline code and code from other sites may not run."""
    async with serving() as (_, client):
        async with client.get("/") as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == "text/html; charset=utf-8"
            policy = response.headers["Content-Security-Policy"]
            page = await response.text()
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        for path, kind in (
            ("page/page.js", "text/javascript"),
            ("page/page.css", "text/css"),
            ("page/icon.svg", "image/svg+xml"),
        ):
            assert path in page
            async with client.get(f"/{path}") as response:
                assert (response.status, response.content_type) == (200, kind)
                assert response.headers["X-Content-Type-Options"] == "nosniff"
        for path in ("/page/", "/page/__init__.py", "/page/../live.py", "/page/index.html"):
            async with client.get(path) as response:
                assert response.status == 404


def test_the_files_are_short_and_refer_to_no_other_site() -> None:
    """Under 300 lines, without a build step; the only URL is the SVG namespace."""
    for name, content in service.web.live._page_files().items():
        text = content.decode()
        assert text.count("\n") < 300, name
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace("https://…", "")
        assert "innerHTML" not in text


async def test_a_stream_starts_with_a_snapshot() -> None:
    """A late viewer gets the recent data and the state in the metrics."""
    async with serving() as (served, client):
        served.publish()
        served.metrics.set_lag({Partition("in", 0): 3, Partition("in", 1): 40}, {})
        served.metrics.assigned_partitions.set(2)
        served.metrics.epoch.set(5)
        served.metrics.set_model(
            ModelInfo("bundled", "sha256:0", "onnx_packed", "float32", "cpu", ("A", "B"), "AVX2")
        )
        served.not_ready = "the model is being loaded"
        async with client.get("/feed") as response:
            assert response.content_type == "text/event-stream"
            assert await response.content.readline() == b"retry: 1000\n"
            name, data = await next_event(response)
            assert name == "snapshot"
            del data["now"]
            fields = ("seconds", "messages", "letters")
            assert {field: type(data.pop(field)) for field in fields} == dict.fromkeys(fields, list)
            assert data == {
                "version": service_version(),
                "budget_ms": 100.0,
                "include_text": True,
                "explain": True,
                "totals": {"labels": {}, "letters": {}},
                "status": {
                    "not_ready": "the model is being loaded",
                    "model": {
                        "name": "bundled", "revision": "sha256:0", "engine": "onnx_packed",
                        "precision": "float32", "device": "cpu", "kernel": "AVX2",
                    },
                    "labels": ["A", "B"],
                    "partitions": 2, "epoch": 5, "rebalances": 0, "queued": 0, "lag": 43,
                    "lags": [["in/1", 40], ["in/0", 3]],
                },
            }  # fmt: skip


async def test_news_follow_the_snapshot() -> None:
    """Messages, dead letters, completed seconds, batches, and a changed status."""
    async with serving() as (served, client), client.get("/feed") as response:
        assert (await next_event(response))[0] == "snapshot"
        served.publish(2)
        served.feed.published(rejected(Reason.TOMBSTONE), 0.0, asyncio.get_running_loop().time())
        served.metrics.batch_messages.observe(3)
        received: dict[str, list[Any]] = {"messages": [], "letters": [], "seconds": []}
        totals: dict[str, Any] = {}
        while not any(second["batches"] for second in received["seconds"]):
            name, data = await next_event(response)
            assert name == "news"
            totals = data.get("totals", totals)
            for field, known in received.items():
                known.extend(data.get(field, []))
        assert totals == {"labels": {"POSITIVE": 2}, "letters": {"tombstone": 1}}
        assert [message["offset"] for message in received["messages"]] == [0, 1]
        assert [letter["reason"] for letter in received["letters"]] == ["tombstone"]
        assert [s["batches"] for s in received["seconds"] if s["batches"]] == [{"4": 1}]
        served.not_ready = "the broker is away"
        assert (await news_with(response, "status"))["not_ready"] == "the broker is away"


async def test_all_viewers_get_the_same_news() -> None:
    """A second viewer takes nothing away from the first."""
    async with (
        serving() as (served, client),
        client.get("/feed") as first,
        client.get("/feed") as second,
    ):
        for viewer in (first, second):
            assert (await next_event(viewer))[0] == "snapshot"
        served.publish()
        for viewer in (first, second):
            assert [m["text"] for m in await news_with(viewer, "messages")] == ["fine"]


async def test_too_many_viewers_are_refused() -> None:
    """Until one leaves."""
    async with serving() as (served, client):
        viewers = [await client.get("/feed") for _ in range(VIEWERS_MAX)]
        async with client.get("/feed") as response:
            assert response.status == 503
            assert response.headers["Retry-After"] == "5"
            assert "viewers" in (await response.json())["reason"]
        viewers[0].close()
        async with asyncio.timeout(WAIT_S):
            while len(served.live._viewers) == VIEWERS_MAX:
                served.publish()
                await asyncio.sleep(BEAT_S)
        async with client.get("/feed") as response:
            assert response.status == 200
        for viewer in viewers:
            viewer.close()


async def test_a_stop_ends_all_streams() -> None:
    """Each gets an end event, and new viewers are refused."""
    async with serving() as (served, client), client.get("/feed") as response:
        assert (await next_event(response))[0] == "snapshot"
        await served.live.stop()
        assert [await next_event(response) for _ in range(2)] == [("end", {}), ("", None)]
        async with client.get("/feed") as refused:
            assert refused.status == 503
        await served.live.stop()


async def test_a_viewer_that_does_not_read_gets_a_snapshot() -> None:
    """Its queue is bounded, and a snapshot replaces a full one."""
    served = Served()
    viewer = Viewer()
    served.live._viewers.add(viewer)
    for _ in range(QUEUED_MAX + 1):
        served.not_ready = "yes" if served.not_ready is None else None
        served.live._send_news()
    assert viewer.queued.qsize() == 1
    assert (viewer.queued.get_nowait() or b"").startswith(b"event: snapshot\n")


async def test_a_silent_stream_has_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that proxies keep the connection, and viewers that are gone are detected."""
    monkeypatch.setattr(service.web.live, "HEARTBEAT_S", 0.01)
    async with serving() as (_, client), client.get("/feed") as response:
        async with asyncio.timeout(WAIT_S):
            while await response.content.readline() != b": nothing new\n":
                pass


async def test_nothing_runs_without_viewers() -> None:
    """The task that sends news ends with the last viewer."""
    async with serving() as (served, client):
        assert served.live._beating is None
        async with client.get("/feed") as response:
            assert (await next_event(response))[0] == "snapshot"
            beating = served.live._beating
            assert beating is not None
        async with asyncio.timeout(WAIT_S):
            while not beating.done():
                served.publish()
                await asyncio.sleep(0.01)


def test_batches_are_counted_by_size() -> None:
    """Each size class that occurred, with its own count."""
    metrics = Metrics()
    for size in (1, 3, 4, 100):
        metrics.batch_messages.observe(size)
    assert batch_sizes(metrics) == {"1": 1, "4": 2, "128": 1}
