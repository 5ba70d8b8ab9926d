"""Replicas are killed, frozen, stopped and added under load: nothing lost, doubled or out of order.

A reader that reads committed records sees each message once, and of a list each element; what is
skipped leaves no trace but its committed offset. A frozen replica wakes up when its
partitions belong to another one, and what it then tries to commit must not count.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tools.kafka.mixed import SKIP, assert_each_accounted_for, mixed_messages
from tools.kafka.streams import Stream, tweets
from tools.kafka.topics import committed, end_offsets, produce
from tools.service_process import ServiceProcess, running_service

if TYPE_CHECKING:
    from pathlib import Path

    from tools.kafka.topics import Message

pytestmark = [pytest.mark.kafka, pytest.mark.model]

COUNT = 9000
# The least that brokers allow by default; a frozen replica loses its partitions after it.
SESSION_MS = 6000
WAIT_SECONDS = 200


class Replicas:
    """The replicas of one group, started and ended by name."""

    def __init__(self, folder: Path, stream: Stream, mode: str) -> None:
        """Start none yet."""
        self._folder = folder
        self._settings = stream.settings(
            KAFKA__SESSION_TIMEOUT_MS=str(SESSION_MS), KAFKA__SKIP=SKIP, DELIVERY__MODE=mode
        )
        self._stack = contextlib.ExitStack()
        self._running: dict[str, ServiceProcess] = {}

    async def start(self, name: str) -> None:
        """Start one and wait until it is ready."""
        service = self._stack.enter_context(running_service(self._folder, self._settings))
        await asyncio.to_thread(service.wait_ready)
        self._running[name] = service

    async def end(self, name: str, number: int = signal.SIGTERM) -> int:
        """End one by a signal; gives its exit code."""
        return await asyncio.to_thread(self._running.pop(name).stop, number)

    async def freeze(self, name: str) -> None:
        """Stop one in its tracks for longer than its session, then let it go on."""
        process = self._running[name].process
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(1.5 * SESSION_MS / 1000)
        process.send_signal(signal.SIGCONT)

    def logs(self) -> str:
        """What all replicas have logged."""
        return "\n".join(file.read_text() for file in self._folder.glob("service-*.log"))

    def close(self) -> None:
        """Kill the rest."""
        self._stack.close()


async def under_faults(stream: Stream, replicas: Replicas, messages: list[Message]) -> None:
    """Play messages in parts, with a fault after each."""
    part = len(messages) // 6

    async def play(number: int) -> None:
        chosen = messages[number * part :] if number == 5 else messages[number * part :][:part]
        await produce(stream.bootstrap, stream.input, chosen, idempotent=True)

    await replicas.start("a")
    await play(0)
    await replicas.start("b")
    await play(1)
    await replicas.end("a", signal.SIGKILL)
    await play(2)
    await replicas.start("c")
    await play(3)
    await replicas.freeze("b")
    await play(4)
    assert 0 == await replicas.end("c")
    await replicas.start("d")
    await play(5)
    await asyncio.gather(replicas.freeze("d"), replicas.start("e"))


async def all_committed(stream: Stream) -> None:
    """Wait until the group has committed the ends."""
    ends = await end_offsets(stream.bootstrap, stream.input)
    deadline = time.monotonic() + WAIT_SECONDS
    while (at := await committed(stream.bootstrap, stream.group, stream.input)) != ends:
        assert time.monotonic() < deadline, f"{at} of {ends}"
        await asyncio.sleep(0.5)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", ["exactly_once", "at_least_once"])
async def test_faults(mode: str, stream: Stream, shared_data: Path, tmp_path: Path) -> None:
    """Exactly once: each message once and in order. At least once: none lost, repeats by one id.

    Of lists, skipped records and broken ones too: every offset of the input is accounted for.
    """
    messages = mixed_messages(tweets(shared_data), COUNT)
    replicas = Replicas(tmp_path, stream, mode)
    try:
        await under_faults(stream, replicas, messages)
        await all_committed(stream)
    finally:
        replicas.close()
    await assert_each_accounted_for(stream, exactly_once=mode == "exactly_once")
    # An event that is repeated has the same id.
    events = await stream.events()
    places = {
        (e["origin"]["partition"], e["origin"]["offset"], e["origin"]["index"]) for e in events
    }
    assert len(places) == len({event["id"] for event in events})
