"""Labelled files of three forms, read as negative and positive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service.errors import InputError
from service.lab.data.glue import Example
from service.lab.data.labelled import read_emotions, read_labelled

if TYPE_CHECKING:
    from pathlib import Path

    from service.lab.data.labelled import Form

RATINGS = '1\t2.5\tlovely\n2\t-1.0\tdull "film"\n3\t-3\tawful\n4\t0.9\tso so\n6\t1\tfine\n8\t4\t \n'
NAMED = "text\tlabel\ngood\tpositive\nso so\tneutral\nbad\tNegative\nworse\tvery negative\n"
EMOTIONS = "good\t3\ta\nbad\t1\tb\nboth\t1,3\tc\nneither\t2\td\nwho knows\t0\te\n\t3\tf\n"


def _file(tmp_path: Path, content: str | bytes) -> Path:
    file = tmp_path / "data.tsv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


@pytest.mark.parametrize(
    ("form", "content", "expected"),
    [
        ("glue", "sentence\tlabel\ngood\t1\n", [("good", 1)]),
        ("named", NAMED, [("good", 2), ("so so", 1), ("bad", 0), ("worse", 0)]),
        ("ratings", RATINGS, [('dull "film"', 0), ("fine", 1)]),
        ("ratings-odd", RATINGS, [("lovely", 1), ("awful", 0)]),
        ("emotions", EMOTIONS, [("good", 1), ("bad", 0)]),
        ("emotions", EMOTIONS.replace("\n", "\r\n"), [("good", 1), ("bad", 0)]),
    ],
)
def test_forms(tmp_path: Path, form: Form, content: str, expected: list[tuple[str, int]]) -> None:
    """Only clear poles are read, quotes are text, and empty texts are skipped."""
    assert [Example(*row) for row in expected] == read_labelled(_file(tmp_path, content), form)


def test_only_clear_labels_are_labels(tmp_path: Path) -> None:
    """Several labels, neutral and ambiguous ones become None; the texts stay."""
    found = read_emotions(_file(tmp_path, EMOTIONS))
    assert [("good", 1), ("bad", 0), ("both", None), ("neither", None), ("who knows", None),
            ("", 1)] == found  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("sentence\tlabel\ngood\t1\n", r"data.tsv:1: has 2 columns, three are due"),
        ("\na\tb\tc\n", r"data.tsv:2: has no number and mean rating; .*--format"),
        ("1\tnan\tc\n", r"data.tsv:1: has no number and mean rating"),
        (b"1\t2\tcaf\xe9\n", "byte 7 is not UTF-8"),
    ],
)
def test_another_form_is_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    """With the line, and what to do."""
    with pytest.raises(InputError, match=message):
        read_labelled(_file(tmp_path, content), "ratings")


def test_no_such_file(tmp_path: Path) -> None:
    """The path is named."""
    with pytest.raises(InputError, match=r"none.tsv: cannot be read"):
        read_labelled(tmp_path / "none.tsv", "emotions")


def test_the_halves_of_the_tweets_share_nothing(shared_data: Path) -> None:
    """Even numbers are for tests, odd ones for training; together they have all polar tweets."""
    file = shared_data / "tweets" / "vader_tweets.tsv"
    even, odd = read_labelled(file, "ratings"), read_labelled(file, "ratings-odd")
    rows = [line.split("\t") for line in file.read_text().splitlines()]
    polar = {number: text for number, rating, text in rows if abs(float(rating)) >= 1}
    assert len(polar) == len(even) + len(odd)
    assert {t for n, t in polar.items() if int(n) % 2 == 0} == {e.text for e in even}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("sentence\tlabel\n", "the first line must be text<TAB>label"),
        ("text\tlabel\ngood\tgreat\n", r":2: its label is none of negative, neutral, positive"),
        ("text\tlabel\ngood\n", ":2: has no tab; give a file of text<TAB>label"),
    ],
)
def test_names_that_are_no_labels_are_refused(tmp_path: Path, content: str, message: str) -> None:
    """With the line, and the names of labels."""
    with pytest.raises(InputError, match=message):
        read_labelled(_file(tmp_path, content), "named")
