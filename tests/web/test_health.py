"""`sentiment-stream health`, asked of a real server, of a silent one, and of none."""

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
async def test_it_says_what_the_service_says(
    flags: tuple[str, ...], alive: str | None, ready: str | None, expected: tuple[int, str]
) -> None:
    """Alive unless asked for ready."""
    assert expected == await _asked(*flags, alive=alive, ready=ready)


def test_nobody_there() -> None:
    """One line, and 1: no traceback every ten seconds in an engine's log."""
    result = CliRunner().invoke(main, ["health", "--http-host", "127.0.0.1", "--http-port", "1"])

    assert 1 == result.exit_code
    assert result.stderr.startswith("error: no answer from 127.0.0.1:1 (")
    assert "" == result.stdout


async def test_who_answers_in_other_words_is_not_well() -> None:
    """Another server has the port."""

    async def other(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nhello")
        writer.close()

    server = await asyncio.start_server(other, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    result = await asyncio.to_thread(CliRunner().invoke, main, ["health", "--http-port", str(port)])
    server.close()

    assert 1 == result.exit_code
    assert "no answer" in result.output


def test_a_port_that_was_left_to_the_system() -> None:
    """It cannot be known here."""
    result = CliRunner().invoke(main, ["health", "--http-port", "0"])

    assert 2 == result.exit_code
    assert "SENTIMENT_HTTP__PORT=0" in result.output
