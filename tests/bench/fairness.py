"""Whether a backlog of one partition delays the messages of another, against another tree.

    python tests/bench/fairness.py --before ../before --rounds 3

`--before` is a checkout of the code to compare with. Each round runs both trees one after the
other, on one broker of the machine's own: a service has some messages a second on partition 1 of
its topic, first alone, then beside a backlog on partition 0. Not a test: nothing is asserted.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
import numpy as np
from confluent_kafka import Producer

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from service.bench.stream import Reader, make_topics  # noqa: E402 - found by the path above
from service.bench.whole import READY_SECONDS, free_port, running, service_arguments  # noqa: E402
from tools.kafka.jar_broker import AS_SHIPPED, start_jar_broker  # noqa: E402
from tools.kafka.streams import tweets  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

DATA = TESTS.parents[1] / "shared" / "data"
BACKLOG, LIVE = 0, 1
# Left out of all figures: until then caches, the cost model and the broker's compiler are cold.
WARM_UP, WARM_S = 500, 3.0
# How long the last events may take.
PATIENCE_S = 20.0


class Run(NamedTuple):
    """What one service did; waits in milliseconds, of the live messages."""

    alone: list[float]
    beside: list[float]
    rate: float
    cpu_ms: float


class Load:
    """Puts messages on the two partitions, and remembers when."""

    def __init__(self, brokers: str, topic: str, texts: Sequence[str]) -> None:
        """Produce nothing yet."""
        self._producer = Producer({"bootstrap.servers": brokers, "linger.ms": 0,
                                   "queue.buffering.max.messages": 10**6})  # fmt: skip
        self._topic, self._texts = topic, texts
        self.sent: dict[str, float] = {}

    def put(self, name: str, partition: int, numbers: range) -> None:
        """Produce a message for each number, with `<name>-<number>` as its id."""
        for number in numbers:
            identity = f"{name}-{number}"
            text = self._texts[number % len(self._texts)]
            value = json.dumps({"id": identity, "text": text}).encode()
            self.sent[identity] = time.time()
            self._producer.produce(self._topic, value, partition=partition)
            self._producer.poll(0)

    def put_at(self, name: str, rate: float, seconds: float) -> list[str]:
        """Produce at a steady rate on the live partition; the ids."""
        started, count = time.monotonic(), int(rate * seconds)
        for number in range(count):
            time.sleep(max(0.0, started + number / rate - time.monotonic()))
            self.put(name, LIVE, range(number, number + 1))
        self._producer.flush()
        return [f"{name}-{number}" for number in range(count)]

    def flush(self) -> None:
        """Wait until all is acknowledged."""
        self._producer.flush()


def waits_ms(load: Load, reader: Reader, ids: Sequence[str], until: float) -> list[float]:
    """Of each id produced before `until`: from its timestamp to its event, or to now."""
    wanted = [i for i in ids if load.sent[i] < until]
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and any(i not in reader.seen for i in wanted):
        time.sleep(0.05)
    now = time.time()
    return [(reader.seen.get(i, now) - load.sent[i]) * 1000 for i in wanted]


def measure(
    brokers: str, tree: Path, texts: Sequence[str], backlog: int, rate: float, seconds: float,
    *, null: bool,
) -> Run:  # fmt: skip
    """One service: waits alone, waits beside the backlog, and events a second meanwhile."""
    topics, port = make_topics(brokers), free_port()
    arguments = service_arguments(brokers, topics, port, {}, null=null)
    with (
        running(arguments, port, tree) as child,
        contextlib.closing(Reader(brokers, topics.target)) as reader,
    ):
        child.wait_ready()
        load = Load(brokers, topics.source, texts)
        load.put("warm", BACKLOG, range(WARM_UP))
        load.put_at("first", rate, WARM_S)
        reader.wait(WARM_UP + int(rate * WARM_S), READY_SECONDS)
        alone = waits_ms(load, reader, load.put_at("alone", rate, seconds), time.time())
        load.put("backlog", BACKLOG, range(backlog))
        load.flush()
        time.sleep(WARM_S / 3)
        began, before, cpu_s = time.time(), len(reader.times), child.cpu_s()
        ids = load.put_at("beside", rate, seconds)
        # Until the backlog was scored, if that was sooner.
        last = [at for i, at in reader.seen.items() if i.startswith("backlog")]
        ended = max(last) if len(last) == backlog else time.time()
        events = sum(began <= at <= ended for at in reader.times[before:])
        seen, used_s = len(reader.times) - before, child.cpu_s() - cpu_s
        beside = waits_ms(load, reader, ids, ended)
        return Run(alone, beside, events / (ended - began), 1000 * used_s / max(1, seen))


def show(name: str, waits: Sequence[float]) -> str:
    """The percentiles."""
    p50, p99 = np.percentile(waits, (50, 99))
    return f"{name} p50 {p50:.0f} p99 {p99:.0f} max {max(waits):.0f} ms ({len(waits)})"


@click.command()
@click.option("--before", type=click.Path(path_type=Path, exists=True), help="Tree to compare.")
@click.option("--now", type=click.Path(path_type=Path, exists=True), default=TESTS.parent)
@click.option("--backlog", default=100_000, show_default=True)
@click.option("--rate", default=10.0, show_default=True)
@click.option("--seconds", default=30.0, show_default=True)
@click.option("--rounds", default=3, show_default=True)
@click.option("--engine", type=click.Choice(["null", "bundled"]), multiple=True)
def main(
    before: Path | None, now: Path, backlog: int, rate: float, seconds: float, rounds: int,
    engine: tuple[str, ...],
) -> None:  # fmt: skip
    """Measure the trees in interleaved rounds; prints each, then all together."""
    texts = tweets(DATA)
    trees = {"before": before.resolve()} if before else {}
    trees["now"] = now.resolve()
    click.echo(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    with start_jar_broker(java=AS_SHIPPED) as broker:
        for kind in engine or ("null", "bundled"):
            found: dict[str, list[Run]] = {name: [] for name in trees}
            for _ in range(rounds):
                for name, tree in trees.items():
                    run = measure(broker.bootstrap_servers, tree, texts, backlog, rate, seconds,
                                  null=kind == "null")  # fmt: skip
                    found[name].append(run)
                    click.echo(f"{kind} {name}: {_line([run])}")
            for name, runs in found.items():
                click.echo(f"{kind} {name}, all rounds: {_line(runs)}")
            if before:
                pairs = zip(found["now"], found["before"], strict=True)
                ratios = [new.rate / old.rate for new, old in pairs]
                shown = " ".join(f"{ratio:.2f}" for ratio in ratios)
                median = statistics.median(ratios)
                click.echo(f"{kind} throughput: {median:.2f} of before ({shown})")


def _line(runs: Sequence[Run]) -> str:
    alone = [wait for run in runs for wait in run.alone]
    beside = [wait for run in runs for wait in run.beside]
    rate = statistics.median(run.rate for run in runs)
    cpu_ms = statistics.median(run.cpu_ms for run in runs)
    return (f"{show('alone', alone)}; {show('beside', beside)}; {rate:.0f} events/s, "
            f"{cpu_ms:.2f} ms of processor each; load {os.getloadavg()[0]:.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
