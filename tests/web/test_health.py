"""`sentiment-stream health` against the real server, another server, and none."""

from __future__ import annotations

import asyncio

import pytest
from click.testing import CliRunner

from service.cli import main
from service.observe.metrics import Metrics
from service.settings import HttpSettings
from service.web.server import HttpServer


async def _asked(
    *flags: str, alive: str | None = None, ready: str | None = None
) -> tuple[int, str]:
    settings = HttpSettings(host="127.0.0.1", port=0)
    server = HttpServer(settings, Metrics(), lambda: alive, lambda: ready)
    await server.start()
    arguments = ["health", "--http-port", str(server.port), *flags]
    result = await asyncio.to_thread(CliRunner().invoke, main, arguments)
    await server.stop()
    return result.exit_code, result.output.strip()


@pytest.mark.parametrize(
    ("flags", "alive", "ready", "expected"),
    [
        ((), None, "joining", (0, "ok")),
        ((), "the model hangs", None, (1, "the model hangs")),
        (("--ready",), None, None, (0, "ok")),
        (("--ready",), None, "joining", (1, "joining")),
    ],
)
async def test_it_prints_the_answer_of_the_service(
    flags: tuple[str, ...], alive: str | None, ready: str | None, expected: tuple[int, str]
) -> None:
    """Liveness by default, readiness with --ready."""
    assert expected == await _asked(*flags, alive=alive, ready=ready)


def test_no_server() -> None:
    """Exit code 1 and one line: a traceback would fill the container engine's log."""
    result = CliRunner().invoke(main, ["health", "--http-host", "127.0.0.1", "--http-port", "1"])

    assert 1 == result.exit_code
    assert result.stderr.startswith("error: no answer from 127.0.0.1:1 (")
    assert "" == result.stdout


async def test_another_server_is_not_healthy() -> None:
    """Which uses the port."""

    async def other(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nhello")
        writer.close()

    server = await asyncio.start_server(other, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    result = await asyncio.to_thread(CliRunner().invoke, main, ["health", "--http-port", str(port)])
    server.close()

    assert 1 == result.exit_code
    assert "no answer" in result.output


def test_a_port_that_the_system_chooses() -> None:
    """It cannot be known to the command."""
    result = CliRunner().invoke(main, ["health", "--http-port", "0"])

    assert 2 == result.exit_code
    assert "SENTIMENT_HTTP__PORT=0" in result.output
