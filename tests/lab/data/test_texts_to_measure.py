"""The texts of `tune --texts` and `bench --texts`: lines, and tables as `score` reads them."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from service.errors import InputError
from service.lab.data.texts import read_texts
from tools.table_files import FILES, write_table

if TYPE_CHECKING:
    from pathlib import Path

CSV = b"id,text\n1,one\n2,\n3,two\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", b"one\n\ntwo\n"),
        ("a", b"one\r\n \r\ntwo"),
        ("a.txt.gz", gzip.compress(b"\xef\xbb\xbfone\ntwo\n")),
        ("a.tsv", b"1\t0.5\tone\n2\t-1\ttwo\n"),
        ("a.tsv", b"sentence\tlabel\none\t1\ntwo\t0\n"),
        ("a.csv", CSV),
        ("a.csv", b"sentence;label\none;1\ntwo;0\n"),
        ("a.jsonl", b'{"text": "one"}\n[]\nno json\n{"text": 5}\n{"text": "two"}\n'),
        ("a.json", b'[{"text": "one"}, {"sentence": "two"}]'),
    ],
)
def test_texts_of_each_form(tmp_path: Path, name: str, content: bytes) -> None:
    """A line, a column, or the last of a TSV without a header; too few texts are repeated."""
    file = tmp_path / name
    file.write_bytes(content)
    assert ["one", "two", "one"] == read_texts(file, 3)


@pytest.mark.parametrize("name", FILES)
def test_a_table_of_any_form(tmp_path: Path, name: str) -> None:
    """Parquet too, and compressed ones."""
    file = write_table(tmp_path / name, [{"text": "one", "n": 1}, {"text": "two", "n": 2}])
    assert ["one", "two", "one"] == read_texts(file, 3)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a", b"", "has no text; give a file with one text a line"),
        ("a", b"\n \n", "has no text; give a file with one text a line"),
        ("a.csv", b"", "is empty; give a file with rows"),
        ("a.jsonl", b"", "has no text; give"),
        ("a.tsv", b"", "has no text; give"),
        ("a.csv", b"text\n", "has no text; give"),
        ("a", b"\xff\xfeo\0", "is UTF-16; convert it: iconv"),
        ("a", b"caf\xe9\n", "is not UTF-8; convert the file to UTF-8"),
        ("a.txt", b"PAR1\x15\x04", "is a Parquet file; give --format parquet, or name it .parquet"),
        ("a.xlsx", b"PK\x03\x04", "is a ZIP archive, as an .xlsx is; unpack it"),
        (
            "a.csv",
            b"id,review\n1,one\n",
            "has no text in text or sentence but id, review; name the column with the texts text",
        ),
        ("a.jsonl", b'{"body": "one"}\n{"body": "two"}\n', "has no text in text or sentence but b"),
    ],
)
def test_a_file_without_text_is_refused(
    tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    """With an error of one line, which names the columns that are there."""
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(InputError) as found:
        read_texts(file, 1)
    assert told in str(found.value)
    assert "\n" not in str(found.value)
