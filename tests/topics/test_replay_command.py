"""`sentiment-stream replay` before it reads: what it refuses, and what it says while it waits."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from typing import TYPE_CHECKING, Self

import pytest
from click.testing import CliRunner
from rich.console import Console

from service.cli import main
from service.errors import BrokerError, ExitCode
from service.settings import KafkaSettings
from service.topics import replay as replay_module
from service.topics.replay import Replayed, Selection, replay

if TYPE_CHECKING:
    from collections.abc import Sequence

# 2026-11-01T00:00Z.
NOVEMBER_MS = 1_793_491_200_000


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["--first-offset", "5", "--last-offset", "2"],
            "--first-offset 5 is behind --last-offset 2; change one of them",
        ),
        (
            ["--since", "2026-11-02", "--until", "2026-11-01T12:00Z"],
            "--since is not before --until; change one of them",
        ),
        (["--partition", "-1"], "invalid value for '--partition': -1 is not in the range x>=0"),
        (["--first-offset", "-1"], "invalid value for '--first-offset': -1 is not in the range"),
        (
            ["--until", "2026-11-31"],
            "invalid value for '--until': '2026-11-31' is no time; give one like 2026-11-01T00:00Z",
        ),
    ],
)
def test_what_selects_nothing_is_refused(arguments: Sequence[str], told: str) -> None:
    """At once: no broker is asked."""
    done = CliRunner().invoke(main, ["replay", *arguments])
    assert (ExitCode.USAGE, "") == (done.exit_code, done.stdout)
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {told}")


@pytest.mark.parametrize(
    "time",
    [
        "2026-11-01T00:00Z",
        "2026-11-01",
        "2026-11-01T00:00:00",
        "2026-11-01 00:00:00",
        "2026-11-01T01:00+01:00",
    ],
)
def test_times_are_those_of_a_backfill(monkeypatch: pytest.MonkeyPatch, time: str) -> None:
    """UTC without a zone; the other conditions arrive in their places."""
    asked: list[Selection] = []

    async def replayed(_: KafkaSettings, selection: Selection, *__: object, send: bool) -> Replayed:
        assert not send
        asked.append(selection)
        return Replayed(Counter(), 0)

    monkeypatch.setattr(replay_module, "replay", replayed)
    place = ["--partition", "1", "--first-offset", "2", "--last-offset", "2"]
    done = CliRunner().invoke(
        main, ["replay", "--since", time, "--until", "2026-11-02", *place, "--reason", "not_json"]
    )
    assert 0 == done.exit_code, done.stderr
    day_ms = 24 * 3600 * 1000
    expected = Selection(frozenset({"not_json"}), NOVEMBER_MS, NOVEMBER_MS + day_ms, 1, 2, 2)
    assert [expected] == asked


async def test_a_wait_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A topic that is not there is looked for long; whoever waits is told for what."""
    told = asyncio.Event()

    class Out(io.StringIO):
        def flush(self) -> None:
            told.set()

    class Slow:
        def __init__(self, *_: object) -> None:
            """Ask nobody."""

        async def __aenter__(self) -> Self:
            await told.wait()
            raise BrokerError("there is no such topic; create it")

        async def __aexit__(self, *_: object) -> None:
            """Leave nothing."""

    monkeypatch.setattr(replay_module, "Letters", Slow)
    monkeypatch.setattr(replay_module, "SILENT_S", 0)
    settings = KafkaSettings(bootstrap_servers="a:9092", dead_letter_topic="dead")
    out = Out()
    with pytest.raises(BrokerError):
        await replay(settings, Selection(), Console(file=out, width=200), send=False)
    assert "still waiting for a:9092: looking for the topic dead\n" == out.getvalue()
