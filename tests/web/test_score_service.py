"""`POST /score` in the whole service: off by default, independent of Kafka, after the stream."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from service.app import Service
from service.settings import Settings
from tools.pipeline_tools import Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

README = (Path(__file__).parents[2] / "schemas" / "README.md").read_text(encoding="utf-8")
# An address without a broker.
NO_BROKER = {"bootstrap_servers": "127.0.0.1:1"}


@asynccontextmanager
async def _running(**http: Any) -> AsyncIterator[aiohttp.ClientSession]:
    settings = Settings.model_validate(
        {"kafka": NO_BROKER, "http": {"host": "127.0.0.1", "port": 0, **http}}
    )
    service = Service(settings)
    running = asyncio.create_task(service.run())
    try:
        async with asyncio.timeout(60):
            while not service.http_port and not running.done():  # noqa: ASYNC110 - see above
                await asyncio.sleep(0.01)
        async with aiohttp.ClientSession(f"http://127.0.0.1:{service.http_port}") as session:
            yield session
    finally:
        service.request_stop()
        await running


async def _post(session: aiohttp.ClientSession, path: str, body: Any) -> tuple[int, Any]:
    async with session.post(path, json=body) as response:
        return response.status, await response.json()


@pytest.mark.model
async def test_it_is_off_by_default() -> None:
    """So are its documentation and the live page."""
    async with _running() as session:
        assert 404 == (await _post(session, "/score", {"inputs": "a"}))[0]
        async with session.get("/") as response:
            assert ["/", "/livez", "/readyz", "/metrics"] == (await response.json())["paths"]


@pytest.mark.model
async def test_it_needs_no_broker_and_answers_as_the_page_says() -> None:
    """503 while the model is loaded; then the answers that schemas/README.md shows."""
    section = README.partition("\n## Asking for a score\n")[2].partition("\n## ")[0]
    commands = re.findall(r"localhost:8080(/[\w?=]+)'? -d '(.*)'", section)
    answers = [json.loads(line) for line in re.findall(r"^    (\[.*\])$", section, re.MULTILINE)]
    async with _running(score=True) as session:
        async with asyncio.timeout(120):
            while (await _post(session, "/score", {"inputs": "a"}))[0] == 503:  # noqa: ASYNC110 - asks
                await asyncio.sleep(0.05)
        found = [await _post(session, path, json.loads(body)) for path, body in commands]
        async with session.get("/readyz") as response:
            assert 503 == response.status

    assert [200] * 4 == [status for status, _ in found]
    assert [_rounded(answer) for answer in answers] == [_rounded(body) for _, body in found[:3]]
    assert 19 == len(found[3][1]["countries"])


def _rounded(value: Any) -> Any:
    """In int8 a last digit decides how a number is rounded, and processors differ in it."""
    match value:
        case float():
            return pytest.approx(value, abs=0.03)
        case list():
            return [_rounded(item) for item in value]
        case dict():
            return {key: _rounded(item) for key, item in value.items()}
    return value


async def test_the_stream_waits_while_it_has_something_for_the_model() -> None:
    """On the model or in the batcher; no HTTP request is scored then."""
    service, stream = Service(Settings.model_validate({"kafka": NO_BROKER})), Stream()
    assert not service._stream_waits()
    service._pipeline = stream.pipeline
    stream.scorer.hold()
    async with stream.running():
        assert not service._stream_waits()
        stream.produce(1)
        await stream.scorer.busy.wait()
        stream.clock.now = 1.0
        assert service._stream_waits()
        stream.produce(1, first=1)
        await stream.until(lambda: len(stream.batcher) > 0)
        stream.clock.now = 0.0
        assert service._stream_waits()
        stream.scorer.release()
        await stream.settled()
        assert not service._stream_waits()
