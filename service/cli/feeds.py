"""`sentiment-stream feed`: the feeds that are known, and what would be read of a message and why.

The work is in `service.lab.feed`.
"""
# ruff: noqa: D301 - click leaves a paragraph as it is where it finds the character, not the escape

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING

import click

from service.cli.options import A_PATH, json_flag
from service.errors import InputError
from service.settings import load_settings, variable
from service.settings.feeds import FEEDS, PRESET
from service.terminal import BAD, GOOD, QUIET, Table, printable, results

if TYPE_CHECKING:
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from service.lab.feed import Read
    from service.settings import KafkaSettings
    from service.settings.feeds import Feed

# Stands for no feed: the settings as they are.
_OWN = "-"
_STYLES = {"scored": GOOD, "skipped": QUIET, "dead_letter": BAD}


def _complete(_: click.Context, __: click.Parameter, begun: str) -> list[str | CompletionItem]:
    return [name for name in FEEDS if name.startswith(begun)]


@click.command()
@click.argument("name", required=False, shell_complete=_complete)
@click.argument("file", required=False, type=A_PATH)
@click.option("--settings", "as_settings", is_flag=True, help="Print what the feed stands for.")
@json_flag
def feed(name: str | None, file: Path | None, as_settings: bool, as_json: bool) -> None:
    """Show what would be read of messages, and why.

    FILE, or standard input, is one JSON document, or a message on each line; it may be compressed
    by gzip or zstd. NAME is a feed, or - for the settings as they are; settings in the environment
    win over those of a feed. Without a NAME, all feeds are listed. No model is loaded, and no
    schema registry is asked: values that are framed for one are read by `run` alone.

    \b
    sentiment-stream feed                            which feeds there are
    sentiment-stream feed slack < message.json       what is read, and by which pointer or condition
    sentiment-stream feed slack --settings           the variables that the feed stands for
    """
    if name is None:
        if as_settings:
            raise InputError("--settings: give a NAME, like feed slack --settings")
        _list(as_json)
        return
    if as_settings and file is not None:
        raise InputError("--settings reads no messages; leave FILE or --settings out")
    settings = load_settings({} if name == _OWN else {"kafka": {"feed": name}})
    if as_settings:
        _print_settings(FEEDS.get(name, settings.kafka), as_json)
        return
    if file is None and (sys.stdin is None or sys.stdin.isatty()):
        raise InputError(f"give messages: feed {name} FILE, or feed {name} < FILE")
    from service.lab.feed import content, read_each  # noqa: PLC0415 - see the package's docstring
    from service.tables.sources import STANDARD_INPUT  # noqa: PLC0415

    data = content(STANDARD_INPUT if file is None else str(file))
    _print_read(list(read_each(data, settings)), as_json)


def _list(as_json: bool) -> None:
    if as_json:
        rows = {n: {"reads": f.reads, "passes_over": f.passes_over} for n, f in FEEDS.items()}
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table("", "feed", "reads", "passes over")
    for name, one in FEEDS.items():
        table.add_row(name, one.reads, one.passes_over)
    results().print(table)


def _print_settings(values: Feed | KafkaSettings, as_json: bool) -> None:
    shown = {variable("kafka", name): getattr(values, name) for name in PRESET}
    if as_json:
        click.echo(json.dumps(shown))
        return
    for name, value in shown.items():
        click.echo(f"{name}={shlex.quote(value)}")


def _print_read(reads: list[Read], as_json: bool) -> None:
    if as_json:
        for read in reads:
            click.echo(json.dumps(read._asdict(), ensure_ascii=False))
        return
    table = Table("", ">message", "outcome", "why", "text")
    for read in reads:
        number = str(read.message) if read.element is None else f"{read.message}.{read.element}"
        table.add_row(
            number,
            read.outcome.replace("_", " "),
            read.why,
            printable(read.text or ""),
            style=_STYLES[read.outcome] if read.outcome != "scored" else "",
        )
    results().print(table)
