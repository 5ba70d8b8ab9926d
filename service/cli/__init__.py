"""The commands: parse arguments, start the room that does the work, turn errors into exit codes.

A room is imported when its command runs, so that `--help` is fast and `run` needs no training
packages. Nothing may enter that does the work itself. The exit codes are in `service.errors`.
"""
# ruff: noqa: D301 - click leaves a paragraph as it is where it finds the character, not the escape

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from service.cli.completion import completion
from service.cli.failures import report
from service.cli.feeds import feed
from service.cli.health import health
from service.cli.lab import COMMANDS
from service.cli.measuring import MEASURING_COMMANDS
from service.cli.options import A_PATH, with_settings
from service.cli.run import run
from service.cli.score import score
from service.cli.training import TRAINING_COMMANDS
from service.errors import EXIT_CODES
from service.observe.logs import configure_plain_logging
from service.terminal import results

if TYPE_CHECKING:
    from pathlib import Path

    from service.settings import Settings

_EXIT_CODES = "\n".join(f"  {code:>3}  {why}" for code, why in EXIT_CODES.items())
_EPILOG = f"""\b
Exit codes:
{_EXIT_CODES}

Results go to standard output, progress and errors to standard error. In a pipe, tables are
tab-separated lines without colours; --json gives one JSON object. NO_COLOR=1 leaves colours out on
a terminal too.
"""


# The order of `--help`, which does not list a command that is missing here.
SECTIONS = {
    "The stream": ("demo", "run", "health", "feed", "replay", "compare"),
    "Texts and models": ("score", "evaluate", "bias", "train", "calibrate", "export"),
    "Speed": ("tune", "bench"),
    "Documents": ("reference", "schemas", "completion"),
}


class _Commands(click.Group):
    """Turns errors that the user can do something about into one line and an exit code."""

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, self.commands))
        for title, names in SECTIONS.items():
            with formatter.section(title):
                room = formatter.width - width - 6
                formatter.write_dl(
                    [(n.ljust(width), self.commands[n].get_short_help_str(room)) for n in names]
                )

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            raise click.exceptions.Exit(report(error) or 0) from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (Exception, KeyboardInterrupt) as error:
            code = report(error, ctx.invoked_subcommand)
            if code is None:
                raise
            ctx.exit(code)


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EPILOG
)
@click.version_option(package_name="sentiment-stream")
def main() -> None:
    """Score the sentiment of text on Kafka topics.

    \b
    sentiment-stream demo                         see it work, with a broker inside
    sentiment-stream run                          the service, on your cluster
    sentiment-stream score "What a lovely day"    one text, here and now
    """
    # Before the tokenizer's library starts a pool: the service gives it a thread of its own.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    configure_plain_logging()
    # The error that ends a command has the client's message; `run` logs it as well.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())


@main.command()
@click.option("--seconds", type=click.FloatRange(min=1), help="End after this many seconds.")
@with_settings("model", "batch", "delivery", "http")
def demo(settings: Settings, seconds: float | None) -> None:
    """See messages being scored, with a broker inside the process.

    A generator plays messages, the real service scores them, and the terminal shows what comes out.

    \b
    sentiment-stream demo
    sentiment-stream demo --seconds 20
    """
    from service.demo import run_demo  # noqa: PLC0415

    sys.exit(asyncio.run(run_demo(settings, seconds, results())))


@main.command()
@click.option("--output", default="schemas", type=A_PATH, help="Folder to write to.")
def schemas(output: Path) -> None:
    """Write the JSON Schemas of everything on the wire.

    \b
    sentiment-stream schemas --output schemas/
    """
    from service.reference.schemas import write_schemas  # noqa: PLC0415

    for path in write_schemas(output):
        click.echo(path)


@main.command()
def reference() -> None:
    """Print the reference of settings, metrics, events and errors.

    The output is Markdown; service/reference/README.md is a copy of it.

    \b
    sentiment-stream reference > service/reference/README.md
    """
    from service.reference.settings_page import reference as page  # noqa: PLC0415

    click.echo(page(), nl=False)


for command in (
    run,
    health,
    completion,
    feed,
    score,
    *COMMANDS,
    *TRAINING_COMMANDS,
    *MEASURING_COMMANDS,
):
    main.add_command(command)
