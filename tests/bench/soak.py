"""Ten minutes under steady load with a rebalance every 20 seconds: does the service stay as it is?

    python tests/bench/soak.py --minutes 10 --plot soak.svg

One service is watched all the time; a second one joins its group and leaves it in turn. Memory of
the last minute has to be within 5 % of that of the second, threads, file descriptors and tasks may
not be more, and every message has to come out exactly once. Exit code 1 where that does not hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.load import Account, account, drained, make_stream, mixed_messages, play
from bench.plot import svg
from bench.watching import Sample, Watched, watched_service
from tools.kafka.jar_broker import start_jar_broker
from tools.service_process import running_service

if TYPE_CHECKING:
    from tools.kafka.streams import Stream
    from tools.kafka.topics import Message

REBALANCE_EVERY_S = 20.0
# Connections of before are closed, and those of now opened, so long after the group has settled.
SETTLING_S = 6.0
MEMORY_CHANGE_MAX = 0.05
COUNTS = ("threads", "files", "tasks")


@dataclass
class Soak:
    """What is seen: samples, and the two metrics at the end of each minute."""

    watched: Watched
    exit_codes: list[int] = field(default_factory=list)
    published: list[float] = field(default_factory=list)
    rebalances: list[float] = field(default_factory=list)
    undrained: int = 0
    drained_s: float = 0.0

    def minute(self, number: int, phase: str | None = None) -> list[Sample]:
        """The samples of a minute, 1 the first; of one phase, or of all."""
        samples = self.watched.samples
        began = samples[0].at
        return [
            s
            for s in samples
            if (s.at - began) // 60 == number - 1 and (phase is None or s.phase == phase)
        ]


async def come_and_go(soak: Soak, folder: Path, settings: dict[str, str]) -> None:
    """A second service, started and stopped in turn every 20 s, until cancelled."""
    watched = soak.watched
    due = time.monotonic()

    async def stay(phase: str) -> None:
        nonlocal due
        # Where the other one takes long to start, still so long that the group settles.
        due = max(due + REBALANCE_EVERY_S, time.monotonic() + 2 * SETTLING_S)
        await asyncio.sleep(SETTLING_S)
        watched.phase = phase
        await asyncio.sleep(due - time.monotonic())
        watched.phase = "rebalance"

    while True:
        await stay("alone")
        with running_service(folder, settings) as other:
            await asyncio.to_thread(other.wait_ready)
            await stay("in pair")
            soak.exit_codes.append(await asyncio.to_thread(other.stop))


async def note_minutes(soak: Soak, minutes: int, progress: Progress) -> None:
    """Note the metrics at the end of each minute, and show how far it is."""
    service = soak.watched.service
    shown = progress.add_task("soak", total=minutes * 60)
    began = time.monotonic()
    for minute in range(minutes + 1):
        while (now := time.monotonic()) < began + 60 * minute:
            progress.update(shown, completed=now - began)
            await asyncio.sleep(1)
        for values, name in (
            (soak.published, "sentiment_published_total"),
            (soak.rebalances, "sentiment_rebalances_total"),
        ):
            values.append(await asyncio.to_thread(service.metric, name))
    progress.update(shown, completed=minutes * 60)


async def run(
    stream: Stream, folder: Path, messages: list[Message], rate: float, progress: Progress
) -> tuple[Soak, Account]:
    """Soak a service, its logs in a folder; gives what was seen, and what came out."""
    minutes = math.ceil(len(messages) / rate / 60)
    # The texts come again and again; each shall be computed.
    settings = stream.settings(MODEL__REPEATS_MAX="0")
    with watched_service(folder, settings) as watched:
        await asyncio.to_thread(watched.service.wait_ready)
        soak = Soak(watched)
        beside = [asyncio.create_task(watched.watch())]
        beside.append(asyncio.create_task(come_and_go(soak, folder, settings)))
        await asyncio.gather(play(stream, messages, rate), note_minutes(soak, minutes, progress))
        for task in beside:
            task.cancel()
        for task in beside:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        began = time.monotonic()
        soak.undrained = await drained(stream, watched.service)
        soak.drained_s = time.monotonic() - began
        soak.exit_codes.append(await asyncio.to_thread(watched.service.stop))
    return soak, await account(stream, messages)


def table(soak: Soak, minutes: int) -> Table:
    """A line for each minute; maxima are of all samples, rebalances included."""
    result = Table("minute", "RSS MB", "of it anonymous", "most MB", "threads", "files", "tasks",
                   "CPU", "published", "rebalances", title="the watched service")  # fmt: skip
    for number in range(1, minutes + 1):
        samples = soak.minute(number)
        used = (samples[-1].cpu_s - samples[0].cpu_s) / (samples[-1].at - samples[0].at)
        result.add_row(
            str(number),
            f"{statistics.mean(s.rss_bytes for s in samples) / 1e6:.1f}",
            f"{statistics.mean(s.anonymous_bytes for s in samples) / 1e6:.1f}",
            f"{max(s.rss_bytes for s in samples) / 1e6:.1f}",
            *(str(max(getattr(s, name) for s in samples)) for name in COUNTS),
            f"{used:.0%}",
            f"{soak.published[number] - soak.published[number - 1]:.0f}",
            f"{soak.rebalances[number] - soak.rebalances[number - 1]:.0f}",
        )
    return result


def verdict(soak: Soak, minutes: int) -> list[tuple[bool, str]]:
    """Each thing that has to hold, whether it does, and by what figures.

    Counts are compared alone with alone and in pair with in pair, away from the rebalances: then
    the moment of a rebalance, and who got how many partitions in it, does not matter.
    """
    second, last = (
        statistics.mean(s.rss_bytes for s in soak.minute(number)) for number in (2, minutes)
    )
    change = last / second - 1
    lines = [(abs(change) <= MEMORY_CHANGE_MAX, f"memory changed by {change:+.1%}")]
    for phase in ("alone", "in pair"):
        before, after = soak.minute(2, phase), soak.minute(minutes, phase)
        if not before or not after:
            lines.append((False, f"{phase}: never settled; is the machine too busy?"))
            continue
        for name in COUNTS:
            first, now = (max(getattr(s, name) for s in some) for some in (before, after))
            text = f"{phase}: {name} {first} in minute 2, {now} in the last"
            if now > first:
                text += f", {dict(after[-1].kinds)}" if name == "tasks" else ""
            lines.append((now <= first, text))
    text = f"{soak.undrained} messages left undone, {soak.drained_s:.0f} s after the load ended"
    lines.append((soak.undrained == 0, text))
    return [*lines, (set(soak.exit_codes) == {0}, f"exit codes {sorted(set(soak.exit_codes))}")]


def plot(soak: Soak) -> str:
    """Memory and counts over time, as SVG."""
    samples = soak.watched.samples
    minutes = [(s.at - samples[0].at) / 60 for s in samples]
    lines: dict[str, list[float]] = {"RSS MB": [s.rss_bytes / 1e6 for s in samples]}
    lines |= {name: [getattr(s, name) for s in samples] for name in COUNTS}
    return svg("minutes", minutes, lines)


@click.command()
@click.option("--minutes", type=click.IntRange(min=3), default=10, show_default=True)
@click.option("--rate", default=100.0, show_default=True, help="Messages a second.")
@click.option("--plot", "plot_file", type=click.Path(path_type=Path), help="SVG file to write.")
def main(minutes: int, rate: float, plot_file: Path | None) -> None:
    """Soak the service, and judge."""
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    messages = mixed_messages(int(0.98 * rate * minutes * 60))
    with start_jar_broker() as broker, Progress(console=console) as progress:
        soak, out = asyncio.run(run(make_stream(broker), folder, messages, rate, progress))
    console.print(table(soak, minutes))
    lines = [*verdict(soak, minutes), (out.whole, str(out))]
    for good, line in lines:
        console.print("[green]good[/]" if good else "[red]bad [/]", line)
    if plot_file is not None:
        plot_file.write_text(plot(soak))
    console.print(f"logs: {folder}")
    sys.exit(not all(good for good, _ in lines))


if __name__ == "__main__":
    main()
