"""A backfill by processes of its own on real Kafka: killed, stopped, started again, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import TYPE_CHECKING

import pytest

from service.errors import ExitCode
from tools.kafka.streams import Stream, assert_each_once_in_order, good_messages, tweets
from tools.kafka.topics import Message, committed, produce, read_all
from tools.service_process import running_service

if TYPE_CHECKING:
    from pathlib import Path

    from tools.kafka.broker import Broker
    from tools.kafka.topics import Topics
    from tools.service_process import ServiceProcess

pytestmark = [pytest.mark.kafka, pytest.mark.model]

PARTITIONS, GOOD, BROKEN, LATER = 12, 6000, 40, 300
# Long enough for all of it on a machine that others use.
END_SECONDS = 400
PROGRAM = ("-m", "service", "run", "--until-end")
# Whoever is killed has his partitions for so long; and any latency is above such a budget.
QUICK = {
    "KAFKA__SESSION_TIMEOUT_MS": "6000",
    "BATCH__LATENCY_BUDGET_MS": "1",
    "MODEL__REPEATS_MAX": "0",
    "MODEL__THREADS": "1",
}


def archive(broker: Broker, topics: Topics) -> Stream:
    """A stream whose input has so many partitions."""
    stream = Stream(broker, topics)
    stream.input = topics("archive", PARTITIONS)
    return stream


def spread(messages: list[Message]) -> list[Message]:
    """Over all partitions; those with a key as it says."""
    return [
        message if message.partition is None else message._replace(partition=number % PARTITIONS)
        for number, message in enumerate(messages)
    ]


async def published(service: ServiceProcess, count: int) -> None:
    """Wait until it has published so many; it is to be at work still."""
    deadline = time.monotonic() + END_SECONDS
    while service.metric("sentiment_published_total") < count:
        assert service.process.poll() is None, service.log()[-3000:]
        assert time.monotonic() < deadline, service.log()[-3000:]
        await asyncio.sleep(0.02)


async def summary_of(service: ServiceProcess) -> dict[str, str]:
    """What it says once it has ended by itself, with 0."""
    code = await asyncio.to_thread(service.process.wait, END_SECONDS)
    assert code == 0, service.log()[-3000:]
    return figures_of(service)


def figures_of(service: ServiceProcess) -> dict[str, str]:
    """The summary, whether it is done or not."""
    rows = [line.split("\t") for line in service.log().splitlines()]
    return {row[0]: row[1] for row in rows if len(row) == 2}


@pytest.mark.timeout(900)
async def test_three_replicas_of_which_one_is_killed(
    real_broker: Broker, topics: Topics, shared_data: Path, tmp_path: Path
) -> None:
    """Every record comes once, in order, and none from behind the end; all others end with 0."""
    stream = archive(real_broker, topics)
    messages = spread(good_messages(tweets(shared_data), GOOD + LATER))
    broken = [Message(b"%d" % n, b"no JSON", partition=n % PARTITIONS) for n in range(BROKEN)]
    await produce(stream.bootstrap, stream.input, [*messages[:GOOD], *broken])
    end_ms = 1 + max(r.timestamp for r in await read_all(stream.bootstrap, stream.input))
    await produce(
        stream.bootstrap,
        stream.input,
        [m._replace(timestamp=end_ms) for m in messages[GOOD:]],
    )
    end = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(end_ms // 1000))
    program = (*PROGRAM, "--to", f"{end}.{end_ms % 1000:03}Z")
    settings = stream.settings(**QUICK)
    with contextlib.ExitStack() as running:
        one, two, three = (
            running.enter_context(running_service(tmp_path, settings, program)) for _ in range(3)
        )
        await published(one, 200)
        assert one.metric("sentiment_over_budget_total") == 0
        one.process.kill()
        again = running.enter_context(running_service(tmp_path, settings, program))

        summaries = [await summary_of(service) for service in (two, three, again)]

    assert_each_once_in_order(await stream.events(), GOOD)
    assert BROKEN == len(await read_all(stream.bootstrap, stream.letters))
    done = await committed(stream.bootstrap, f"{stream.group}-backfill", stream.input)
    assert GOOD + BROKEN == sum(done.values())
    assert {} == await committed(stream.bootstrap, stream.group, stream.input)
    for summary in summaries:
        counted = [int(summary[name]) for name in ("events", "dead_letters", "skipped")]
        assert int(summary["records"]) == sum(counted)
    assert 0 < sum(int(summary["records"]) for summary in summaries) < GOOD


@pytest.mark.timeout(900)
async def test_one_that_is_stopped_goes_on_where_it_was(
    real_broker: Broker, topics: Topics, shared_data: Path, tmp_path: Path
) -> None:
    """It says by its exit code that it is not done; a third run finds nothing left."""
    stream = archive(real_broker, topics)
    await produce(stream.bootstrap, stream.input, spread(good_messages(tweets(shared_data), GOOD)))
    settings = stream.settings(**QUICK)
    with running_service(tmp_path, settings, PROGRAM) as first:
        await published(first, 100)
        code = await asyncio.to_thread(first.stop, signal.SIGTERM)
    assert code == ExitCode.INTERRUPTED, first.log()[-3000:]
    assert "the same command goes on where it was" in first.log()
    before = len(await stream.events())
    figures = figures_of(first)
    assert ("False", str(before)) == (figures["done"], figures["records"])
    assert 100 <= before < GOOD

    with running_service(tmp_path, settings, PROGRAM) as second:
        summary = await summary_of(second)
    with running_service(tmp_path, settings, PROGRAM) as third:
        nothing = await summary_of(third)

    assert_each_once_in_order(await stream.events(), GOOD)
    assert GOOD - before == int(summary["records"])
    assert "0" == nothing["records"]
    assert "True" == summary["done"]
    assert "an earlier run, has committed" in second.log()
    assert "nothing is left" in third.log()
