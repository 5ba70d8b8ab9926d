"""Probes and scrapes over a real server on a free port."""

from __future__ import annotations

import asyncio
import errno
import gzip
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web

import service.web.server
from service.errors import SettingsError
from service.observe.metrics import Metrics, service_version
from service.settings import HttpSettings
from service.web.server import HttpServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Health:
    """The state that the server reports."""

    def __init__(self) -> None:
        """Start alive and ready."""
        self.alive: str | None = None
        self.ready: str | None = None


def _server(health: Health, metrics: Metrics | None = None, port: int = 0) -> HttpServer:
    settings = HttpSettings(host="127.0.0.1", port=port)
    return HttpServer(settings, metrics or Metrics(), lambda: health.alive, lambda: health.ready)


@asynccontextmanager
async def _running(
    health: Health, metrics: Metrics | None = None
) -> AsyncIterator[aiohttp.ClientSession]:
    server = _server(health, metrics)
    await server.start()
    base = f"http://127.0.0.1:{server.port}"
    session = aiohttp.ClientSession(
        base, auto_decompress=False, skip_auto_headers=["Accept-Encoding"]
    )
    try:
        async with session:
            yield session
    finally:
        await server.stop()


@pytest.mark.parametrize(("path", "field"), [("/livez", "alive"), ("/readyz", "ready")])
async def test_probes_answer_with_status_and_reason(path: str, field: str) -> None:
    """Each probe follows its own callable, from one request to the next."""
    health = Health()
    async with _running(health) as client:
        async with client.get(path) as response:
            assert (response.status, await response.json()) == (200, {"status": "ok"})
            assert response.headers["Cache-Control"] == "no-store"
        setattr(health, field, "no partitions assigned yet")
        async with client.get(path) as response:
            assert response.status == 503
            assert await response.json() == {
                "status": "unavailable",
                "reason": "no partitions assigned yet",
            }
        other = "/readyz" if path == "/livez" else "/livez"
        async with client.get(other) as response:
            assert response.status == 200
        async with client.head(path) as response:
            assert (response.status, await response.read()) == (503, b"")


async def test_metrics_are_exposed_with_their_content_type() -> None:
    """Plain text by default, uncompressed, as Prometheus reads it."""
    metrics = Metrics()
    metrics.published.inc(3)
    async with _running(Health(), metrics) as client, client.get("/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert "Content-Encoding" not in response.headers
        assert "\nsentiment_published_total 3.0\n" in await response.text()


async def test_metrics_as_open_metrics() -> None:
    """If the client accepts it, with its content type and end mark."""
    headers = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
    async with _running(Health()) as client, client.get("/metrics", headers=headers) as response:
        content_type = response.headers["Content-Type"]
        assert content_type.startswith("application/openmetrics-text; version=1.0.0")
        assert (await response.text()).endswith("# EOF\n")


async def test_metrics_are_compressed_if_accepted() -> None:
    """Prometheus accepts gzip; other codings in the header do not matter."""
    headers = {"Accept-Encoding": "deflate, gzip"}
    async with _running(Health()) as client, client.get("/metrics", headers=headers) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert b"sentiment_epoch 0.0" in gzip.decompress(await response.read())


async def test_the_ready_metric_agrees_with_the_probe() -> None:
    """It is set at every scrape."""
    health = Health()
    async with _running(health) as client:
        async with client.get("/metrics") as response:
            assert "\nsentiment_ready 1.0\n" in await response.text()
        health.ready = "draining"
        async with client.get("/metrics") as response:
            assert "\nsentiment_ready 0.0\n" in await response.text()


async def test_the_index_lists_the_paths() -> None:
    """And each of them is served."""
    async with _running(Health()) as client:
        async with client.get("/") as response:
            index = await response.json()
        assert index == {
            "name": "sentiment-stream",
            "version": service_version(),
            "paths": ["/", "/livez", "/readyz", "/metrics"],
        }
        for path in index["paths"]:
            async with client.get(path) as response:
                assert response.status == 200


def _off(path: str, setting: str) -> str:
    return f"the paths are / /livez /readyz /metrics; {setting}=true switches {path} on"


@pytest.mark.parametrize(
    ("method", "path", "status", "word", "reason"),
    [
        ("GET", "/metrics/", 404, "not found", "the paths are / /livez /readyz /metrics"),
        ("GET", "/../etc/passwd", 404, "not found", "the paths are / /livez /readyz /metrics"),
        ("POST", "/score", 404, "not found", _off("/score", "SENTIMENT_HTTP__SCORE")),
        ("GET", "/docs", 404, "not found", _off("/docs", "SENTIMENT_HTTP__SCORE")),
        ("GET", "/feed", 404, "not found", _off("/feed", "SENTIMENT_HTTP__PAGE")),
        ("POST", "/livez", 405, "method not allowed", "/livez takes GET or HEAD"),
    ],
)
async def test_other_requests_are_refused_as_json(
    method: str, path: str, status: int, word: str, reason: str
) -> None:
    """The JSON body lists the paths, or the methods of this path; no header reveals versions."""
    body = {"status": word, "reason": reason}
    async with _running(Health()) as client, client.request(method, path) as response:
        assert (response.status, await response.json()) == (status, body)
        assert "Server" not in response.headers
        if status == 405:
            assert response.headers["Allow"] == "GET,HEAD"


class _Page:
    """A part with a page and a path that accepts bodies."""

    def routes(self) -> list[web.RouteDef]:
        """See `server.Part`."""
        return [web.get("/", self._page), web.post("/take", self._take)]

    async def _page(self, _request: web.Request) -> web.Response:
        return web.Response(text="page", headers={"Cache-Control": "max-age=60"})

    async def _take(self, request: web.Request) -> web.Response:
        size = 0
        async for chunk in request.content.iter_any():
            size += len(chunk)
        return web.Response(text=str(size))


async def test_parts_are_served_with_the_probes() -> None:
    """A part's `GET /` replaces the index, and its other paths are listed in a 404.

    It may read larger bodies than the probes do, and set its own Cache-Control.
    """
    settings = HttpSettings(host="127.0.0.1", port=0)
    server = HttpServer(settings, Metrics(), lambda: None, lambda: None, [_Page()])
    await server.start()
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as client:
            async with client.get("/") as response:
                assert "page" == await response.text()
                assert "max-age=60" == response.headers["Cache-Control"]
            async with client.post("/take", data=b"x" * 100_000) as response:
                assert "100000" == await response.text()
            async with client.get("/livez") as response:
                assert response.status == 200
            async with client.get("/more") as response:
                reason = (await response.json())["reason"]
    finally:
        await server.stop()
    assert "the paths are /livez /readyz /metrics / /take" == reason


async def _answered(sent: bytes) -> bytes:
    server = _server(Health())
    await server.start()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(sent)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    finally:
        await server.stop()
    return answer


async def test_a_body_is_not_waited_for() -> None:
    """A client that declares a gigabyte is answered at once and disconnected."""
    head = b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nabc"
    assert (await _answered(head)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"GET / HTTP/9.9\r\n\r\n", "BadStatusLine"),
        (b"GET / HTTP/1.1\r\nno header\r\n\r\n", "BadHttpMessage"),
        (b"GET http://[ HTTP/1.1\r\n\r\n", "InvalidURLError"),
    ],
)
async def test_invalid_http_is_logged_in_one_line(
    sent: bytes, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a traceback, since it is an error of the client."""
    caplog.set_level(logging.INFO)
    assert (await _answered(sent)).startswith(b"HTTP/1.0 400 ")
    [line] = caplog.records
    assert ("INFO", None) == (line.levelname, line.exc_info)
    assert f"Error handling request from 127.0.0.1: {error}" == line.getMessage()


async def test_a_defect_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """The client only gets a 500."""
    health = Health()
    del health.alive
    async with _running(health) as client, client.get("/livez") as response:
        assert response.status == 500
    [line] = caplog.records
    assert line.exc_info is not None
    assert ("ERROR", AttributeError) == (line.levelname, line.exc_info[0])


async def test_a_port_in_use_names_the_setting_and_the_remedy() -> None:
    """As with two services on one machine."""
    first = _server(Health())
    await first.start()
    try:
        second = _server(Health(), port=first.port)
        with pytest.raises(SettingsError) as caught:
            await second.start()
        await second.stop()
    finally:
        await first.stop()
    assert str(caught.value) == (
        f"SENTIMENT_HTTP__PORT={first.port} is in use on 127.0.0.1; set another one (0 for any "
        "free port), or stop the process that uses it"
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "x" * 64])
async def test_a_host_of_another_machine_names_the_setting(host: str) -> None:
    """In one line, like a port in use."""
    server = HttpServer(HttpSettings(host=host, port=0), Metrics(), lambda: None, lambda: None)
    with pytest.raises(SettingsError, match=rf"^SENTIMENT_HTTP__HOST={host} cannot be listened on"):
        await server.start()


def test_a_forbidden_port_names_the_setting() -> None:
    """Ports below 1024 need a capability that a container without root does not have."""
    error = service.web.server._cannot_listen(
        HttpSettings(port=80), PermissionError(errno.EACCES, "denied")
    )
    expected = "SENTIMENT_HTTP__PORT=80 is not permitted for this user; set one above 1023"
    assert str(error) == expected


async def test_stop_may_be_called_twice_or_first() -> None:
    """The port is closed after it, and the server can be started again."""
    server = _server(Health())
    await server.stop()
    await server.start()
    assert server.port > 0
    await server.stop()
    await server.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", server.port)
    await server.start()
    await server.stop()
