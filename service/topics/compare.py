"""Compares two models by their events on the same messages: `sentiment-stream compare`.

Exists so that a candidate can run on live messages as a release of its own, and be judged before it
replaces the current model. Reads both topics at about the same pace, so that few events wait to be
joined. Nothing may enter that writes to a topic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from service.errors import RetriableError
from service.kafka.once.outputs import Outputs
from service.registry import schemas_of
from service.terminal import Table, labelled, percent, printable, progress_bar
from service.topics.comparison import Comparison
from service.topics.framed import values_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from service.records import Record
    from service.registry.schemas import Schemas
    from service.settings import KafkaSettings

# Empty reads in a row before the end that are taken for a failure of the brokers.
IDLE_READS_MAX = 20


async def compare(
    settings: KafkaSettings, topics: tuple[str, str], examples: int, console: Console
) -> dict[str, Any]:
    """Compare two output topics up to their current ends; `console` shows the progress.

    Returns what `Comparison.figures` does.

    Raises:
        RetriableError: the brokers do not answer, or return no more records before the end.
        BrokerError: waiting does not help, or topics do not exist, all of which it names.
        InputError: events are written with a schema, and no registry is set.
        SettingsError: as for `schemas_of`.
    """
    comparison = Comparison(topics, examples)
    schemas = schemas_of(settings)
    try:
        await _read(settings, comparison, topics, schemas, console)
    finally:
        if schemas is not None:
            await schemas.close()
    return comparison.figures()


async def _read(
    settings: KafkaSettings,
    comparison: Comparison,
    topics: tuple[str, str],
    schemas: Schemas | None,
    console: Console,
) -> None:
    async with Outputs(settings, topics) as outputs:
        with progress_bar(console) as progress:
            task = progress.add_task("compare", total=outputs.total)
            idle = 0
            while any(map(outputs.has_more, topics)):
                if idle >= IDLE_READS_MAX:
                    raise RetriableError(
                        f"{' and '.join(topics)}: no event came for {idle} reads, and not all are "
                        "read; see whether the brokers are well, and compare again"
                    )
                number = comparison.behind()
                if not outputs.has_more(topics[number]):
                    number = 1 - number
                records: Sequence[Record] = await outputs.read(topics[number])
                idle = 0 if records else idle + 1
                for value in await values_of(records, schemas):
                    comparison.add(number, value)
                progress.advance(task, len(records))


def print_comparison(figures: dict[str, Any], console: Console) -> None:
    """Print the figures as tables."""
    topics = [side["topic"] for side in figures["sides"]]
    table = Table(
        f"{figures['joined']} messages scored by both", "", *(f">{topic}" for topic in topics)
    )
    for name in ("events", "without_other_half", "repeats", "unreadable"):
        table.add_row(name.replace("_", " "), *(str(side[name]) for side in figures["sides"]))
    table.add_row("models", *("\n".join(side["models"]) for side in figures["sides"]))
    console.print(table)
    shift = figures["shift"]
    console.print(
        f"the same label for {percent(figures['agreement'], 2)}, opposite poles for "
        f"{percent(figures['pole_flips'], 2)}; polarities (0 negative, 1 positive) shift by "
        f"{shift['mean']:+.4f} in the mean, by {shift['mean_absolute']:.4f} either way, for 95 % "
        f"by at most {shift['p95']:.3f}, for 99 % {shift['p99']:.3f}"
    )
    table = Table("labels by both", *topics, ">messages", ">share")
    for pair in figures["labels"]:
        share = percent(pair["count"] / figures["joined"], 2)
        table.add_row(labelled(pair["from"]), labelled(pair["to"]), str(pair["count"]), share)
    console.print(table)
    table = Table(
        "the largest shifts, flipped ones first", "message", "id", "labels", "polarities", "text"
    )
    for example in (*figures["flipped_examples"], *figures["shifted_examples"]):
        origin = example["origin"]
        table.add_row(
            "/".join(str(part) for part in origin.values() if part is not None),
            printable(example["source_id"]),
            Text(" → ").join(map(labelled, example["labels"])),
            " → ".join(f"{score:.3f}" for score in example["scores"]),
            printable(example["text"] or ""),
        )
    console.print(table)
