"""The commands. Parses arguments, calls the room that does the work, turns errors to exit codes.

Rooms are imported when their command runs, so that `--help` is instant and `run` needs no
training packages. Exit codes: 0 done, 1 failed, 2 wrong settings or arguments.
"""
# ruff: noqa: D301 - click leaves a paragraph as it is where it finds the character, not the escape

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from service.errors import InputError, ServiceError, SettingsError
from service.settings import Settings, each_setting, load_settings, variable

if TYPE_CHECKING:
    from collections.abc import Callable

EXIT_FAILED = 1
EXIT_SETTINGS = 2

# Which extra brings what some commands need beyond the service itself.
_EXTRAS = {"confluent_kafka": "demo", "sklearn": "lab", "torch": "lab", "transformers": "lab"}


class _Commands(click.Group):
    """Turns the errors that people read into one line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (SettingsError, InputError) as error:
            for line in str(error).splitlines():  # one for each wrong setting
                click.echo(f"error: {line}", err=True)
            ctx.exit(EXIT_SETTINGS)
        except ServiceError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(EXIT_FAILED)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package not in _EXTRAS:
                raise
            remedy = f"pip install 'sentiment-stream[{_EXTRAS[package]}]'"
            click.echo(f"error: {package} is not installed; {remedy}", err=True)
            ctx.exit(EXIT_FAILED)


def _with_settings(*groups: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command a flag for every setting of the groups, and hand it a `Settings`."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        def command(**arguments: Any) -> Any:
            flags: dict[str, dict[str, Any]] = {}
            for group, name, _ in each_setting():
                value = arguments.pop(f"{group}_{name}", None)
                if value is not None:
                    flags.setdefault(group, {})[name] = value
            return function(settings=load_settings(flags), **arguments)

        command.__name__, command.__doc__ = function.__name__, function.__doc__
        command.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
        for group, name, field in reversed(list(each_setting())):
            if group in groups:
                flag = f"--{group}-{name}".replace("_", "-")
                help_text = f"{field.description}  [{variable(group, name)}]"
                command = click.option(flag, f"{group}_{name}", help=help_text)(command)
        return command

    return decorate


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sentiment-stream")
def main() -> None:
    """Score the sentiment of text on Kafka topics.

    \b
    sentiment-stream demo                         see it work, with a broker inside
    sentiment-stream run                          the service, on your cluster
    sentiment-stream score "What a lovely day"    one text, here and now
    """
    # Set before the tokenizer's library starts its pool: it has a thread of its own here.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@main.command()
@click.option("--check-config", is_flag=True, help="Check the settings, print them, and exit.")
@_with_settings("kafka", "model", "batch", "delivery", "http", "log")
def run(settings: Settings, check_config: bool) -> None:
    """Run the service until SIGTERM or SIGINT.

    Every setting is an environment variable or a flag; the flag wins.

    \b
    SENTIMENT_KAFKA__BOOTSTRAP_SERVERS=broker:9092 sentiment-stream run
    sentiment-stream run --kafka-input-topic posts,reviews --kafka-output-topic sentiment
    """
    if check_config:
        click.echo(settings.model_dump_json(indent=2))
        return
    from service.app import run_service  # noqa: PLC0415 - see the module's docstring
    from service.logs import configure_logging  # noqa: PLC0415

    configure_logging(settings.log)
    asyncio.run(run_service(settings))


@main.command()
@click.option("--seconds", type=click.FloatRange(min=1), help="End by itself after so long.")
@_with_settings("model", "batch", "delivery", "http")
def demo(settings: Settings, seconds: float | None) -> None:
    """See messages being scored: a broker inside the process, a generator, the real service.

    \b
    sentiment-stream demo --seconds 20
    """
    from service.demo import run_demo  # noqa: PLC0415

    sys.exit(asyncio.run(run_demo(settings, seconds, Console())))


@main.command()
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--input",
    "source",
    type=click.File("rb"),
    help="File to read, - for standard input: plain text or JSON, one message a line, or one "
    'object {"input_data": [...]}.',
)
@_with_settings("model")
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


@main.command()
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="TSV with the header sentence<TAB>label.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@_with_settings("model")
def evaluate(settings: Settings, data: Path, as_json: bool) -> None:
    """Measure the model on labelled text.

    \b
    sentiment-stream evaluate --data dev.tsv
    sentiment-stream evaluate --data dev.tsv --json | jq .accuracy
    """
    from service.lab.evaluate import evaluate as measure  # noqa: PLC0415
    from service.lab.evaluate import print_table  # noqa: PLC0415

    figures = measure(data, settings, Console(stderr=True))
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        print_table(figures, Console())


def _with_recipe(command: Callable[..., Any]) -> Callable[..., Any]:
    from service.lab.recipe import HELP, Recipe  # noqa: PLC0415

    for name, help_text in reversed(HELP.items()):
        default = getattr(Recipe, name)
        flag = "--" + name.replace("_", "-")
        option = click.option(flag, name, default=default, show_default=True, help=help_text)
        command = option(command)
    return command


@main.command()
@click.option(
    "--base",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of a BERT or DistilBERT checkpoint to start from.",
)
@click.option("--base-name", help="What the card calls it; the folder's name unless set.")
@click.option("--data", required=True, type=click.Path(path_type=Path), help="TSV to train on.")
@click.option(
    "--test", type=click.Path(path_type=Path), help="TSV to measure once at the end, for the card."
)
@click.option("--output", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@_with_recipe
def train(
    base: Path, base_name: str | None, data: Path, test: Path | None, output: Path, **recipe: Any
) -> None:
    """Fine-tune a two-label classifier; the same command goes on where it was interrupted.

    \b
    sentiment-stream train --base minilm/ --data train.tsv --test dev.tsv --output model/
    """
    from service.lab.recipe import Recipe  # noqa: PLC0415
    from service.lab.train import Trainer  # noqa: PLC0415

    console = Console(stderr=True)
    trainer = Trainer(base, data, output, Recipe(**recipe), base_name=base_name, test=test)
    click.echo(json.dumps(trainer.run(console), indent=2))


@main.command()
@click.option("--reason", "reasons", multiple=True, help="Only letters of this reason; repeatable.")
@click.option("--since", type=click.DateTime(), help="Only letters from this time (UTC) on.")
@click.option("--until", type=click.DateTime(), help="Only letters from before this time (UTC).")
@click.option("--partition", type=int, help="Only messages of this input partition.")
@click.option("--first-offset", type=int, help="Only messages from this input offset on.")
@click.option("--last-offset", type=int, help="Only messages up to this input offset.")
@click.option("--send", is_flag=True, help="Send; without it, only say what would be sent.")
@_with_settings("kafka")
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


@main.command()
@click.option(
    "--output", default="schemas", type=click.Path(path_type=Path), help="Folder to write to."
)
def schemas(output: Path) -> None:
    """Write the JSON Schemas of everything on the wire.

    \b
    sentiment-stream schemas --output schemas/
    """
    from service.schemas import write_schemas  # noqa: PLC0415

    for path in write_schemas(output):
        click.echo(path)


@main.command()
def reference() -> None:
    """Print the reference of settings, metrics, reasons and exit codes, as Markdown.

    \b
    sentiment-stream reference > service/reference.md
    """
    from service.reference import reference as page  # noqa: PLC0415

    click.echo(page(), nl=False)
