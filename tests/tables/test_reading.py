"""What a file is: by its name, by `--format`, by how it begins; what is none is refused."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from service.errors import InputError
from service.tables.reading import FORMS, Table, form_of, output_form
from service.tables.rows import Column
from tools.table_files import FILES, write_table

TEXT = Column("--text-column", "text")


def _texts(place: str, form: str | None = None) -> list[Any]:
    with Table(place, form, TEXT) as table:
        return [row.columns.get("text", row.document) for row in table.rows()]


@pytest.mark.parametrize("name", FILES)
def test_each_form_gives_the_same_rows(name: str, tmp_path: Path) -> None:
    """Compressed or not, with a byte order mark or without."""
    file = write_table(tmp_path / name, [{"text": "good"}, {"text": "bad"}])
    assert ["good", "bad"] == [
        text.decode() if isinstance(text, bytes) else text for text in _texts(str(file))
    ]


def test_forms_by_name() -> None:
    """Whatever the compression; the form wins over the name."""
    assert ["csv", "tsv", "jsonl", "jsonl", "json", "parquet", "text", None, None] == [
        form_of(name)
        for name in ("a.CSV", "b.tsv.gz", "c.jsonl.zst", "d.ndjson", "e.json", "f.pq", "g.txt",
                     "h.dat", "gz")
    ]  # fmt: skip
    assert {form_of(name) for name in FILES} >= set(FORMS)


@pytest.mark.parametrize(
    ("head", "form"),
    [(b'[\n{"text": "a"}]', "json"), (b"[sic] good", "text"), (b"", "text"), (b"text\n", "text")],
)
def test_standard_input_is_told_by_how_it_begins(
    head: bytes, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An array of objects is no text; a text may begin with a bracket."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(head)))
    with Table("-", None, TEXT) as table:
        assert form == table.form
        assert bool(head) == bool(list(table.rows()))


ZIP, UTF_16 = b"PK\x03\x04\x14\0\0", "text\ngood\n".encode("utf-16")
WRONG = [
    ("a.csv", ZIP, "a.csv: is a ZIP archive, as an .xlsx is; unpack it, or save"),
    ("a.csv", UTF_16, "a.csv: is UTF-16; convert it: iconv -f UTF-16 -t UTF-8"),
    ("a.csv", b"PAR1....", "a.csv: is a Parquet file; give --format parquet, or name it"),
    ("a.txt", b"%PDF-1.7 ", "a.txt: is a PDF; give its text"),
    ("a.json", b"\xd0\xcf\x11\xe0\xa1\xb1", "a.json: is a file of an old Excel or Word; save it"),
    ("a.jsonl", b"text\0\0", "a.jsonl: is no text (it has zero bytes); give UTF-8"),
    ("a.csv.gz", b"text\ngood\n", "a.csv.gz: is not what .gz stands for; name it as what it is"),
    ("a.csv.gz", gzip.compress(ZIP), "a.csv.gz: is a ZIP archive"),
    ("a.csv.gz", gzip.compress(b"text\n" + bytes(range(97, 122)) * 99)[:-20],
     "a.csv.gz: its gzip is cut short or broken; give the whole file"),
    ("a.tsv.zst", zstd.compress(b"text\ngood\n" * 99)[:-9],
     "a.tsv.zst: its zstd is cut short or broken; give the whole file"),
    ("a.parquet", b"text\ngood\n", "a.parquet: is no Parquet file, or is cut short; give the"),
    ("a.parquet.gz", gzip.compress(b"PAR1"), "a.parquet.gz: a Parquet file is compressed within"),
    ("a.csv", b"review,label\n", "a.csv: has no column text but review, label; give --text-column"),
    ("a.json", b"good\n", "a.json: is neither a JSON array nor an object; give --format"),
    ("a.jsonl", b'[{"text": "a"}]', "a.jsonl: is a JSON array, not JSON Lines; give --format js"),
    ("a.parquet", b"", "a.parquet: is empty; give a file with rows"),
    ("a.json.gz", gzip.compress(b""), "a.json.gz: is empty; give a file with rows"),
    ("a.csv", b"", "a.csv: is empty; give a file with rows"),
    ("a.tsv.zst", b"", "a.tsv.zst: is empty; give a file with rows"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "message"), WRONG, ids=range(len(WRONG)))
def test_a_file_of_another_kind_is_refused(
    name: str, content: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line, with what to do."""
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content)
    with pytest.raises(InputError) as found:
        _texts(name)
    assert str(found.value).startswith(message)
    assert "\n" not in str(found.value)


def test_what_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, no file, standard input for a Parquet file."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"PAR1")))
    for place, form, message in (
        (str(tmp_path), None, "is a folder; give a file"),
        (str(tmp_path / "no.csv"), None, r"cannot be read \(No such file or directory\)"),
        ("-", "parquet", "a Parquet file ends with its index; give a file"),
    ):
        with pytest.raises(InputError, match=message):
            _texts(place, form)


def test_a_pointer_leads_into_columns(tmp_path: Path) -> None:
    """Of JSON in a cell too; a name with a slash or a comma is a name."""
    file = tmp_path / "a.csv"
    file.write_text('"a,b/c",n\n"{""x"": [""good""]}",1\n')
    with Table(str(file), None, Column("--text-column", "/a%2Cb~1c/x/0")) as table:
        assert ["good"] == [
            Column("--text-column", "/a%2Cb~1c/x/0").text(row.document) for row in table.rows()
        ]
    with Table(str(file), None, Column("--text-column", "a,b/c")) as table:
        assert [{"x": ["good"]}] == [
            json.loads(Column("--text-column", "a,b/c").text(row.document)) for row in table.rows()
        ]
    for wrong, message in (("", "is empty"), ("/a,b", "not a JSON pointer")):
        with pytest.raises(InputError, match=message):
            Column("--text-column", wrong)


def test_forms_to_write() -> None:
    """By their names alone."""
    assert "csv" == output_form("a.csv", ("csv", "jsonl"))
    with pytest.raises(InputError, match=r"a\.xls: its name says no form .* in \.csv, \.jsonl"):
        output_form("a.xls", ("csv", "jsonl"))
