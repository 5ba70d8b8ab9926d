"""CSV and TSV: a header is no row, rows know their lines, a broken cell breaks its row alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from service.errors import InputError
from service.tables.delimited import Delimited
from service.tables.rows import Column, Row
from service.tables.sources import lines

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXT = Column("--text-column", "text")


def _table(content: bytes, column: Column = TEXT, *, is_tsv: bool = False) -> Delimited:
    return Delimited("f.csv", lines([content]), column, is_tsv=is_tsv)


def _short(rows: Sequence[Row]) -> list[tuple[int, Any, str | None]]:
    return [(row.line, row.columns.get("text"), row.reason) for row in rows]


def test_rows_know_the_line_on_which_they_begin() -> None:
    """Quoted cells have lines, delimiters and quotes of their own; empty lines are no rows."""
    content = b'id,text\r\n1,"good,\nvery ""good"""\r\n\r\n2,bad\n3,last'
    assert [(2, 'good,\nvery "good"', None), (5, "bad", None), (6, "last", None)] == _short(
        list(_table(content).rows())
    )


@pytest.mark.parametrize("delimiter", [b",", b";", b"\t", b"|"])
def test_the_delimiter_is_the_one_that_shows_the_text(delimiter: bytes) -> None:
    """Whatever else is in the header."""
    content = b"a, b%stext\n1%sgood, very" % (delimiter, delimiter)
    if delimiter == b",":
        content = b"a,text\n1,good"
    table = _table(content)
    assert "text" == table.columns[-1]
    assert ["good"] == [row.columns["text"].split(",")[0] for row in table.rows()]


def test_a_tsv_has_no_quotes() -> None:
    """As data sets are published; a `"` is text."""
    table = _table(b'text\tlabel\n"good\t1\nsay "bad"\t0\n', is_tsv=True)
    assert [(2, '"good', None), (3, 'say "bad"', None)] == _short(list(table.rows()))


def test_a_broken_cell_is_an_error_of_its_row() -> None:
    """Its other cells pass through, with replacements; the rows around it are read."""
    rows = list(_table(b"id,text\n1,good\n2,caf\xe9\n3\n4,a,b\n5,caf\xc3\xa9\n").rows())
    assert [
        (2, "good", None),
        (3, "caf\ufffd", "not_utf8"),
        (4, None, "wrong_cells"),
        (5, "a", "wrong_cells"),
        (6, "café", None),
    ] == _short(rows)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "f.csv: is empty; give a file with rows"),
        (b"\n1,2\n", "f.csv: has no first line that names its columns"),
        (b"text,text\n", "f.csv:1: names the column 'text' twice; rename one"),
        (b"text,caf\xe9\n", "f.csv:1: is not UTF-8; convert the file to UTF-8"),
        (b",".join([b"%d" % n for n in range(2001)]), "f.csv:1: names over 2000 columns"),
    ],
)
def test_a_wrong_header_is_refused(content: bytes, message: str) -> None:
    """Before any row is read."""
    with pytest.raises(InputError) as found:
        _table(content)
    assert str(found.value).startswith(message)


@pytest.mark.parametrize("rest", [b'"bad,2\n', b'"bad" film,2\n'])
def test_an_unclosed_quote_is_refused_where_it_begins(rest: bytes) -> None:
    """It would swallow the rows behind it; those before are read."""
    rows = _table(b"text,n\ngood,1\n" + rest + b"good,3\n").rows()
    assert "good" == next(rows).columns["text"]
    with pytest.raises(InputError, match=r"f\.csv:3: the row that begins here is no CSV") as found:
        list(rows)
    assert "\n" not in str(found.value)


def test_lines_that_end_with_a_carriage_return_alone_are_refused() -> None:
    """As some spreadsheets write them; the line says what to convert."""
    with pytest.raises(InputError, match=r"carriage return alone\); convert its line ends"):
        list(_table(b"text,n\rgood,1\rbad,2\r").rows())


def test_a_row_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quote that nobody closes is not read to the end of the file."""
    monkeypatch.setattr("service.tables.delimited.ROW_BYTES_MAX", 40)
    content = b'text,n\n"' + b"good\n" * 20
    with pytest.raises(InputError, match=r"f\.csv:2: the row that begins here is over 40 bytes"):
        list(_table(content).rows())
