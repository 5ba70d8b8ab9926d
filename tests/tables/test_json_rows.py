"""JSON Lines and arrays: any layout, any size of the pieces that are read, one row at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import InputError
from service.tables.json_rows import json_elements, json_lines
from service.tables.sources import lines

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text('ab"\\[]{},\n é', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('k"{', max_size=2), inner),
    max_leaves=6,
)


def _pieces(data: bytes, size: int) -> Iterator[bytes]:
    yield from (data[at : at + size] for at in range(0, len(data), size))


@given(st.lists(VALUES, max_size=5), st.sampled_from([None, 0, 2]), st.integers(1, 9))
def test_elements_of_any_array(values: list[Any], indent: int | None, size: int) -> None:
    """Each is one row, whatever it holds, and however the file is laid out and cut into pieces."""
    data = json.dumps(values, indent=indent, ensure_ascii=False).encode()
    assert values == [row.document for row in json_elements("f", _pieces(data, size))]


def test_elements_know_their_line() -> None:
    """That on which they begin; objects behind each other are rows too."""
    array = b'[\n {"text":\n "a"},\n\n "b", 5\n]\n'
    assert [(2, {"text": "a"}), (5, "b"), (5, 5)] == [
        (row.line, row.document) for row in json_elements("f", [array])
    ]
    objects = b'{"text": "a"}\n{"text":\n"b"}'
    assert [(1, "a"), (2, "b")] == [
        (row.line, row.columns["text"]) for row in json_elements("f", [objects])
    ]


def test_a_request_of_the_published_endpoint() -> None:
    """The elements of its list are the rows."""
    rows = json_elements("f", [b'{"input_data": ["a", {"text": "b"}]}'])
    assert [(1, "a"), (2, {"text": "b"})] == [(row.line, row.document) for row in rows]


def test_a_broken_element_is_an_error_of_its_row() -> None:
    """As long as its brackets match."""
    array = b'[{"text": nul}, "\xff", "\\ud800", 1e999, "good"]'
    assert ["not_json", "not_utf8", "lone_surrogate", "not_finite", None] == [
        row.reason for row in json_elements("f", [array])
    ]
    found = list(json_lines("f", lines([b'{"text": "a"}\n\n{"text": \nb\n["c"]\n'])))
    assert [(1, None), (3, "not_json"), (4, "not_json"), (5, None)] == [
        (row.line, row.reason) for row in found
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "f: is empty; give a file with rows"),
        (b" \n", "f: is empty; give a file with rows"),
        (
            b"text,label\n",
            "f: is neither a JSON array nor an object; give --format jsonl, csv, tsv or text, or",
        ),
        (b'["a",\n\n', "f:3: what begins here does not end; give the whole file"),
        (b'["a"', "f:1: what begins here does not end"),
        (b'["a",\n "b\n', "f:2: what begins here does not end"),
        (b'["a"]\n["b"]', "f:2: is no JSON (there is more behind the array); correct it there"),
        (b'["a",,"b"]', "f:1: is no JSON (an element is missing)"),
        (b'["a"}', "f:1: is no JSON (a bracket is closed that was not opened)"),
        (b'{"text": "a"},\n{"text": "b"}', "f:1: is no JSON (an object is due)"),
    ],
)
def test_what_is_no_array_is_refused(data: bytes, message: str) -> None:
    """In one line, with the line of the file, behind the rows before it."""
    with pytest.raises(InputError) as found:
        list(json_elements("f", [data]))
    assert str(found.value).startswith(message)


def test_an_array_is_not_read_as_lines() -> None:
    """Its lines would be broken rows, each of them."""
    with pytest.raises(InputError, match="is a JSON array, not JSON Lines; give --format json"):
        list(json_lines("f", lines([b'\n[\n{"text": "a"}\n]\n'])))


def test_an_element_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A string that nobody closes is not read to the end of the file."""
    monkeypatch.setattr("service.tables.json_rows.ROW_BYTES_MAX", 40)
    with pytest.raises(InputError, match="f:1: what begins here is over 40 bytes"):
        list(json_elements("f", [b'["good', *[b" good" * 4] * 9]))
