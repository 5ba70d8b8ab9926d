"""The command `score`; its work is in `service.lab.score` and `service.tables`."""
# ruff: noqa: D301 - click leaves a paragraph as it is where it finds the character, not the escape

from __future__ import annotations

import os
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, get_args

import click

from service.cli.options import NEW_FILE, with_settings
from service.errors import ExitCode, InputError
from service.records import TextFormat
from service.tables.reading import FORMS, form_of
from service.terminal import remarks, results

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from service.lab.figures import Tally
    from service.lab.scored_file import Job
    from service.settings import Settings


# Endings of files, besides those of tables: what ends so and is no file is hardly a text.
_ENDINGS = {
    ".doc", ".docx", ".eml", ".gz", ".htm", ".html", ".log", ".mbox", ".md", ".ods", ".odt", ".pdf",
    ".ppt", ".pptx", ".rtf", ".tar", ".xls", ".xlsx", ".xml", ".xz", ".zip", ".zst",
}  # fmt: skip


@click.command()
@click.argument("texts", nargs=-1, metavar="[TEXT]... | FILE")
@click.option("--input", "source", metavar="FILE", help="File to read, - for standard input.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    help="Form of the file; by default by its name, else text: a text or a JSON object a line, "
    'or one object {"input_data": [...]}. Each may be compressed by gzip or zstd; Parquet needs '
    "the extra tables.",
)
@click.option(
    "--text-column",
    default="text",
    show_default=True,
    metavar="NAME|POINTER",
    help="Column with the text, or a JSON pointer to it, like /review/body.",
)
@click.option("--id-column", metavar="NAME|POINTER", help="Column to write as the id of a row.")
@click.option(
    "--output",
    type=NEW_FILE,
    help="File to write: .jsonl, .csv or .parquet; by default JSON Lines on standard output.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on behind the last row of --output. Give the options of the first run: its last eight "
    "rows are scored again and must be the same, but what these do not show goes unnoticed.",
)
@click.option(
    "--prefix", default="", metavar="TEXT", help="What the names of added columns begin with."
)
@click.option("--strict", is_flag=True, help="End with 1 if any row fails, not only if all do.")
@click.option(
    "--text-format",
    type=click.Choice(get_args(TextFormat)),
    help="Markup of the texts; by default that of SENTIMENT_KAFKA__TEXT_FORMAT.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON lines on a terminal too.")
@with_settings("model")
def score(
    settings: Settings,
    texts: tuple[str, ...],
    source: str | None,
    text_format: TextFormat | None,
    strict: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Score texts, or the rows of a file, in order.

    A row keeps its columns, and gets line, label, score, scores, confident, language and
    truncated; a row that fails gets its error. On a terminal, each text is a line with its label in
    colour; elsewhere, a line of JSON.

    \b
    sentiment-stream score "Today was an amazing day!" "It was an unfortunate series of events."
    sentiment-stream score reviews.csv --text-column review --output scored.csv
    sentiment-stream score archive.parquet --output scored.parquet --resume
    zcat posts.jsonl.gz | sentiment-stream score --input - --format jsonl > scores.jsonl
    """
    if not texts and source is None:
        raise InputError("give either texts or --input FILE; - is standard input")
    if source == "":
        raise InputError("--input: is empty; give a file, or - for standard input")
    source = source or _named_file(texts)
    if source is not None and texts not in ((), (source,)):
        raise InputError("give either texts or --input FILE; - is standard input")
    if text_format is not None:
        kafka = settings.kafka.model_copy(update={"text_format": text_format})
        settings = settings.model_copy(update={"kafka": kafka})
    if source is None:
        tally = _score_texts(settings, texts, options, as_json=as_json)
    else:
        from service.lab.scored_file import score_file  # noqa: PLC0415 - see `service.cli`

        tally = score_file(_job(source, as_json=as_json, **options), settings, remarks())
    failed = tally.failures and (strict or tally.failures == tally.rows)
    sys.exit(ExitCode.FAILED if failed else ExitCode.DONE)


def _named_file(texts: Sequence[str]) -> str | None:
    """The file that an only argument names; None if all are texts.

    Raises:
        InputError: one of several arguments names a file, or an argument could only be one.
    """
    for text in texts:
        # Unlike Path's, these take a text that is too long for a path, or has a zero byte.
        if os.path.isdir(text):  # noqa: PTH112
            raise InputError(
                f"{text} is a folder; give a file; if it is a text: echo {text} | score --input -"
            )
        # A pipe is a file too, as `<(...)` of a shell is.
        if os.path.exists(text):  # noqa: PTH110
            if len(texts) == 1:
                return text
            raise InputError(f"{text} is a file; give it alone: score --input {text}")
        if len(text.split()) == 1 and _is_called_a_file(text):
            raise InputError(
                f"there is no file {text}; if it is a text: echo {text} | score --input -"
            )
    return None


def _is_called_a_file(text: str) -> bool:
    return form_of(text) is not None or PurePath(text).suffix.lower() in _ENDINGS


def _job(
    place: str,
    text_column: str,
    id_column: str | None,
    output: Path | None,
    resume: bool,
    **others: Any,
) -> Job:
    from service.lab.scored_file import Job, check_output  # noqa: PLC0415 - see `service.cli`
    from service.tables.rows import Column  # noqa: PLC0415

    if resume and output is None:
        raise InputError("--resume goes on with a file; give --output FILE")
    if output is not None:
        check_output(output, place)
    identity = None if id_column is None else Column("--id-column", id_column)
    text = Column("--text-column", text_column)
    return Job(place, text_column=text, id_column=identity, output=output, resume=resume, **others)


def _score_texts(
    settings: Settings, texts: Sequence[str], options: dict[str, Any], *, as_json: bool
) -> Tally:
    from service.lab.figures import in_colour, in_json  # noqa: PLC0415 - see `service.cli`
    from service.lab.score import score_texts  # noqa: PLC0415

    if options["output"] is not None or options["resume"]:
        raise InputError("--output and --resume are for files; give --input FILE")
    console = results()
    is_plain = as_json or not console.is_terminal
    return score_texts(texts, in_json(sys.stdout) if is_plain else in_colour(console), settings)
