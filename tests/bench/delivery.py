"""What exactly-once costs: throughput of the whole service in both delivery modes, in one run.

    python tests/bench/delivery.py --messages 10000 --partitions 4 --rounds 3

Interleaved rounds on one broker of the machine's own; prints a line for each, and the medians. Not
a test: nothing is asserted about time.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import click

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from tools.kafka.broker import Broker, start_broker  # noqa: E402 - found by the path above
from tools.kafka.streams import good_messages, tweets  # noqa: E402
from tools.kafka.topics import create_topic, produce  # noqa: E402
from tools.service_process import ServiceProcess, running_service  # noqa: E402

if TYPE_CHECKING:
    from tools.kafka.topics import Message

MODES = ("at_least_once", "exactly_once")
DATA = TESTS.parents[1] / "shared" / "data"


async def reached(service: ServiceProcess, count: float) -> tuple[float, float]:
    """When so many events were published, and how many they were then."""
    while (published := service.metric("sentiment_published_total")) < count:  # noqa: ASYNC110 - a metric has no event
        await asyncio.sleep(0.05)
    return time.monotonic(), published


async def measure(broker: Broker, messages: list[Message], partitions: int, mode: str) -> float:
    """Messages per second between a tenth and 95 % of the messages."""
    run = uuid.uuid4().hex[:8]
    names = {"INPUT_TOPIC": "in", "OUTPUT_TOPIC": "out", "DEAD_LETTER_TOPIC": "dead"}
    for name in names.values():
        create_topic(broker, f"{name}-{run}", partitions, {})
    await produce(broker.bootstrap_servers, f"in-{run}", messages)
    settings = {f"KAFKA__{setting}": f"{name}-{run}" for setting, name in names.items()}
    settings |= {
        "KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "KAFKA__GROUP_ID": run,
        "DELIVERY__MODE": mode,
        # Some tweets come twice; each shall be computed.
        "MODEL__REPEATS_MAX": "0",
    }
    with running_service(Path(tempfile.mkdtemp()), settings) as service:
        ready_s = service.wait_ready()
        started, first = await reached(service, 0.1 * len(messages))
        ended, last = await reached(service, 0.95 * len(messages))
        files = len(os.listdir(f"/proc/{service.process.pid}/fd"))  # noqa: PTH208 - no disk
        rate = (last - first) / (ended - started)
        click.echo(
            f"{mode:14} {rate:6.0f} messages/s, ready after {ready_s:.1f} s, "
            f"peak memory {service.peak_memory_bytes() / 1e6:.0f} MB, {files} file descriptors"
        )
        service.stop()
    return rate


@click.command()
@click.option("--messages", "count", default=10_000, show_default=True)
@click.option("--partitions", default=4, show_default=True)
@click.option("--rounds", default=3, show_default=True)
def main(count: int, partitions: int, rounds: int) -> None:
    """Measure both delivery modes, interleaved."""
    messages = [
        message._replace(partition=None if message.key else number % partitions)
        for number, message in enumerate(good_messages(tweets(DATA), count))
    ]

    async def run(broker: Broker) -> dict[str, list[float]]:
        rates: dict[str, list[float]] = {mode: [] for mode in MODES}
        for _ in range(rounds):
            for mode in MODES:
                rates[mode].append(await measure(broker, messages, partitions, mode))
        return rates

    with start_broker() as broker:
        rates = asyncio.run(run(broker))
    medians = [statistics.median(rates[mode]) for mode in MODES]
    click.echo(f"medians: {medians[0]:.0f} and {medians[1]:.0f} messages/s; "
               f"exactly once costs {100 * (1 - medians[1] / medians[0]):.1f} %")  # fmt: skip


if __name__ == "__main__":
    main()
