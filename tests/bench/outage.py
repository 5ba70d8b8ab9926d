"""Minutes without a broker: does the service wait without burning CPU, flooding its log, growing?

    python tests/bench/outage.py --minutes 4

Under a steady load the one broker is paused for so long, and in a second run killed and started
again on the same data. Prints what the service used and held meanwhile, how soon it published
again, and whether every message came out exactly once. Exit code 1 where a bound is broken.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.load import Account, account, drained, make_stream, mixed_messages, play
from bench.watching import Sample, Watched, watched_service
from tools.kafka.jar_broker import JarBroker, start_jar_broker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.kafka.streams import Stream
    from tools.kafka.topics import Message

WAYS = ("paused", "killed")
BEFORE_S, AFTER_S = 60.0, 90.0
# Longest that the service itself waits is 15 s; an attempt that began before the return takes up
# to 10 s more to fail, and joining the group a session of 30 s where the old member still counts.
PUBLISHED_AGAIN_S = 60.0
CPU_SHARE_MAX = 0.05
PROBE_EVERY_S = 5.0
# The service asks every 2 s, waits 5 s for the answer, and 10 s for a login to say why.
READY_MEANWHILE_S = 20.0
# Each attempt of each client says one line; at 15 s between attempts that is some lines a minute.
LINES_PER_MINUTE_MAX = 60
COUNTS = ("threads", "files", "tasks")


@dataclass
class Outage:
    """What is seen around one outage; moments are monotonic, in seconds."""

    watched: Watched
    left_at: float = 0.0
    back_at: float = 0.0
    published_again_at: float = 0.0
    cpu_share: float = 0.0
    ready_meanwhile: int = 0
    exit_code: int = -1
    lines: list[Counter[str]] = field(default_factory=list)

    def between(self, first_s: float, last_s: float) -> list[Sample]:
        """The samples of a stretch of time."""
        return [s for s in self.watched.samples if first_s <= s.at < last_s]

    def logged(self) -> Counter[str]:
        """How often each thing was logged so far."""
        # Up to the last whole line; the one after it is being written.
        lines = map(json.loads, self.watched.service.log().rpartition("\n")[0].splitlines())
        return Counter(f"{line['logger']}: {line['event']:.80}" for line in lines)


async def first_publish(outage: Outage) -> None:
    """Note when an event is published that was not before."""

    async def published() -> float:
        return await asyncio.to_thread(outage.watched.service.metric, "sentiment_published_total")

    before = await published()
    while await published() <= before:  # noqa: ASYNC110 - a metric has no event
        await asyncio.sleep(0.1)
    outage.published_again_at = time.monotonic()


async def go_and_come_back(
    outage: Outage, broker: JarBroker, way: str, minutes: float, progress: Progress
) -> None:
    """Take the broker away for so long, and give it back."""
    leave, come_back = {
        "paused": (broker.pause, broker.resume),
        "killed": (broker.kill, broker.start),
    }[way]
    watched = outage.watched
    shown = progress.add_task(way, total=BEFORE_S + minutes * 60 + AFTER_S)
    await asyncio.sleep(BEFORE_S)
    logged = outage.logged()
    leave()
    outage.left_at, used = time.monotonic(), watched.cpu_s()
    while (away_s := time.monotonic() - outage.left_at) < minutes * 60:
        progress.update(shown, completed=BEFORE_S + away_s)
        await asyncio.sleep(PROBE_EVERY_S)
        status, _ = await asyncio.to_thread(watched.service.get, "/readyz")
        outage.ready_meanwhile += status == 200
    outage.cpu_share = (watched.cpu_s() - used) / away_s
    outage.lines.append(outage.logged() - logged)
    logged = outage.logged()
    publishing = asyncio.create_task(first_publish(outage))
    await asyncio.to_thread(come_back)
    outage.back_at = time.monotonic()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(publishing, 4 * PUBLISHED_AGAIN_S)
    await asyncio.sleep(max(0.0, AFTER_S - (time.monotonic() - outage.back_at)))
    outage.lines.append(outage.logged() - logged)
    progress.update(shown, completed=BEFORE_S + minutes * 60 + AFTER_S)


async def run(
    broker: JarBroker, way: str, minutes: float, rate: float, progress: Progress
) -> tuple[Outage, Account]:
    """One outage; gives what was seen, and what came out."""
    stream: Stream = make_stream(broker)
    messages: list[Message] = mixed_messages(int(rate * (BEFORE_S + minutes * 60 + AFTER_S)))
    folder = Path(tempfile.mkdtemp(prefix=f"outage-{way}-"))
    progress.console.print(f"logs of the service: {folder}")
    with watched_service(folder, stream.settings()) as watched:
        await asyncio.to_thread(watched.service.wait_ready)
        outage = Outage(watched)
        watching = asyncio.create_task(watched.watch())
        await asyncio.gather(
            play(stream, messages, rate), go_and_come_back(outage, broker, way, minutes, progress)
        )
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        await drained(stream, watched.service)
        outage.exit_code = await asyncio.to_thread(watched.service.stop)
    return outage, await account(stream, messages)


def most(samples: Sequence[Sample], name: str) -> int:
    """The most that a count was; 0 where nothing was sampled."""
    return max((getattr(sample, name) for sample in samples), default=0)


def stretches(outage: Outage) -> dict[str, list[Sample]]:
    """The samples by what was going on; the last one is that of a service at rest again."""
    away_s = outage.back_at - outage.left_at
    quarter = [outage.left_at + away_s * part / 4 for part in range(5)]
    return {
        "before": outage.between(outage.left_at - BEFORE_S / 2, outage.left_at),
        **{f"quarter {n + 1}": outage.between(quarter[n], quarter[n + 1]) for n in range(4)},
        "return": outage.between(outage.back_at, outage.back_at + AFTER_S - 30),
        "after": outage.between(outage.back_at + AFTER_S - 30, outage.back_at + AFTER_S),
    }


def table(outage: Outage, way: str) -> Table:
    """Most of each count in each stretch of time."""
    result = Table("when", *COUNTS, "RSS MB", title=f"the broker was {way}")
    for name, samples in stretches(outage).items():
        counts = [str(most(samples, count)) for count in COUNTS]
        result.add_row(name, *counts, f"{most(samples, 'rss_bytes') / 1e6:.0f}")
    return result


def verdict(outage: Outage, out: Account) -> list[tuple[bool, str]]:
    """Each thing that has to hold, whether it does, and by what figures."""
    away_s = outage.back_at - outage.left_at
    lines = outage.lines[0].total()
    again_s = outage.published_again_at - outage.back_at
    when = stretches(outage)
    judged = [
        (outage.cpu_share <= CPU_SHARE_MAX,
         f"{outage.cpu_share:.1%} of a CPU in {away_s:.0f} s without the broker"),
        (lines * 60 / away_s <= LINES_PER_MINUTE_MAX,
         f"{lines} log lines meanwhile, {lines * 60 / away_s:.0f} a minute"),
        (outage.published_again_at > 0 and again_s <= PUBLISHED_AGAIN_S,
         f"the first event came out {again_s:.1f} s after the return"),
        (outage.ready_meanwhile * PROBE_EVERY_S <= READY_MEANWHILE_S,
         f"ready for less than {(outage.ready_meanwhile + 1) * PROBE_EVERY_S:.0f} s of it"),
        (outage.exit_code == 0, f"exit code {outage.exit_code}"),
        (out.whole, str(out)),
    ]  # fmt: skip
    for name in COUNTS:
        first, second, fourth, last = (
            most(when[stretch], name) for stretch in ("before", "quarter 2", "quarter 4", "after")
        )
        logged = f"{first} before, {second} in quarter 2, {fourth} in quarter 4, {last} after"
        judged.append((fourth <= max(first, second) and last <= first, f"{name}: {logged}"))
    return judged


@click.command()
@click.option("--minutes", default=4.0, show_default=True, help="How long the broker is away.")
@click.option("--rate", default=30.0, show_default=True, help="Messages a second.")
@click.option("--way", "ways", multiple=True, type=click.Choice(WAYS), default=WAYS)
def main(minutes: float, rate: float, ways: tuple[str, ...]) -> None:
    """Measure an outage of the broker, and judge."""
    console = Console()
    good = True
    for way in ways:
        with start_jar_broker() as broker, Progress(console=console) as progress:
            outage, out = asyncio.run(run(broker, way, minutes, rate, progress))
        console.print(table(outage, way))
        for when, lines in zip(("while away", "after the return"), outage.lines, strict=True):
            for line, times in lines.most_common(10):
                console.print(f"logged {times} times {when}: {line}", markup=False)
        for holds, line in verdict(outage, out):
            good = good and holds
            console.print("[green]good[/]" if holds else "[red]bad [/]", line)
    sys.exit(not good)


if __name__ == "__main__":
    main()
