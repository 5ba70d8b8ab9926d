"""The commands beside the stream; what each does is in `service.lab`."""
# ruff: noqa: D301 - click leaves a paragraph as it is where it finds the character, not the escape

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from service.cli.options import with_settings
from service.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.settings import Settings


@click.command()
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--input",
    "source",
    type=click.File("rb"),
    help="File to read, - for standard input: plain text or JSON, one message a line, or one "
    'object {"input_data": [...]}.',
)
@with_settings("model")
def score(settings: Settings, texts: tuple[str, ...], source: Any) -> None:
    """Score texts; one JSON line each on standard output, in order.

    \b
    sentiment-stream score "Today was an amazing day!" "It was an unfortunate series of events."
    sentiment-stream score --input reviews.txt
    """
    if bool(texts) == (source is not None):
        raise InputError("give either texts or --input FILE")
    from service.lab.score import score_lines, score_texts  # noqa: PLC0415

    if source is not None:
        score_lines(source, sys.stdout, settings)
    else:
        score_texts(texts, sys.stdout, settings)


def _with_recipe(command: Callable[..., Any]) -> Callable[..., Any]:
    from service.lab.recipe import HELP, Recipe  # noqa: PLC0415

    for name, help_text in reversed(HELP.items()):
        default = getattr(Recipe, name)
        flag = "--" + name.replace("_", "-")
        option = click.option(
            flag, name, default=default, is_flag=default is False, show_default=True, help=help_text
        )
        command = option(command)
    return command


def _with_sources(command: Callable[..., Any]) -> Callable[..., Any]:
    path = click.Path(path_type=Path)
    for option in (
        click.option("--tweets", type=path, help="TSV of id, mean rating, text; odd ids are used."),
        click.option(
            "--posts", type=path, help="TSV of text, label ids (1 negative, 3 positive), id."
        ),
        click.option("--data", required=True, type=path, help="TSV to train on."),
    ):
        command = option(command)
    return command


@click.command()
@click.option(
    "--base",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of a BERT or DistilBERT checkpoint to start from.",
)
@click.option("--base-name", help="What the card calls it; the folder's name unless set.")
@_with_sources
@click.option(
    "--countries",
    type=click.Path(path_type=Path),
    help="Folder with countries.csv, whose names are exchanged for the consistency loss.",
)
@click.option(
    "--test", type=click.Path(path_type=Path), help="TSV to measure once at the end, for the card."
)
@click.option("--output", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@_with_recipe
def train(
    base: Path,
    base_name: str | None,
    output: Path,
    data: Path,
    posts: Path | None,
    tweets: Path | None,
    **options: Any,
) -> None:
    """Fine-tune a two-label classifier; the same command goes on where it was interrupted.

    \b
    sentiment-stream train --base minilm/ --data train.tsv --test dev.tsv --output model/
    """
    from service.lab.mixture import Sources  # noqa: PLC0415
    from service.lab.recipe import Recipe  # noqa: PLC0415
    from service.lab.runs import train as run  # noqa: PLC0415

    sources = Sources(data, posts, tweets, options.pop("countries"), options.pop("test"))
    recipe = Recipe(**options)
    figures = run(base, sources, output, recipe, Console(stderr=True), base_name)
    click.echo(json.dumps(figures, indent=2))


@click.command()
@click.option(
    "--model",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder that `train` wrote; gets a sentiment.json.",
)
@_with_sources
def calibrate(model: Path, data: Path, posts: Path | None, tweets: Path | None) -> None:
    """Make a trained model's scores probabilities, by what its training held out.

    Give the files that it was trained on: they are split as they were then.

    \b
    sentiment-stream calibrate --model model/ --data train.tsv
    """
    from service.lab.calibrate import calibrate as fit  # noqa: PLC0415
    from service.lab.mixture import Sources  # noqa: PLC0415

    click.echo(json.dumps(fit(model, Sources(data, posts, tweets)), indent=2))


@click.command()
@click.option("--reason", "reasons", multiple=True, help="Only letters of this reason; repeatable.")
@click.option("--since", type=click.DateTime(), help="Only letters from this time (UTC) on.")
@click.option("--until", type=click.DateTime(), help="Only letters from before this time (UTC).")
@click.option("--partition", type=int, help="Only messages of this input partition.")
@click.option("--first-offset", type=int, help="Only messages from this input offset on.")
@click.option("--last-offset", type=int, help="Only messages up to this input offset.")
@click.option("--send", is_flag=True, help="Send; without it, only say what would be sent.")
@with_settings("kafka")
def replay(
    settings: Settings,
    reasons: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    send: bool,
    **place: int | None,
) -> None:
    """Send dead letters back to the topics they came from, bytes, key and headers as they were.

    A replay goes on where the last one of the same selection ended. A message that was sent back
    three times stays a dead letter.

    \b
    sentiment-stream replay --reason engine_error              # what would be sent
    sentiment-stream replay --reason engine_error --send
    """
    from service.lab.replay import Selection, print_fates  # noqa: PLC0415
    from service.lab.replay import replay as run_replay  # noqa: PLC0415

    since_ms, until_ms = (
        None if t is None else int(t.replace(tzinfo=UTC).timestamp() * 1000) for t in (since, until)
    )
    selection = Selection(frozenset(reasons), since_ms, until_ms, **place)
    console = Console(stderr=True)
    fates = asyncio.run(run_replay(settings.kafka, selection, console, send=send))
    print_fates(fates, Console(), send=send)


_texts = click.option(
    "--texts",
    type=click.Path(path_type=Path),
    help="File to measure on: a text a line, .tsv (last column) or .jsonl (`text`); else the "
    "demo's messages.",
)


@click.command()
@_texts
@click.option("--output", default="tuning.json", show_default=True, type=click.Path(path_type=Path))
@click.option("--seconds", default=30.0, show_default=True, help="Time for all measurements.")
@with_settings("model")
def tune(settings: Settings, texts: Path | None, output: Path, seconds: float) -> None:
    """Find the quickest way to run the model here that stays close to float32.

    Writes a file that `run` reads, so that no replica measures at its start.

    \b
    sentiment-stream tune --texts posts.txt --output tuning.json
    SENTIMENT_MODEL__TUNING_FILE=tuning.json sentiment-stream run
    """
    from service.lab.texts import read_texts  # noqa: PLC0415 - see the module `service.cli`
    from service.lab.tune import TEXTS, print_candidates  # noqa: PLC0415
    from service.lab.tune import tune as measure  # noqa: PLC0415

    found, candidates = measure(
        settings.model, read_texts(texts, TEXTS), seconds, Console(stderr=True)
    )
    try:
        output.write_text(found.model_dump_json(indent=2) + "\n")
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error}); give another path") from None
    print_candidates(candidates, found, Console())
    click.echo(f"SENTIMENT_MODEL__TUNING_FILE={output}")


@click.command()
@click.option("--output", default="model.onnx", show_default=True, type=click.Path(path_type=Path))
@with_settings("model")
def export(settings: Settings, output: Path) -> None:
    """Write the packed model as one ONNX file, weights inside; in float32 or int8.

    \b
    sentiment-stream export --output model.onnx
    sentiment-stream export --precision int8 --output model-int8.onnx
    """
    from service.lab.export import export as write  # noqa: PLC0415

    click.echo(json.dumps(write(settings.model, output), indent=2))


@click.command()
@_texts
@click.option("--count", default=2000, show_default=True, help="Texts to score in each round.")
@click.option("--rounds", default=3, show_default=True, help="Repeats, interleaved.")
@click.option(
    "--bootstrap-servers",
    help="Brokers to measure the whole service on, host:port; topics are made there. Without "
    "them, engines and limits alone.",
)
@click.option(
    "--seconds", default=20.0, show_default=True, help="Of load at each rate, for the latency."
)
@click.option("--full-size", is_flag=True, help="DistilBERT's full size with random weights.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.option("--plot", type=click.Path(path_type=Path), help="File to write bars to, as SVG.")
@with_settings("model")
def bench(settings: Settings, as_json: bool, plot: Path | None, **what: Any) -> None:
    """Measure limits, engines, baselines and the whole service, in one run on this machine.

    \b
    sentiment-stream bench
    sentiment-stream bench --full-size --texts tweets.tsv --bootstrap-servers localhost:9092
    """
    from service.bench import report  # noqa: PLC0415 - see the module `service.cli`

    found = report.run(settings.model, console=Console(stderr=True), **what)
    if plot is not None:
        plot.write_text(report.plot(found))
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=2))
    else:
        report.show(found, Console())


COMMANDS = (score, train, calibrate, replay, tune, export, bench)
