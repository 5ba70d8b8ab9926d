"""The live page's files and its stream, over a real server on a free port."""

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
from service.web.live import VIEWERS_MAX, WAITING_MAX, Live, Viewer, batch_sizes
from service.web.server import HttpServer
from tools.values import rejected, verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

# More than a beat takes on a busy machine; a state that does not come fails the test.
WAIT_S = 20.0
Event = tuple[str, Any]


class Served:
    """A page on a server, and what feeds it."""

    def __init__(self) -> None:
        """Nothing is published yet."""
        self.feed = Feed(100.0, include_text=True)
        self.metrics = Metrics()
        self.trouble: str | None = None
        self.live = Live(self.feed, self.metrics, lambda: self.trouble, explain=True)
        settings = HttpSettings(host="127.0.0.1", port=0)
        self.server = HttpServer(
            settings, self.metrics, lambda: None, lambda: self.trouble, [self.live]
        )

    def publish(self, count: int = 1) -> None:
        """As the pipeline does, now."""
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
    """The next event of a stream, comments left out; a name of "" where it ended."""
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


async def test_the_page_takes_the_place_of_the_index() -> None:
    """Its files are there, each under its type; nothing inline and nothing from elsewhere runs."""
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


def test_the_files_are_short_and_name_no_other_site() -> None:
    """What a person reads in one go, without a build step; only the namespace of SVG is an URL."""
    for name, content in service.web.live._page_files().items():
        text = content.decode()
        assert text.count("\n") < 300, name
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace("https://…", "")
        assert "innerHTML" not in text


async def test_a_stream_begins_with_all_that_is_remembered() -> None:
    """Who comes later sees what was before, and what the metrics say."""
    async with serving() as (served, client):
        served.publish()
        served.metrics.set_lag({Partition("in", 0): 3, Partition("in", 1): 40})
        served.metrics.assigned_partitions.set(2)
        served.metrics.epoch.set(5)
        served.metrics.set_model(
            ModelInfo("bundled", "sha256:0", "onnx_packed", "float32", "cpu", ("A", "B"))
        )
        served.trouble = "the model is being loaded"
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
                    "trouble": "the model is being loaded",
                    "model": {
                        "name": "bundled", "revision": "sha256:0", "engine": "onnx_packed",
                        "precision": "float32", "device": "cpu",
                    },
                    "labels": ["A", "B"],
                    "partitions": 2, "epoch": 5, "rebalances": 0, "queued": 0, "lag": 43,
                    "lags": [["in/1", 40], ["in/0", 3]],
                },
            }  # fmt: skip


async def test_news_follow_as_they_come() -> None:
    """Messages, dead letters, whole seconds, batches, and what has changed otherwise."""
    async with serving() as (served, client), client.get("/feed") as response:
        assert (await next_event(response))[0] == "snapshot"
        served.publish(2)
        served.feed.published(rejected(Reason.TOMBSTONE), 0.0, asyncio.get_running_loop().time())
        served.metrics.batch_messages.observe(3)
        told: dict[str, list[Any]] = {"messages": [], "letters": [], "seconds": []}
        totals: dict[str, Any] = {}
        while not any(second["batches"] for second in told["seconds"]):
            name, data = await next_event(response)
            assert name == "news"
            totals = data.get("totals", totals)
            for field, known in told.items():
                known.extend(data.get(field, []))
        assert totals == {"labels": {"POSITIVE": 2}, "letters": {"tombstone": 1}}
        assert [message["offset"] for message in told["messages"]] == [0, 1]
        assert [letter["reason"] for letter in told["letters"]] == ["tombstone"]
        assert [s["batches"] for s in told["seconds"] if s["batches"]] == [{"4": 1}]
        served.trouble = "the broker is away"
        assert (await news_with(response, "status"))["trouble"] == "the broker is away"


async def test_all_viewers_get_the_same() -> None:
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


async def test_more_viewers_than_fit_are_told_to_come_later() -> None:
    """And one who leaves makes room."""
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
    """Each is told, and a new one is refused; the server's own bound is not waited for."""
    async with serving() as (served, client), client.get("/feed") as response:
        assert (await next_event(response))[0] == "snapshot"
        await served.live.stop()
        assert [await next_event(response) for _ in range(2)] == [("end", {}), ("", None)]
        async with client.get("/feed") as refused:
            assert refused.status == 503
        await served.live.stop()


async def test_a_viewer_that_does_not_read_gets_a_snapshot_in_the_end() -> None:
    """What waits for one is bounded; who is too far behind begins anew."""
    served = Served()
    viewer = Viewer()
    served.live._viewers.add(viewer)
    for _ in range(WAITING_MAX + 1):
        served.trouble = "yes" if served.trouble is None else None
        served.live._send_news()
    assert viewer.waiting.qsize() == 1
    assert (viewer.waiting.get_nowait() or b"").startswith(b"event: snapshot\n")


async def test_a_silent_stream_has_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies keep the connection, and a viewer that is gone is noticed."""
    monkeypatch.setattr(service.web.live, "HEARTBEAT_S", 0.01)
    async with serving() as (_, client), client.get("/feed") as response:
        async with asyncio.timeout(WAIT_S):
            while await response.content.readline() != b": nothing new\n":
                pass


async def test_nothing_runs_where_nobody_watches() -> None:
    """The task that tells news ends with the last viewer."""
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


def test_batches_are_told_by_size() -> None:
    """The sizes that there were, each with its own count."""
    metrics = Metrics()
    for size in (1, 3, 4, 100):
        metrics.batch_messages.observe(size)
    assert batch_sizes(metrics) == {"1": 1, "4": 2, "128": 1}
