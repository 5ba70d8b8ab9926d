"""The command `run`: the service, a backfill, and the checks that are made before either.

Exists so that what only `run` is given stays together. The work is in `service.app`.
"""
# ruff: noqa: D301 - click leaves a paragraph as it is where it finds the character, not the escape

from __future__ import annotations

import asyncio
import re
import sys
import time
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from service.cli.options import json_flag, print_figures, with_settings
from service.errors import ExitCode, InputError
from service.settings.carry import carry_notice
from service.settings.fields import NAME_ALLOWED, NAME_PATTERN
from service.terminal import BAD, GOOD, WARN, Table, printable, results, say_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.kafka.backfill import Span
    from service.settings import Settings

_WORDS = {True: ("ok", GOOD), False: ("failed", BAD), None: ("unknown", WARN)}


@click.command()
@click.option(
    "--check-config",
    is_flag=True,
    help="Check the settings and the files that they name, print them, and exit.",
)
@click.option(
    "--check-cluster",
    is_flag=True,
    help="Check what the brokers and the schema registry would refuse, and exit.",
)
@click.option(
    "--until-end",
    is_flag=True,
    help="Backfill: score what is in the input topics now, and end. The other flags of a backfill "
    "go with it.",
)
@click.option(
    "--from",
    "start",
    metavar="earliest|TIME|OFFSET",
    help="Where a backfill begins, if its group has committed nothing yet: the first record "
    "(default), the first one at or after a time like 2026-11-01T00:00Z (UTC without a zone), or, "
    "in digits, an offset in every partition.",
)
@click.option(
    "--to",
    "end",
    metavar="TIME|OFFSET",
    help="The first record that a backfill does not read; by default what comes after its start.",
)
@click.option(
    "--group",
    metavar="NAME",
    help="Consumer group of a backfill. Default: that of the service and -backfill.",
)
@json_flag
@with_settings("kafka", "model", "batch", "delivery", "http", "log", "tracing")
def run(
    settings: Settings,
    check_config: bool,
    check_cluster: bool,
    until_end: bool,
    as_json: bool,
    **backfill: str | None,
) -> None:
    """Run the service until a signal, or a backfill to its end.

    SIGTERM and SIGINT end both once what was read is published. Every setting is an
    environment variable or a flag; the flag wins.

    \b
    SENTIMENT_KAFKA__BOOTSTRAP_SERVERS=broker:9092 sentiment-stream run
    sentiment-stream run --kafka-input-topic posts,reviews --kafka-output-topic sentiment
    sentiment-stream run --until-end --from 2026-11-01T00:00Z
    """
    span = None
    if as_json and (check_config or check_cluster):
        raise InputError("--json is for the summary of a backfill; leave it out of a check")
    if until_end:
        settings, span = _backfill(settings, **backfill)
    elif any(value is not None for value in backfill.values()) or as_json:
        raise InputError("--from, --to, --group and --json are for a backfill; add --until-end")
    if check_config:
        _check_config(settings, span)
        return
    if check_cluster:
        sys.exit(asyncio.run(_check_cluster(settings)))
    from service.app import run_service  # noqa: PLC0415 - see `service.cli`
    from service.observe.logs import configure_logging  # noqa: PLC0415

    configure_logging(settings.log)
    if span is None:
        asyncio.run(run_service(settings))
        return
    _tell(asyncio.run(run_service(settings, span)), as_json)


def _tell(summary: Mapping[str, Any] | None, as_json: bool) -> None:
    """Print what a backfill has done, and end with INTERRUPTED where it is not done."""
    is_done = summary is not None and summary["done"]
    if not is_done:
        say_error("stopped before the end of the backfill; the same command goes on where it was")
    if summary is not None:
        try:
            print_figures("Backfill", summary, as_json)
        except OSError:
            if is_done:
                say_error("the backfill is done and committed; only its summary is lost")
            raise
    if not is_done:
        sys.exit(ExitCode.INTERRUPTED)


def _backfill(
    settings: Settings, start: str | None, end: str | None, group: str | None
) -> tuple[Settings, Span]:
    """The settings of a backfill, and what it reads.

    Raises:
        InputError: one of its flags cannot be used.
    """
    from service.kafka.backfill import Span  # noqa: PLC0415 - see `service.cli`

    kafka = settings.kafka
    own = group if group is not None else f"{kafka.group_id}-backfill"
    if group is None and not re.fullmatch(NAME_PATTERN, own):
        raise InputError(
            f"SENTIMENT_KAFKA__GROUP_ID with -backfill behind it has {len(own)} characters, and "
            "the name of a group at most 249; give a shorter one by --group"
        )
    if not re.fullmatch(NAME_PATTERN, own):
        raise InputError(f"--group {printable(own)!r} is no name of a group; give {NAME_ALLOWED}")
    if own == kafka.group_id:
        raise InputError(
            f"--group {own} is the service's (SENTIMENT_KAFKA__GROUP_ID), whose partitions a "
            "backfill would take; name another"
        )
    span = Span.of(start, end, time.time() * 1000)
    # Where it begins is up to --from.
    update = {"group_id": own, "auto_offset_reset": "earliest"}
    return settings.model_copy(update={"kafka": kafka.model_copy(update=update)}), span


def _check_config(settings: Settings, span: Span | None) -> None:
    from service.cli.config import check_files  # noqa: PLC0415 - see `service.cli`

    check_files(settings)
    click.echo(settings.model_dump_json(indent=2))
    include_text = settings.delivery.include_text
    if notice := carry_notice(settings.kafka.carry, include_text=include_text):
        click.echo(notice, err=True)
    if span is not None:
        click.echo(f"the backfill reads {span}", err=True)


async def _check_cluster(settings: Settings) -> ExitCode:
    """Print a line for each check as it ends; FAILED if any has failed.

    Raises:
        ServiceError: the brokers cannot be reached, or refuse the login.
    """
    from service.kafka.once.cluster import check_cluster  # noqa: PLC0415 - see `service.cli`
    from service.registry.check import check_registry  # noqa: PLC0415

    table, code = Table("", "result", "check", "what was found"), ExitCode.DONE
    of_brokers = check_cluster(settings.kafka, settings.delivery.mode)
    for checks in (of_brokers, check_registry(settings.kafka)):
        async for name, passed, text in checks:
            word, style = _WORDS[passed]
            table.add_row(Text(word, style), name, printable(text))
            if passed is False:
                code = ExitCode.FAILED
    results().print(table)
    return code
