"""Commands beside the stream; their work is in `service.lab`, `service.topics`, `service.bench`."""
# ruff: noqa: D301 - click leaves a paragraph as it is where it finds the character, not the escape

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from service.cli.options import (
    A_PATH,
    NEW_FILE,
    json_flag,
    print_figures,
    print_found,
    with_settings,
)
from service.errors import InputError
from service.records import Reason
from service.terminal import remarks

if TYPE_CHECKING:
    from pathlib import Path

    from service.settings import Settings
    from service.topics.replay import Selection


def _time(value: str) -> int:
    """A time as `run --from` takes it, in ms since 1970."""
    from service.kafka.backfill.span import time_ms  # noqa: PLC0415 - see `service.cli`

    try:
        return time_ms(value)
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{value!r} is no time; give one like 2026-11-01T00:00Z") from None


_COUNTED = click.IntRange(0)


@click.command()
@click.option(
    "--reason",
    "reasons",
    multiple=True,
    type=click.Choice([reason.value for reason in Reason]),
    metavar="REASON",
    help="Only dead letters with this reason; repeatable.",
)
@click.option(
    "--since",
    type=_time,
    metavar="TIME",
    help="Only dead letters since this time, like 2026-11-01T00:00Z (UTC without a zone).",
)
@click.option("--until", type=_time, metavar="TIME", help="Only dead letters before this time.")
@click.option("--partition", type=_COUNTED, help="Only messages of this input partition.")
@click.option("--first-offset", type=_COUNTED, help="Only messages from this input offset on.")
@click.option("--last-offset", type=_COUNTED, help="Only messages up to this input offset.")
@click.option("--send", is_flag=True, help="Send them; without it, only list what would be sent.")
@json_flag
@with_settings("kafka")
def replay(
    settings: Settings,
    reasons: tuple[str, ...],
    send: bool,
    as_json: bool,
    **place: int | None,
) -> None:
    """Send dead letters back to the topics they came from.

    Bytes, key and headers are unchanged. A replay continues where the last one with the same
    selection ended. A message that was sent back three times stays a dead letter.

    \b
    sentiment-stream replay --reason engine_error              # what would be sent
    sentiment-stream replay --reason engine_error --send
    sentiment-stream replay --since 2026-11-01T00:00Z
    """
    from service.topics.replay import fates_table  # noqa: PLC0415 - see `service.cli`
    from service.topics.replay import replay as run_replay  # noqa: PLC0415

    selection = _selection(frozenset(reasons), **place)
    console = remarks()
    fates, passed = asyncio.run(run_replay(settings.kafka, selection, console, send=send))
    found = {"sent": send, "letters": fates, "offsets_done": passed}
    print_found(found, as_json, lambda out: out.print(fates_table(fates, send=send)))
    topic = settings.kafka.dead_letter_topic
    if passed:
        console.print(
            f"already sent: what this selection takes of the first {passed} offsets of {topic}, by "
            "an earlier --send; this one begins behind them, another selection at the first letter"
        )
    elif not fates:
        console.print(f"no such letters on {topic} (SENTIMENT_KAFKA__DEAD_LETTER_TOPIC)")
    if fates and not send:
        console.print("nothing was sent; add --send to send them")


def _selection(
    reasons: frozenset[str],
    since: int | None,
    until: int | None,
    first_offset: int | None,
    last_offset: int | None,
    partition: int | None,
) -> Selection:
    """What is selected.

    Raises:
        InputError: nothing can be.
    """
    from service.topics.replay import Selection  # noqa: PLC0415 - see `service.cli`

    if since is not None and until is not None and since >= until:
        raise InputError("--since is not before --until; change one of them")
    if first_offset is not None and last_offset is not None and first_offset > last_offset:
        raise InputError(
            f"--first-offset {first_offset} is behind --last-offset {last_offset}; change one of "
            "them"
        )
    return Selection(reasons, since, until, partition, first_offset, last_offset)


_texts = click.option(
    "--texts",
    type=A_PATH,
    help="File to measure on: one text per line, or a table of any form of `score` with the column "
    "text or sentence, else a .tsv's last column; the demo's messages by default.",
)


@click.command()
@_texts
@click.option(
    "--output", default="tuning.json", show_default=True, type=NEW_FILE, help="File to write."
)
@click.option(
    "--seconds",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="Time for all of it; each way is measured once however few.",
)
@json_flag
@with_settings("model")
def tune(
    settings: Settings, texts: Path | None, output: Path, seconds: float, as_json: bool
) -> None:
    """Find the fastest way to run the model on this machine.

    Only a way with nearly the scores of float32 is chosen. `run` reads the file that this writes,
    so that no replica measures when it starts. First each engine is measured, then the best of
    them with other threads and sizes of runs: some dozen ways, three times each if there is time.
    Once for each, the model is loaded and computes all texts, however few --seconds are given.

    \b
    sentiment-stream tune --texts posts.txt --output tuning.json
    SENTIMENT_MODEL__TUNING_FILE=tuning.json sentiment-stream run
    """
    from service.lab.data.texts import is_guess, read_texts  # noqa: PLC0415 - see `service.cli`
    from service.lab.tune import TEXTS, print_candidates  # noqa: PLC0415
    from service.lab.tune import tune as measure  # noqa: PLC0415

    console = remarks()
    measured_on = read_texts(texts, TEXTS)
    found, candidates = measure(settings.model, measured_on, seconds, console)
    output.write_text(found.model_dump_json(indent=2) + "\n")
    print_found(found.model_dump(), as_json, lambda out: print_candidates(candidates, found, out))
    console.print(f"written: {output}; `run` reads it with SENTIMENT_MODEL__TUNING_FILE={output}")
    if guess := is_guess(measured_on):
        console.print(guess)


@click.command()
@click.option(
    "--output", default="model.onnx", show_default=True, type=NEW_FILE, help="File to write."
)
@json_flag
@with_settings("model")
def export(settings: Settings, output: Path, as_json: bool) -> None:
    """Write the packed model as one ONNX file.

    The file contains the weights, in float32 unless --precision is int8.

    \b
    sentiment-stream export --output model.onnx
    sentiment-stream export --precision int8 --output model-int8.onnx
    """
    from service.lab.export import export as write  # noqa: PLC0415

    print_figures(f"{output}: written", write(settings.model, output), as_json)


@click.command()
@_texts
@click.option(
    "--count",
    default=2000,
    show_default=True,
    type=click.IntRange(1),
    help="Texts to score in each round.",
)
@click.option(
    "--rounds", default=3, show_default=True, type=click.IntRange(1), help="Interleaved rounds."
)
@click.option(
    "--bootstrap-servers",
    help="Brokers to measure the whole service on, host:port; it creates topics there. Without "
    "brokers, only engines and limits are measured.",
)
@click.option(
    "--seconds", default=20.0, show_default=True, help="Seconds of load at each rate, for latency."
)
@click.option(
    "--full-size", is_flag=True, help="Use a model of DistilBERT's full size with random weights."
)
@json_flag
@click.option("--plot", type=NEW_FILE, help="File for a bar chart, as SVG.")
@with_settings("model")
def bench(settings: Settings, as_json: bool, plot: Path | None, **what: Any) -> None:
    """Measure limits, engines, baselines and the whole service.

    Everything is measured in one run on this machine, so that figures can be compared.

    \b
    sentiment-stream bench
    sentiment-stream bench --full-size --texts tweets.tsv --bootstrap-servers localhost:9092
    """
    from service.bench import report  # noqa: PLC0415 - see the module `service.cli`
    from service.bench.tables import plot as plot_of  # noqa: PLC0415
    from service.bench.tables import show  # noqa: PLC0415

    console = remarks()
    found = report.run(settings.model, console=console, **what)
    print_found(found.as_json(), as_json, lambda out: show(found, out))
    if plot is not None:
        plot.write_text(plot_of(found))
        console.print(f"written: {plot}")


COMMANDS = (replay, tune, export, bench)
