"""Labelled tables: any form, labels by name, number or mapping; every row is used or counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service.errors import InputError
from service.lab.data.tabled import Columns, meanings_of, read_any
from service.tables.rows import Column
from tools.table_files import FILES, write_table

if TYPE_CHECKING:
    from pathlib import Path


def _found(path: Path, columns: Columns) -> list[tuple[str, int]]:
    return [(example.text, example.label) for example in read_any(path, columns).examples]


@pytest.mark.parametrize("name", [name for name in FILES if name != "rows.txt"])
def test_every_form(name: str, tmp_path: Path) -> None:
    """By the same columns; labels by their names in any case."""
    rows = [{"text": "a", "label": "Negative"}, {"text": "b", "label": "very positive"}]
    labelled = read_any(write_table(tmp_path / name, rows), Columns())
    assert ("named", [("a", 0), ("b", 2)]) == (
        labelled.form, [(example.text, example.label) for example in labelled.examples],
    )  # fmt: skip


def test_numbers(tmp_path: Path) -> None:
    """As numbers, strings, or numbers with a point; they are the indices of labels."""
    file = tmp_path / "a.jsonl"
    file.write_text('{"text": "a", "label": 0}\n{"text": "b", "label": "1"}\n'
                    '{"text": "c", "label": 2.0}\n')  # fmt: skip
    assert "glue" == read_any(file, Columns()).form
    assert [("a", 0), ("b", 1), ("c", 2)] == _found(file, Columns())


def test_a_mapping(tmp_path: Path) -> None:
    """Several values may stand for one label, and rows may be left out."""
    file = tmp_path / "a.csv"
    file.write_text("id;body;stars\n1;a;1\n2;b;3\n3;c;5\n4;d;2\n5;e;5.0\n")
    columns = Columns(
        None,
        Column("--text-column", "body"),
        Column("--label-column", "stars"),
        meanings_of("negative=1, negative=2,POSITIVE=5,positive=5.0,skip=3"),
    )
    labelled = read_any(file, columns)
    assert [("a", 0), ("c", 2), ("d", 0), ("e", 2)] == _found(file, columns)
    assert ("named", 1) == (labelled.form, labelled.skipped)


def test_rows_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    """Without a text, without a label, with broken bytes or cells."""
    file = tmp_path / "a.csv"
    file.write_bytes(b"text,label\ngood,positive\n,negative\n\xff,positive\na,b,c\n")
    assert {"no text": 1, "not_utf8": 1, "wrong_cells": 1} == dict(read_any(file, Columns()).failed)
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"text": "good", "label": 1}\n{"text": "a"}\n{"text": "b", "label": 0}\n')
    assert {"no label": 1} == dict(read_any(lines, Columns()).failed)


def test_the_form_of_glue_is_read_as_such(tmp_path: Path) -> None:
    """Unless somebody says what the columns are."""
    file = tmp_path / "a.tsv"
    file.write_text('sentence\tlabel\n"a\t b\t1\n')
    assert [('"a\t b', 1)] == _found(file, Columns())
    file.write_text("sentence\tlabel\nbad\t0\ngood\t4\n")
    assert [("bad", 0), ("good", 2)] == _found(
        file, Columns(labels=meanings_of("negative=0,positive=4"))
    )


@pytest.mark.parametrize(
    ("content", "labels", "told"),
    [
        ("text,label\na,happy\n", None, r"a\.csv:2: its label happy is no number and none of nega"),
        ("text,label\na,1\nb,neutral\n", None, r"a\.csv:2: its label 1 is no number and none of"),
        ("text,label\na,1\nb,2\n", None, "has labels 1, 2 but no 0; say what they stand for"),
        ("text,label\na,-1\n", None, "its label -1 is no number and none of"),
        ("text,label\na,1\nb,3\n", "negative=1", r"a\.csv:3: its label 3 is not in --labels; add"),
        ("text,stars\na,1\n", None, "has no column label but text, stars; give --label-column"),
        (
            "body,label\na,1\n",
            None,
            "has no column text or sentence but body, label; give --text-c",
        ),
        ("text,label\n", None, r"a\.csv: has no rows; give a file with labelled rows$"),
        ("text,label\n,\n", None, "has no row with text or sentence and label but text, label; gi"),
    ],
)
def test_labels_that_nobody_can_tell(
    content: str, labels: str | None, told: str, tmp_path: Path
) -> None:
    """One line, with the line of the file, and what to give."""
    file = tmp_path / "a.csv"
    file.write_text(content)
    columns = Columns(labels=None if labels is None else meanings_of(labels))
    with pytest.raises(InputError, match=told) as found:
        read_any(file, columns)
    assert "\n" not in str(found.value)


def test_texts_alone_have_no_labels(tmp_path: Path) -> None:
    """The remedy names forms that have."""
    file = tmp_path / "a.txt"
    file.write_text("good\n")
    with pytest.raises(InputError, match="has no labels as text; give --format csv, tsv, jsonl"):
        read_any(file, Columns())


@pytest.mark.parametrize("written", ["", "negative", "negative=", "happy=1", "negative=0,,"])
def test_a_wrong_mapping_is_refused(written: str) -> None:
    """With what it may have."""
    with pytest.raises(InputError, match="give negative=VALUE, neutral=VALUE, positive=VALUE, sk"):
        meanings_of(written)
    with pytest.raises(InputError, match="has the value 1 twice"):
        meanings_of("negative=1,positive=1")
