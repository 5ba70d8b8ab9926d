"""Scores a file and writes another: from opening both to the summary.

Exists so that the command only parses. What is read, scored and shown is in `service.tables`,
`score` and `figures`.
"""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from service.errors import InputError
from service.lab.figures import Figures, in_colour, in_json
from service.lab.score import asks_of, outcomes_of, score_all
from service.records import Reason
from service.scoring.texts import Scorer, load_model
from service.tables.reading import Table, output_form
from service.tables.rows import shown
from service.tables.writing import Csv, JsonLines, Written, other_content
from service.terminal import Pace, results

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from service.lab.figures import Outcome, Tally, Write
    from service.lab.score import Ask
    from service.scoring.texts import LoadedModel
    from service.settings import Settings
    from service.tables.rows import Column
    from service.tables.writing import Writer

OUTPUT_FORMS = ("jsonl", "csv", "parquet")


class Job(NamedTuple):
    """A file to score: where it is (`-` is standard input), its form, its columns, what to write.

    Without `output`, rows are lines of JSON on standard output, or coloured lines on a terminal.
    """

    place: str
    form: str | None
    text_column: Column
    id_column: Column | None = None
    output: Path | None = None
    prefix: str = ""
    resume: bool = False
    as_json: bool = False


def score_file(
    job: Job, settings: Settings, remarks: Console, model: LoadedModel | None = None
) -> Tally:
    """Score each row of a file; `remarks` gets the progress and the summary.

    Raises:
        InputError: a file cannot be read or written, or lacks a column.
        SettingsError, ModelError: as `load_model`, or the model has stopped working.
    """
    form = None if job.output is None else output_form(str(job.output), OUTPUT_FORMS)
    # From one Parquet file to another, columns pass through as they are.
    wanted = job.text_column.names | (job.id_column.names if job.id_column else set())
    with Table(
        job.place, job.form, job.text_column, wanted if form == "parquet" else None
    ) as table:
        if job.id_column is not None and table.columns:
            job.id_column.check(table.name, table.columns)
        scorer = Scorer(model or load_model(settings.model))
        figures = Figures(
            scorer.info.labels, job.prefix, job.id_column, nested=form in (None, "jsonl")
        )
        figures.check(table.name, table.columns or ())
        writer = _writer(job, form, table, figures)
        is_whole = False
        try:
            tally = _score(job, table, figures, writer, scorer, settings, remarks)
            is_whole = True
        finally:
            if writer is not None:
                writer.close(is_whole=is_whole)
    return tally


def _score(
    job: Job,
    table: Table,
    figures: Figures,
    writer: Writer | None,
    scorer: Scorer,
    settings: Settings,
    remarks: Console,
) -> Tally:
    before = writer.count if writer is not None else 0
    tail = writer.tail() if writer is not None else []
    asks = asks_of(table, job.text_column, settings.model.text_bytes_max, before - len(tail))
    if writer is not None and tail:
        # The last rows that are written are scored again, to see that they are of this file.
        again = outcomes_of(list(islice(asks, len(tail))), scorer, settings.kafka.text_format)
        if not figures.are_same(tail, writer.as_read(_written(again, figures))):
            assert job.output is not None  # noqa: S101 - for the type checker
            raise other_content(job.output)
    seen = _Seen(asks)
    write, is_shown = _write(job, table, figures, writer)
    with Pace("score", remarks, lambda: table.done) as pace:
        progress = (lambda _: None) if is_shown else pace.update
        tally = score_all(seen, write, scorer, settings.kafka.text_format, progress)
    behind = f", behind {before:,} that were there" if before else ""
    written = f"; written: {job.output}" if job.output is not None else ""
    remarks.print(f"{tally}{behind}{written}{_hint(job, table, seen, tally)}")
    return tally


class _Seen:
    """Iterates over rows; keeps the columns of the first, and how many have cells without one."""

    def __init__(self, asks: Iterator[Ask]) -> None:
        self._asks = asks
        self.columns: tuple[str, ...] = ()
        self.beyond = 0

    def __iter__(self) -> Iterator[Ask]:
        for number, ask in enumerate(self._asks):
            if number == 0:
                self.columns = tuple(ask.row.columns)
            self.beyond += bool(ask.row.beyond)
            yield ask


def _hint(job: Job, table: Table, seen: _Seen, tally: Tally) -> str:
    if seen.beyond and job.output and output_form(str(job.output), OUTPUT_FORMS) != "jsonl":
        return (
            f"; left out: the cells of {seen.beyond:,} rows beyond the columns of the header; "
            "`line` says where, and .jsonl keeps them"
        )
    if table.columns is not None or tally.failed[Reason.TEXT_MISSING] < max(1, tally.rows):
        return ""
    return f"; no row has {job.text_column.in_words} but {shown(seen.columns)}: give --text-column"


def _writer(job: Job, form: str | None, table: Table, figures: Figures) -> Writer | None:
    if job.output is None:
        return None
    if form == "jsonl":
        return JsonLines(job.output, figures.fields[0].name, resume=job.resume)
    if form == "csv":
        return Csv(job.output, table.columns, figures.fields, resume=job.resume)
    from service.tables.parquet_writing import Parquet  # noqa: PLC0415 - an extra

    return Parquet(job.output, table.columns, figures.fields, table.schema, resume=job.resume)


def _write(job: Job, table: Table, figures: Figures, writer: Writer | None) -> tuple[Write, bool]:
    """What writes rows, and whether a person sees them as they come."""
    out = results()
    if writer is None and out.is_terminal and not job.as_json:
        return in_colour(out), True
    to_standard_output = in_json(sys.stdout, figures)

    def write(outcomes: Sequence[Outcome]) -> None:
        if table.columns is None:
            for outcome in outcomes:
                figures.check(f"{table.name}:{outcome.row.line}", outcome.row.columns)
        if writer is None:
            to_standard_output(outcomes)
        else:
            writer.write(_written(outcomes, figures))

    return write, writer is None and out.is_terminal


def _written(outcomes: Sequence[Outcome], figures: Figures) -> list[Written]:
    return [Written(outcome.row, figures.of(outcome)) for outcome in outcomes]


def check_output(output: Path, place: str) -> None:
    """Refuse what cannot be written before anything is loaded.

    Raises:
        InputError: its name is for no form, or it is the input.
    """
    output_form(str(output), OUTPUT_FORMS)
    # Whether the input exists is reported where it is opened.
    is_there = place != "-" and output.exists() and Path(place).exists()
    if is_there and output.samefile(place):
        raise InputError(f"{output}: is the input; give another --output")
