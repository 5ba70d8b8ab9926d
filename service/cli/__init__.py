"""The commands. Parses arguments, calls the room that does the work, turns errors to exit codes.

Rooms are imported when their command runs, so that `--help` is instant and `run` needs no
training packages. Exit codes: 0 done, 1 failed, 2 wrong settings or arguments.
"""
# ruff: noqa: D301 - click leaves a paragraph as it is where it finds the character, not the escape

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from service.cli.health import health
from service.cli.lab import COMMANDS
from service.cli.options import with_settings
from service.cli.trust import TRUST_COMMANDS
from service.errors import InputError, ServiceError, SettingsError

if TYPE_CHECKING:
    from service.settings import Settings

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
@with_settings("kafka", "model", "batch", "delivery", "http", "log")
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
@with_settings("model", "batch", "delivery", "http")
def demo(settings: Settings, seconds: float | None) -> None:
    """See messages being scored: a broker inside the process, a generator, the real service.

    \b
    sentiment-stream demo --seconds 20
    """
    from service.demo import run_demo  # noqa: PLC0415

    sys.exit(asyncio.run(run_demo(settings, seconds, Console())))


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


for command in (health, *COMMANDS, *TRUST_COMMANDS):
    main.add_command(command)
