"""Makes the table of input forms: what `score` and `evaluate` do with each, right and wrong.

    PYTHONPATH=tests:. python tests/tools/input_forms.py > service/reference/input-forms.md

Both run on files of each form, with a model that is made up.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from backports import zstd
from rich.console import Console

from service.errors import InputError
from service.lab.data.tabled import Columns, read_any
from service.lab.figures import SCORE_DIFFERS_MAX
from service.lab.scored_file import Job, score_file
from service.records import ModelInfo
from service.scoring.texts import LoadedModel
from service.settings import Settings
from service.tables.rows import Column
from service.tables.writing import TAIL_ROWS
from service.text.encoder import TextEncoder
from tools.table_files import write_table
from tools.tiny_model import CountingEngine, tiny_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ROWS = [{"text": "good film", "label": "positive"}, {"text": "bad film", "label": "negative"}]
_CSV = b"text,label\ngood film,positive\nbad film,negative\n"
_HEAD = """# Input forms

What `score FILE` and `evaluate --data FILE` do with a file of each form; a test runs both on each.
The form is told by the name, or by `--format`; Parquet needs the extra `tables`. The files of the
first table have two rows with `text` and `label`, or what their name says (`glue.tsv` is scored
with `--text-column sentence`).

"""
_RESUMED = f"""`score --resume` goes on behind the last row of `--output`. It first scores
the last {TAIL_ROWS} rows there again, and refuses the file if one of them differs: in its columns,
in what is added to them, or in a score by more than {SCORE_DIFFERS_MAX}. What these rows do not
show goes unnoticed, such as another `--text-format` where none of them has markup, or another
`--model-unsure-label` where the model is sure of all: give the options of the first run.
"""


class Case(NamedTuple):
    """A file: what it is, its name, and its bytes; None for what `write_table` writes."""

    what: str
    name: str
    content: bytes | None = None


RIGHT = (
    Case("CSV", "rows.csv"),
    Case("CSV with semicolons", "semicolon.csv"),
    Case("CSV with a byte order mark", "bom.csv"),
    Case("CSV in gzip", "rows.csv.gz"),
    Case("CSV in zstd", "rows.csv.zst", zstd.compress(_CSV)),
    Case("CSV, a cell is not UTF-8", "cell.csv", _CSV + b"\xff,positive\n"),
    Case("CSV, a row has more cells", "cells.csv", _CSV + b"good, very,positive\n"),
    Case("TSV", "rows.tsv"),
    Case("TSV in GLUE's form", "glue.tsv", b"sentence\tlabel\ngood film\t1\nbad film\t0\n"),
    Case("JSON Lines", "rows.jsonl"),
    Case("JSON Lines in zstd", "rows.jsonl.zst"),
    Case("JSON Lines, a line is broken", "line.jsonl",
         b'{"text": "good", "label": "positive"}\n{"text": \n'),
    Case("JSON array", "rows.json"),
    Case("JSON array, indented", "pretty.json"),
    Case("JSON objects behind each other", "objects.json",
         b'{"text": "good", "label": "positive"}\n{"text": "bad",\n "label": "negative"}'),
    Case("request of the published endpoint", "request.json", b'{"input_data": ["good", "bad"]}'),
    Case("Parquet", "rows.parquet"),
    Case("text, a line each", "rows.txt"),
    Case("text, by no suffix", "rows", b"good film\nbad film\n"),
    Case("JSON Lines, empty", "empty.jsonl", b""),
    Case("JSON array, empty", "brackets.json", b"[]"),
    Case("text, empty", "empty.txt", b""),
    Case("CSV, a header alone", "header.csv", b"text,label\n"),
)  # fmt: skip
WRONG = (
    Case("no such file", "none.csv", b""),
    Case("CSV, empty", "empty.csv", b""),
    Case("TSV, empty", "empty.tsv", b""),
    Case("JSON, empty", "empty.json", b""),
    Case("Parquet, empty", "empty.parquet", b""),
    Case("CSV without a header", "headless.csv", b"good film,positive\nbad film,negative\n"),
    Case("CSV, a quote is not closed", "quote.csv", b'text,label\n"good film,positive\n'),
    Case("CSV, a column named twice", "twice.csv", b"text,text\n"),
    Case("UTF-16", "utf16.csv", _CSV.decode().encode("utf-16")),
    Case("Latin-1 in the header", "latin.csv", b"text,caf\xe9\n"),
    Case("Excel", "sheet.xlsx", b"PK\x03\x04\x14\0"),
    Case("Excel, called CSV", "sheet.csv", b"PK\x03\x04\x14\0"),
    Case("no gzip, called so", "plain.csv.gz", _CSV),
    Case("gzip, cut short", "cut.csv.gz", gzip.compress(_CSV, mtime=0)[:-12]),
    Case("xz", "rows.csv.xz", b"\xfd7zXZ\x00\x00\x00"),
    Case("JSON array, called JSON Lines", "array.jsonl", b'[{"text": "good"}]'),
    Case("text, called JSON", "text.json", b"good film\n"),
    Case("JSON array, cut short", "cut.json", b'[{"text": "good film", "label": "positive"},\n'),
    Case("Parquet, called CSV", "parquet.csv", b"PAR1\x15\x04"),
    Case("CSV, called Parquet", "csv.parquet", _CSV),
    Case("PDF", "page.pdf", b"%PDF-1.7\n"),
    Case("labels that nobody can tell", "mood.csv", b"text,label\ngood film,happy\n"),
)


def page() -> str:
    """The whole page."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        right = "\n".join(_lines(RIGHT))
        wrong = "\n".join(_lines(WRONG))
    between = "Other files are refused in one line, with exit code 2:"
    return f"{_HEAD}{right}\n\n{between}\n\n{wrong}\n\n{_RESUMED}"


def _lines(cases: tuple[Case, ...]) -> Iterator[str]:
    yield "| file | `score` | `evaluate` |"
    yield "|---|---|---|"
    for case in cases:
        file = Path(case.name)
        if case.content is None:
            write_table(file, _ROWS)
        elif case.what != "no such file":
            file.write_bytes(case.content)
        cells = (case.what + f", `{case.name}`", _told(_score, file), _told(_evaluate, file))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _told(command: Callable[[Path], str], file: Path) -> str:
    try:
        return command(file)
    except InputError as error:
        return f"`error: {error}`"


def _score(file: Path) -> str:
    info = ModelInfo("tiny", "r", "fake", "float32", "cpu", ("NEGATIVE", "POSITIVE"))
    model = LoadedModel(CountingEngine(info), TextEncoder(tiny_tokenizer(), 64))
    prefix = "s_"
    remarks = Console(file=io.StringIO(), width=1000)
    output = Path("out.jsonl")
    try:
        column = Column("--text-column", "sentence" if file.name == "glue.tsv" else "text")
        job = Job(str(file), None, column, output=output, prefix=prefix)
        tally = score_file(job, Settings(), remarks, model)
    finally:
        output.unlink(missing_ok=True)
    return str(tally)


def _evaluate(file: Path) -> str:
    labelled = read_any(file, Columns())
    failed = "".join(f"; {count} cannot be used: {why}" for why, count in labelled.failed.items())
    return f"{len(labelled.examples)} rows measured{failed}"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - the page is what it is for
