"""What exactly once costs, and what a change of it is worth: this tree against another one.

    git worktree add ../before v0.1.0
    python tests/bench/delivery.py --before ../before --rounds 2
    python tests/bench/delivery.py --part requests --partitions 64

Interleaved rounds on one broker of the machine's own. Each run prints a line; at last come tables,
also of what was done when a run failed. Two rounds take ten minutes, less with `--part`. Not a
test: nothing is asserted about time.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import click

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from bench import delivery_runs as runs  # noqa: E402 - found by the path above
from bench.delivery_runs import Counts, Variant  # noqa: E402
from service.errors import ModelError  # noqa: E402
from service.terminal import Table, results  # noqa: E402
from tools.kafka.counting import NAMES, counted_broker  # noqa: E402
from tools.kafka.streams import tweets  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.kafka.counting import CountingProxy

DATA = TESTS.parents[1] / "shared" / "data"
BEFORE, NOW, LOOSE = "before", "now", "now, at least once"
# What a publish consists of; by the other requests a client reads, whether it publishes or not.
PUBLISHING = (
    "Produce", "FindCoordinator", "InitProducerId", "AddPartitionsToTxn", "AddOffsetsToTxn",
    "TxnOffsetCommit", "EndTxn", "OffsetCommit",
)  # fmt: skip
# A new broker compiles its own code while these go through it, without a model: messages at once,
# and then at a steady rate, so that there are thousands of transactions.
WARMING_MESSAGES = 20_000
WARMING_RATE, WARMING_S = 500.0, 30.0
# Requests are counted for so long at the steady rate.
COUNTED_S = 10
# Partitions of the longest start, and how long it may take: a tree may never become ready there.
MANY, PATIENCE_S = 1000, 60.0
REASON_CHARACTERS = 300


@dataclass
class Bench:
    """What is run on which broker, and every figure so far, by its title and variant."""

    brokers: str
    proxy: CountingProxy
    variants: dict[str, Variant]
    partitions: Sequence[int]
    texts: Sequence[str]
    rounds: int
    seconds: float
    rate: float
    figures: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    counts: dict[str, Counts] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    @property
    def base(self) -> Variant:
        """The tree before, or this one if there is no other."""
        return self.variants.get(BEFORE, self.variants[NOW])

    def note(self, variant: Variant, partitions: int, **figures: float) -> None:
        """Keep figures of a run, and print them with the time and the load of the machine.

        A figure is named like `p99_ms`, its unit last.
        """
        shown = []
        for name, value in figures.items():
            self.add(f"{name}, {partitions} partitions", variant.name, value)
            shown.append(f"{name} {number(value)}")
        self.say(f"{variant.name}, {partitions} partitions: {', '.join(shown)}")

    def add(self, title: str, name: str, value: float) -> None:
        """Keep a figure."""
        self.figures.setdefault(title, {}).setdefault(name, []).append(value)

    def of(self, title: str, name: str) -> list[float]:
        """A figure in each round so far."""
        return self.figures.get(title, {}).get(name, [])

    def say(self, text: str) -> None:
        """Print a line of progress."""
        load = os.getloadavg()[0]
        click.echo(f"{time.monotonic() - self.began:4.0f} s, load {load:4.1f}: {text}")

    def turns(self, *names: str) -> Iterator[Variant]:
        """The variants of these names that there are, in each round, every second one reversed."""
        chosen = [self.variants[name] for name in names if name in self.variants]
        for turn in range(self.rounds):
            yield from chosen if turn % 2 == 0 else reversed(chosen)

    def half(self, partitions: int) -> float:
        """Half of the capacity of the tree before, in messages a second, or the rate asked for."""
        if self.rate:
            return self.rate
        title = f"messages_per_s, {partitions} partitions"
        if not self.of(title, self.base.name):
            self.throughput(self.base, partitions)
        return round(median(self.of(title, self.base.name)) / 2)

    def throughput(self, variant: Variant, partitions: int) -> None:
        """One run under full load."""
        run = runs.throughput(self.brokers, variant, partitions, self.texts)
        self.note(variant, partitions, **run._asdict())


def measure_throughput(bench: Bench) -> None:
    """Both trees exactly once, and this one at least once."""
    for partitions in bench.partitions:
        for variant in bench.turns(BEFORE, NOW, LOOSE):
            bench.throughput(variant, partitions)
        rates = f"messages_per_s, {partitions} partitions"
        for name in (BEFORE, NOW):
            for exact, loose in zip(bench.of(rates, name), bench.of(rates, LOOSE), strict=False):
                bench.add(f"cost in %, {partitions} partitions", name, 100 * (1 - exact / loose))


def count_requests(bench: Bench) -> None:
    """One run of each tree: what is counted has little noise."""
    for partitions in bench.partitions:
        rate = bench.half(partitions)
        loads = {f"{rate:.0f}/s": (bench.texts[: int(rate * COUNTED_S)], rate),
                 "a backlog": (bench.texts, 0.0)}  # fmt: skip
        for name in (BEFORE, NOW):
            if variant := bench.variants.get(name):
                found, descriptors = runs.requests(
                    bench.brokers, bench.proxy, variant, partitions, loads
                )
                figures = {f"requests_per_publish at {at}": each(of) for at, of in found.items()}
                bench.note(variant, partitions, descriptors=descriptors, **figures)
                bench.counts |= {f"{name}, {partitions}, {at}": of for at, of in found.items()}


def measure_latency(bench: Bench) -> None:
    """Both trees at the same rate."""
    for partitions in bench.partitions:
        rate = bench.half(partitions)
        bench.say(f"{partitions} partitions: {rate:.0f} messages/s")
        for variant in bench.turns(BEFORE, NOW):
            run = runs.latency(bench.brokers, variant, partitions, bench.texts, rate, bench.seconds)
            bench.note(variant, partitions, **run._asdict())


def measure_start(bench: Bench) -> None:
    """Few and many partitions; the tree before with many once and last, for it may not start."""
    few = min(bench.partitions)
    for turn in range(bench.rounds):
        sizes = (few, MANY) if turn % 2 == 0 else (MANY, few)
        found = {size: one_start(bench, bench.variants[NOW], size) for size in sizes}
        for title in runs.Start._fields:
            if (one := found[few]) and (many := found[MANY]):
                ratio = getattr(many, title) / getattr(one, title)
                bench.add(f"{title}, {MANY} / {few} partitions", NOW, ratio)
        if BEFORE in bench.variants:
            one_start(bench, bench.variants[BEFORE], few)
    if BEFORE in bench.variants:
        one_start(bench, bench.variants[BEFORE], MANY)


def one_start(bench: Bench, variant: Variant, partitions: int) -> runs.Start | None:
    """Start a service twice; None where it does not become ready."""
    try:
        run = runs.start(bench.brokers, variant, partitions, PATIENCE_S)
    except ModelError as error:
        reason = " ".join(str(error).split())[:REASON_CHARACTERS]
        bench.say(f"{variant.name}, {partitions} partitions: {reason}")
        return None
    bench.note(variant, partitions, **run._asdict())
    return run


PARTS = {
    "throughput": measure_throughput,
    "requests": count_requests,
    "latency": measure_latency,
    "start": measure_start,
}


def each(counts: Counts) -> float:
    """Requests for each publish."""
    publishing = sum(n for (name, _), n in counts.requests.items() if name in PUBLISHING)
    return publishing / counts.publishes


def number(value: float) -> str:
    """Three digits, or all of those before the point."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def of_rounds(values: Sequence[float]) -> str:
    """The median, and the range."""
    if len(values) < 2:
        return "".join(map(number, values))
    return f"{number(median(values))} ({number(min(values))} to {number(max(values))})"


def figures_table(bench: Bench) -> Table:
    """All figures, and the ratio of the trees round by round."""
    names = (BEFORE, NOW, LOOSE)
    table = Table("median and range of the rounds", "figure", *(f">{n}" for n in names),
                  ">now / before")  # fmt: skip
    for title, by_name in bench.figures.items():
        pairs = zip(by_name.get(BEFORE, ()), by_name.get(NOW, ()), strict=False)
        # A cost has no ratio worth reading: it may be 0.
        ratios = [] if "%" in title else [now / before for before, now in pairs]
        table.add_row(title, *(of_rounds(by_name.get(n, ())) for n in names), of_rounds(ratios))
    return table


def requests_table(counts: dict[str, Counts]) -> Table:
    """Requests for each publish, by kind and version; behind the sum are those of reading."""
    table = Table("requests for each publish", "kind", *(f">{title}" for title in counts))
    table.add_row("publishes", *(str(of.publishes) for of in counts.values()))
    table.add_row("messages each", *(number(of.messages / of.publishes) for of in counts.values()))
    order = [*PUBLISHING, *(name for name in NAMES.values() if name not in PUBLISHING)]
    seen = {kind for of in counts.values() for kind in of.requests}
    kinds = sorted(seen, key=lambda kind: (kind[0] not in order, order.index(kind[0])
                                           if kind[0] in order else 0, kind))  # fmt: skip
    for publishing in (True, False):
        for name, version in kinds:
            if (name in PUBLISHING) == publishing:
                shares = [of.requests[name, version] / of.publishes for of in counts.values()]
                table.add_row(f"{name} v{version}", *map(number, shares))
        if publishing:
            table.add_row("all of these", *(number(each(of)) for of in counts.values()))
    return table


@click.command(epilog="Example: python tests/bench/delivery.py --before ../before --rounds 2")
@click.option("--before", type=click.Path(path_type=Path, exists=True), help="Tree to compare.")
@click.option("--part", "parts", type=click.Choice(list(PARTS)), multiple=True, help="All if none.")
@click.option("--partitions", multiple=True, type=int, default=(4, 64), show_default=True)
@click.option(
    "--engine", type=click.Choice(["null", "bundled"]), default="bundled", show_default=True
)
@click.option("--rounds", default=2, show_default=True)
@click.option("--messages", default=6000, show_default=True, help="In a run of throughput.")
@click.option("--seconds", default=20.0, show_default=True, help="Of a run of latency.")
@click.option("--rate", default=0.0, help="Messages a second; half of the capacity before if 0.")
def main(  # noqa: PLR0913, PLR0917 - one for each option
    before: Path | None, parts: Sequence[str], partitions: Sequence[int], engine: str, rounds: int,
    messages: int, seconds: float, rate: float,
) -> None:  # fmt: skip
    """Compare both modes of delivery, and this tree with the one before."""
    trees = {NOW: TESTS.parent, LOOSE: TESTS.parent} | (
        {BEFORE: before.resolve()} if before else {}
    )
    variants = {
        name: Variant(
            name, tree, "at_least_once" if name == LOOSE else "exactly_once", engine == "null"
        )
        for name, tree in trees.items()
    }
    some = tweets(DATA)
    texts = [some[at % len(some)] for at in range(messages)]
    click.echo(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {engine} engine, "
               f"{messages} messages, {rounds} rounds")  # fmt: skip
    with counted_broker() as (brokers, proxy):
        bench = Bench(brokers, proxy, variants, partitions, texts, rounds, seconds, rate)
        try:
            if set(parts or PARTS) != {"requests"}:
                bench.say("warming the broker")
                warming = [some[at % len(some)] for at in range(WARMING_MESSAGES)]
                quick = variants[NOW]._replace(null=True)
                runs.throughput(brokers, quick, min(partitions), warming)
                runs.latency(brokers, quick, min(partitions), texts, WARMING_RATE, WARMING_S)
            for name in parts or PARTS:
                PARTS[name](bench)
        except ModelError as error:
            raise click.ClickException(str(error)) from None
        finally:
            console = results()
            if bench.counts:
                console.print(requests_table(bench.counts))
            console.print(figures_table(bench))


if __name__ == "__main__":
    main()
