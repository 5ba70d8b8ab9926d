"""Reads texts for measurements of speed, from a file or from the demo's messages.

Exists so that every such command reads them in the same way, and a table as `score` does. Nothing
may enter that measures.
"""

from __future__ import annotations

import json
from importlib.resources import files
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from service.errors import InputError
from service.tables.reading import Table, form_of
from service.tables.rows import Column, shown
from service.wire.documents.json_values import RejectError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

# Of fewer texts the lengths say little of a topic's, and one in a hundred, which decides whether
# the scores are close enough, is hardly among them. The demo has more.
TEXTS_MIN = 200
# Where the text of a row is by default: data sets call it so.
TEXT_COLUMNS: Final = "/text,/sentence"


class _TextColumn(Column):
    """The column of the texts, which no option names."""

    def __init__(self) -> None:
        super().__init__("--texts", TEXT_COLUMNS)

    def check(self, name: str, columns: Collection[str]) -> None:
        if not self.is_in(columns):
            raise _without(name, columns)


def read_texts(path: Path | None, count: int) -> list[str]:
    """`count` texts of a file, or of the demo by default; repeated if there are fewer.

    A file has one text in each line, or is a table of any form of `score` with the column `text` or
    `sentence`; in a .tsv without such a column the text is the last one.

    Raises:
        InputError: the file cannot be read, is of another kind, or has no text.
    """
    found = _of_demo() if path is None else _of_file(str(path))
    texts = list(islice((text for text in found if text.strip()), count))
    if not texts:
        raise InputError(f"{path}: has no text; give a file with one text a line")
    return [texts[number % len(texts)] for number in range(count)]


def is_guess(texts: Sequence[str]) -> str | None:
    """That few different texts are measured on, in one line; None if there are enough."""
    different = len(set(texts))
    if different >= TEXTS_MIN:
        return None
    return (
        f"measured on {different} different texts, so this is a guess; --texts with {TEXTS_MIN} or "
        "more of yours decides it"
    )


def _of_demo() -> Iterator[str]:
    for line in files("service.demo").joinpath("messages.jsonl").read_text().splitlines():
        yield json.loads(line).get("text") or ""


def _of_file(name: str) -> Iterator[str]:
    column = _TextColumn()
    form = form_of(name)
    is_last = form == "tsv" and not _has_header(name, column)
    with Table(name, "text" if is_last else form, column, column.names) as table:
        if table.form != "text":
            yield from _of_rows(table, column)
            return
        for text in _of_lines(table):
            yield text.rpartition("\t")[2] if is_last else text


def _has_header(name: str, column: Column) -> bool:
    with Table(name, "text", column) as table:
        first = next(table.rows(), None)
    cells = b"" if first is None else first.document
    return column.is_in([cell.strip() for cell in cells.decode(errors="replace").split("\t")])


def _of_lines(table: Table) -> Iterator[str]:
    for row in table.rows():
        try:
            yield row.document.decode()
        except UnicodeDecodeError:
            raise InputError(
                f"{table.name}:{row.line}: is not UTF-8; convert the file to UTF-8"
            ) from None


def _of_rows(table: Table, column: Column) -> Iterator[str]:
    """The texts of a table; rows that have none are passed over, unless none has.

    Raises:
        InputError: no row has a text.
    """
    rows = table.rows()
    first = next(rows, None)
    has_text = False
    for row in () if first is None else chain([first], rows):
        try:
            text = "" if row.reason else column.text(row.document)
        except RejectError:
            continue
        has_text = has_text or bool(text.strip())
        yield text
    if first is not None and first.columns and not has_text:
        raise _without(table.name, table.columns or tuple(first.columns))


def _without(name: str, columns: Collection[str]) -> InputError:
    return InputError(
        f"{name}: has no text in text or sentence but {shown(columns)}; name the column with the "
        "texts text"
    )
