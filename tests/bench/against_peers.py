"""The whole service beside what one would build with a stream framework and Transformers.

    python tests/bench/against_peers.py --model FOLDER --texts tweets.tsv --count 2000 --rounds 3

Each candidate scores the same posts with the same model on the same CPUs, from one topic to
another, in rounds that take turns. Not a test: nothing is asserted about time. The peers are in
bench/peers, each installed in an environment of its own below .cache/peers, beside the torch and
Transformers of the interpreter that runs this.
"""

from __future__ import annotations

import asyncio
import csv
import functools
import json
import statistics
import sys
import tempfile
import time
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

import click
from rich.console import Console
from rich.table import Table

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from bench.peers.reading import PARTITIONS, Reader, busy_cpus, key_of  # noqa: E402 - by the path
from bench.peers.running import CandidateError, Place, running_peer  # noqa: E402
from tools.kafka.broker import start_broker  # noqa: E402
from tools.kafka.topics import Message, create_topic, produce  # noqa: E402
from tools.service_process import ServiceProcess, running_service  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from tools.kafka.broker import Broker

PEERS = {
    "plain": "at least once",
    "faust_agent": "at least once",
    "quix_apply": "at least once",
    "quix_sink": "at least once",
    "faststream_batch": "at least once",
    "bytewax_collect": "at least once, by a local store of offsets",
}
THREADS = 2
WARM_UP = 64
# After the last event that is awaited: whether one comes twice.
AFTER_S = 1.0
# What a resting broker needs; with more, two threads wait for each other and for what else runs.
BUSY_CPUS_MAX = 0.2
# Starting and filling up, which a stream does once.
BEGIN = 0.05


@dataclass
class Outcome:
    """What was measured of a candidate: of each round that went well, and why others did not."""

    name: str
    guarantee: str
    messages_per_s: list[float] = field(default_factory=list)
    all_s: list[float] = field(default_factory=list)
    """From the sending of the first message to the last event."""
    peak_bytes: list[int] = field(default_factory=list)
    missing: int = 0
    doubled: int = 0
    busy_cpus: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Candidate(NamedTuple):
    """Something to measure."""

    start: Callable[[Path, Place], AbstractContextManager[ServiceProcess]]
    outcome: Outcome


def running_ours(
    settings: dict[str, str], folder: Path, place: Place
) -> AbstractContextManager[ServiceProcess]:
    """Start the service."""
    return running_service(
        folder,
        {
            "KAFKA__BOOTSTRAP_SERVERS": place.bootstrap,
            "KAFKA__INPUT_TOPIC": place.topic_in,
            "KAFKA__OUTPUT_TOPIC": place.topic_out,
            "KAFKA__DEAD_LETTER_TOPIC": f"{place.topic_out}-dead",
            "KAFKA__GROUP_ID": place.topic_in,
            "MODEL__NAME": str(place.model),
            "MODEL__THREADS": str(place.threads),
            **settings,
        },
    )


def rate(started: float, arrivals: Sequence[tuple[float, int]], count: int) -> float:
    """Messages per second after the beginning; of all where they came at once."""
    began, first = next(arrival for arrival in arrivals if arrival[1] >= BEGIN * count)
    ended, last = arrivals[-1]
    return (last - first) / (ended - began) if last > first else last / (ended - started)


def measure(
    broker: Broker, candidate: Candidate, folder: Path, place: Place, texts: Sequence[str]
) -> str:
    """Run one round of a candidate, add its outcome, and say it in a line.

    Args:
        broker: where to make the topics.
        candidate: what to run.
        folder: for its log and what it keeps.
        place: topics that are not there yet, and the model.
        texts: what is measured, and WARM_UP more at the end.
    """
    for topic in (place.topic_in, place.topic_out, f"{place.topic_out}-dead"):
        create_topic(broker, topic, PARTITIONS, {})
    messages = [
        Message(key_of(number), json.dumps({"id": number, "text": text}).encode())
        for number, text in enumerate(texts)
    ]
    measured = range(len(texts) - WARM_UP)
    outcome = candidate.outcome
    reader = Reader(place)
    try:
        with candidate.start(folder, place) as app:
            asyncio.run(produce(place.bootstrap, place.topic_in, messages[len(measured) :]))
            reader.read(range(len(measured), len(texts)), app)
            started = time.monotonic()
            asyncio.run(produce(place.bootstrap, place.topic_in, messages[: len(measured)]))
            arrivals = reader.read(measured, app)
            peak_bytes = app.peak_memory_bytes()
            until = time.monotonic() + AFTER_S
            while time.monotonic() < until:
                reader.poll()
    except CandidateError as error:
        outcome.failures.append(str(error))
        return f"failed, {error}"
    finally:
        reader.close()
    outcome.messages_per_s.append(rate(started, arrivals, len(measured)))
    outcome.all_s.append(arrivals[-1][0] - started)
    outcome.peak_bytes.append(peak_bytes)
    outcome.missing += sum(number not in reader.seen for number in measured)
    outcome.doubled += sum(times > 1 for times in reader.seen.values())
    return (
        f"{outcome.messages_per_s[-1]:.0f} messages/s, all in {outcome.all_s[-1]:.1f} s, "
        f"peak memory {peak_bytes / 1e6:.0f} MB"
    )


def our_candidate(option: str) -> Candidate:
    """Read `name:KEY=VALUE,...`."""
    name, _, pairs = option.partition(":")
    settings = dict(pair.split("=", 1) for pair in pairs.split(",") if pair)
    mode = settings.get("DELIVERY__MODE", "exactly_once").replace("_", " ")
    return Candidate(functools.partial(running_ours, settings), Outcome(name, mode))


def table(outcomes: Sequence[Outcome]) -> Table:
    """Medians of all candidates; the first is what the others are compared with."""
    drawn = Table()
    for name in ("candidate", "messages/s", "relative", "peak MB", "missing / doubled", "delivery"):
        drawn.add_column(name, justify="left" if name in ("candidate", "delivery") else "right")
    base = outcomes[0].messages_per_s
    for outcome in outcomes:
        rates = outcome.messages_per_s
        if not rates:
            drawn.add_row(outcome.name, "failed", "", "", "", outcome.failures[-1])
            continue
        median = statistics.median(rates)
        spread = f" ({min(rates):.0f} to {max(rates):.0f})" if len(rates) > 1 else ""
        drawn.add_row(
            outcome.name,
            f"{median:.0f}{spread}",
            f"{median / statistics.median(base):.2f}" if base else "",
            f"{max(outcome.peak_bytes) / 1e6:.0f}",
            f"{outcome.missing} / {outcome.doubled}",
            outcome.guarantee,
        )
    return drawn


@click.command()
@click.option(
    "--model", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True
)
@click.option("--texts", "texts_file", type=click.File(), required=True, help="Third column: texts")
@click.option("--count", default=2000, show_default=True, help="Posts that are measured")
@click.option("--rounds", default=1, show_default=True)
@click.option(
    "--ours",
    multiple=True,
    default=["sentiment-stream:"],
    help="name:KEY=VALUE,… of the service's settings; may be given several times",
)
@click.option("--peer", "peers", multiple=True, default=list(PEERS), type=click.Choice(list(PEERS)))
@click.option("--json", "json_file", type=click.File("w"), help="Write all figures there")
def main(
    model: Path,
    texts_file: TextIO,
    count: int,
    rounds: int,
    ours: Sequence[str],
    peers: Sequence[str],
    json_file: TextIO | None,
) -> None:
    """Measure the service and its peers, in turns."""
    rows = csv.reader(texts_file, delimiter="\t", quoting=csv.QUOTE_NONE)
    # No text twice: the service would remember its score.
    texts = list(dict.fromkeys(row[2] for row in rows))[: count + WARM_UP]
    if len(texts) < count + WARM_UP:
        most = len(texts) - WARM_UP
        raise click.BadParameter(f"the texts are enough for {most} at most", param_hint="--count")
    candidates = [our_candidate(option) for option in ours] + [
        Candidate(functools.partial(running_peer, name), Outcome(name, PEERS[name]))
        for name in peers
    ]
    folder = Path(tempfile.mkdtemp())
    click.echo(f"logs go to {folder}")
    with start_broker() as broker:
        for number in range(rounds):
            for candidate in candidates:
                name, run = candidate.outcome.name, uuid.uuid4().hex[:8]
                inside = folder / f"{name}-{number + 1}"
                inside.mkdir(exist_ok=True)
                place = Place(
                    broker.bootstrap_servers, f"in-{run}", f"out-{run}", model.resolve(), THREADS
                )
                candidate.outcome.busy_cpus.append(busy := busy_cpus(1.0))
                if busy > BUSY_CPUS_MAX:
                    click.echo(f"{busy:.1f} CPUs are busy with something else: not comparable")
                line = measure(broker, candidate, inside, place, texts)
                click.echo(f"round {number + 1}, {name}: {line}")
    outcomes = [candidate.outcome for candidate in candidates]
    Console(width=110).print(table(outcomes))
    if json_file:
        figures = {"model": model.name, "count": count, "rounds": rounds, "threads": THREADS}
        json.dump(figures | {"candidates": [asdict(o) for o in outcomes]}, json_file, indent=2)


if __name__ == "__main__":
    main()
