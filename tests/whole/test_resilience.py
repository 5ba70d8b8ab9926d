"""The running service while Kafka is away: it says so, loses nothing, and can still be stopped."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tools.kafka.broker import Broker
from tools.kafka.topics import Message, committed, create_topic, end_offsets, produce, read_all
from tools.service_process import ServiceProcess, running_service

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tools.kafka.broker import JarBroker

WAIT_SECONDS = 60
# Longer than the session and the transactions last, so that both are lost; a killed broker takes
# some more seconds to start.
PAUSED_SECONDS, KILLED_SECONDS = 12, 9
SESSION_MS = 6000
DRAIN_SECONDS = 3
# What leaving the group and closing the connections may take when nobody answers.
CLOSE_SECONDS = 10
BEFORE, AFTER = 400, 100

kafka = pytest.mark.kafka
model = pytest.mark.model


@pytest.fixture
def settings(jar_broker: JarBroker) -> dict[str, str]:
    """Create the topics; gives the settings of a service that loses its membership soon."""
    for topic in ("in", "out", "dead"):
        create_topic(Broker(jar_broker.bootstrap_servers, "jars"), topic, 2, {})
    return {
        "KAFKA__BOOTSTRAP_SERVERS": jar_broker.bootstrap_servers,
        "KAFKA__INPUT_TOPIC": "in",
        "KAFKA__OUTPUT_TOPIC": "out",
        "KAFKA__DEAD_LETTER_TOPIC": "dead",
        "KAFKA__GROUP_ID": "group",
        "KAFKA__SESSION_TIMEOUT_MS": str(SESSION_MS),
        "DELIVERY__DRAIN_TIMEOUT_S": str(DRAIN_SECONDS),
        # Small, so that many publications are under way when the broker goes.
        "BATCH__RECORDS_MAX": "8",
    }


async def write(broker: JarBroker, count: int, first: int = 0) -> None:
    """Produce good messages with a running id."""
    messages = [
        Message(b"%d" % number, json.dumps({"id": number, "text": f"a fine day {number}"}).encode())
        for number in range(first, first + count)
    ]
    await produce(broker.bootstrap_servers, "in", messages, idempotent=True)


async def wait_until(service: ServiceProcess, condition: Callable[[], bool]) -> None:
    """Wait for something of the service, which has to be alive all the while."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert service.get("/livez")[0] == 200, service.log()[-3000:]
        assert time.monotonic() < deadline, service.log()[-3000:]
        await asyncio.sleep(0.1)


async def wait_committed(service: ServiceProcess, broker: JarBroker) -> None:
    """Wait until all of the input is published."""
    ends = await end_offsets(broker.bootstrap_servers, "in")
    deadline = time.monotonic() + WAIT_SECONDS
    while await committed(broker.bootstrap_servers, "group", "in") != ends:
        assert time.monotonic() < deadline, service.log()[-3000:]
        await asyncio.sleep(0.2)


def ready(service: ServiceProcess) -> bool:
    """Whether it says that it is ready."""
    return service.get("/readyz")[0] == 200


def not_ready(service: ServiceProcess) -> bool:
    """Whether it says that it is not, and why."""
    status, reason = service.get("/readyz")
    assert status in (200, 503)
    assert status == 200 or reason.strip()
    return status == 503


@kafka
@model
@pytest.mark.parametrize(
    ("how", "away_seconds"), [("paused", PAUSED_SECONDS), ("killed", KILLED_SECONDS)]
)
async def test_a_broker_goes_and_comes_back(
    jar_broker: JarBroker, settings: dict[str, str], tmp_path: Path, how: str, away_seconds: float
) -> None:
    """The service stays alive, is not ready meanwhile, and every message comes out, once."""
    leave, come_back = {
        "paused": (jar_broker.pause, jar_broker.resume),
        "killed": (jar_broker.kill, jar_broker.start),
    }[how]
    with running_service(tmp_path, settings) as service:
        service.wait_ready()
        await write(jar_broker, BEFORE)
        await wait_until(service, lambda: service.metric("sentiment_published_total") > 20)
        leave()
        back_at = time.monotonic() + away_seconds
        await wait_until(service, lambda: not_ready(service))
        await wait_until(service, lambda: time.monotonic() > back_at)
        assert not_ready(service)
        assert service.metric("sentiment_published_total") < BEFORE
        await asyncio.to_thread(come_back)
        await wait_until(service, lambda: ready(service))
        await write(jar_broker, AFTER, first=BEFORE)
        await wait_committed(service, jar_broker)
        assert 0 == service.stop(), service.log()[-3000:]

    events = await read_all(jar_broker.bootstrap_servers, "out")
    expected = dict.fromkeys(range(BEFORE + AFTER), 1)
    assert expected == Counter(json.loads(event.value or b"")["source_id"] for event in events)


@kafka
@model
async def test_sigterm_while_the_broker_is_away(
    jar_broker: JarBroker, settings: dict[str, str], tmp_path: Path
) -> None:
    """The end comes within the bound of the drain and of closing, with exit code 0."""
    with running_service(tmp_path, settings) as service:
        service.wait_ready()
        await write(jar_broker, BEFORE)
        await wait_until(service, lambda: service.metric("sentiment_published_total") > 20)
        jar_broker.pause()
        began = time.monotonic()
        assert 0 == await asyncio.to_thread(service.stop), service.log()[-3000:]
        took_s = time.monotonic() - began
    assert took_s < DRAIN_SECONDS + CLOSE_SECONDS


@kafka
@model
async def test_a_service_that_is_there_before_its_broker(
    jar_broker: JarBroker, settings: dict[str, str], tmp_path: Path
) -> None:
    """It is alive, says what it waits for, and becomes ready when the broker appears."""
    jar_broker.kill()
    with running_service(tmp_path, settings) as service:
        await asyncio.to_thread(wait_for_answer, service)
        await wait_until(service, lambda: service.metric("sentiment_retries_total") > 1)
        assert not_ready(service)
        await asyncio.to_thread(jar_broker.start)
        await wait_until(service, lambda: ready(service))
        await write(jar_broker, AFTER)
        await wait_committed(service, jar_broker)
        assert 0 == service.stop(), service.log()[-3000:]


def wait_for_answer(service: ServiceProcess) -> None:
    """Wait until the service answers at all."""
    deadline = time.monotonic() + WAIT_SECONDS
    while service.get("/livez")[0] != 200:
        assert time.monotonic() < deadline, service.log()
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKA__BOOTSTRAP_SERVERS", "no-port"),
        ("KAFKA__SESSION_TIMEOUT_MS", "soon"),
        ("KAFKA__NO_SUCH_SETTING", "1"),
        ("KAFKA__OUTPUT_TOPIC", "sentiment.messages"),
    ],
)
def test_wrong_settings_end_the_start(tmp_path: Path, name: str, value: str) -> None:
    """With exit code 2 and the setting's name, before anything is touched."""
    with running_service(tmp_path, {name: value}) as service:
        assert 2 == service.process.wait(WAIT_SECONDS)
        assert f"SENTIMENT_{name}" in service.log()


def test_a_port_in_use_ends_the_start(tmp_path: Path) -> None:
    """With exit code 2 and the setting's name."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        with running_service(tmp_path, {"HTTP__PORT": port}) as service:
            assert 2 == service.process.wait(WAIT_SECONDS)
            assert f"SENTIMENT_HTTP__PORT={port}" in service.log()
