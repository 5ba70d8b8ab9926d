"""What is written is whole and in order, and a run that was cut off anywhere goes on as if not."""

from __future__ import annotations

import csv
import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from service.errors import InputError
from service.tables.parquet_writing import Parquet
from service.tables.reading import Table
from service.tables.rows import Column, Row
from service.tables.writing import (
    OTHER_FIELDS,
    TAIL_ROWS,
    Csv,
    Field,
    JsonLines,
    Writer,
    Written,
    flat,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

FIELDS = (Field("line", "int"), Field("label", "str"), Field("score", "float"))
TEXT = Column("--text-column", "text")
TEXTS = ["good", 'very "good",\nor not', "", "café", "a;b"]
ROWS = [
    Written(Row(number, {"id": number, "text": text}), {"line": number, "label": "X", "score": 0.5})
    for number, text in enumerate(TEXTS, 2)
]


def _json_lines(path: Path, resume: bool) -> Writer:
    return JsonLines(path.with_suffix(".jsonl"), "line", resume=resume)


def _csv(path: Path, resume: bool) -> Writer:
    return Csv(path.with_suffix(".csv"), ("id", "text"), FIELDS, resume=resume)


def _csv_of_json(path: Path, resume: bool) -> Writer:
    return Csv(path.with_suffix(".csv"), None, FIELDS, resume=resume)


def _parquet(path: Path, resume: bool) -> Writer:
    return Parquet(path.with_suffix(".parquet"), ("id", "text"), FIELDS, None, resume=resume)


WRITERS = (_json_lines, _csv, _csv_of_json, _parquet)


def _write(writer: Writer, rows: Sequence[Written], *, is_whole: bool = True) -> None:
    for row in rows:
        writer.write([row])
    writer.close(is_whole=is_whole)


@pytest.mark.parametrize("make", WRITERS)
def test_a_run_cut_off_anywhere_is_gone_on_with(
    make: Callable[[Path, bool], Writer], tmp_path: Path
) -> None:
    """At every byte: no row is lost or doubled, and the file is that of a run in one go."""
    _write(make(tmp_path / "whole", False), ROWS)
    [whole] = tmp_path.iterdir()
    _write(make(tmp_path / "part", False), ROWS, is_whole=False)
    [part] = set(tmp_path.iterdir()) - {whole}
    data = part.read_bytes()
    counts = set()
    for size in (*range(0, len(data), 1 if len(data) < 500 else 7), len(data)):
        part.write_bytes(data[:size])
        writer = make(tmp_path / "part", True)
        counts.add(writer.count)
        tail = writer.tail()
        assert bool(writer.count) == bool(tail)
        assert tail == writer.as_read(ROWS[writer.count - len(tail) : writer.count])
        _write(writer, ROWS[writer.count :])
        done = part.with_name(part.name.removesuffix(".partial"))
        assert whole.read_bytes() == done.read_bytes()
        done.unlink()
    assert set(range(len(ROWS) + 1)) == counts


@pytest.mark.parametrize("make", WRITERS)
def test_what_is_there_is_not_written_over(
    make: Callable[[Path, bool], Writer], tmp_path: Path
) -> None:
    """Without --resume, and with it if it is another's."""
    _write(make(tmp_path / "a", False), ROWS)
    [file] = tmp_path.iterdir()
    with pytest.raises(InputError, match="exists; --resume goes on behind its last row"):
        make(tmp_path / "a", False)
    if file.suffix == ".parquet":
        with pytest.raises(InputError, match="is complete; there is nothing to go on with"):
            make(tmp_path / "a", True)
        return
    file.write_bytes(b"other\n5\n")
    with pytest.raises(InputError, match="was not written from this input with these options"):
        make(tmp_path / "a", True)


def test_rows_with_columns_of_their_own(tmp_path: Path) -> None:
    """Those of the first rows are columns; what comes later is kept as JSON in another one."""
    rows = [
        Written(Row(1, {"a": 1, "text": "x"}), {"line": 1}),
        Written(Row(2, {"b": [True], "text": None, "a": {"c": "é"}}), {"line": 2}),
    ]
    _write(_csv_of_json(tmp_path / "t", False), rows)
    with (tmp_path / "t.csv").open(newline="") as file:
        assert [
            ["a", "text", "other_fields", "line", "label", "score"],
            ["1", "x", "", "1", "", ""],
            ['{"c": "é"}', "", '{"b": [true]}', "2", "", ""],
        ] == list(csv.reader(file))


def test_a_row_of_json_has_its_columns_as_they_were(tmp_path: Path) -> None:
    """Nested, of any type, in their order; then what is added."""
    document = {"text": "é", "n": [1, {"a": None}], "f": 1.5}
    _write(_json_lines(tmp_path / "t", False), [Written(Row(7, document), {"line": 7})])
    line = (tmp_path / "t.jsonl").read_text()
    assert {**document, "line": 7} == json.loads(line)


def _typed() -> pa.Table:
    when = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    return pa.table(
        {
            "text": pa.array(["good", None, "bad"] * 200),
            "kind": pa.array(["a", "b", "a"] * 200).dictionary_encode(),
            "at": pa.array([when] * 600, pa.timestamp("ns", "UTC")),
            "price": pa.array([Decimal("1.50")] * 600, pa.decimal128(9, 2)),
            "raw": pa.array([b"\xff\x00"] * 600),
            "nested": pa.array([{"xs": [1.5, None]}] * 600),
        }
    )


def _added(rows: Sequence[Row]) -> list[Written]:
    return [Written(row, {"line": row.line, "label": "X", "score": 0.5}) for row in rows]


def test_columns_of_a_parquet_file_keep_their_types(tmp_path: Path) -> None:
    """Through another Parquet file, also where a run goes on with it."""
    table = _typed()
    source = tmp_path / "a.parquet"
    pq.write_table(table, source, row_group_size=250)
    with Table(str(source), None, TEXT, {"text"}) as read:
        rows = list(read.rows())
        assert list(range(1, 601)) == [row.line for row in rows]
        assert {"text": "bad"} == rows[2].document
        writer = Parquet(tmp_path / "b.parquet", read.columns, FIELDS, read.schema, resume=False)
        writer.write(_added(rows[:300]))
        writer.close(is_whole=False)
    with Table(str(source), None, TEXT, {"text"}) as read:
        writer = Parquet(tmp_path / "b.parquet", read.columns, FIELDS, read.schema, resume=True)
        assert 300 == writer.count
        again = list(read.rows(300 - TAIL_ROWS))
        assert writer.tail() == writer.as_read(_added(again[:TAIL_ROWS]))
        assert writer.tail() != writer.as_read(_added(again[1 : TAIL_ROWS + 1]))
        writer.write(_added(again[TAIL_ROWS:]))
        writer.close(is_whole=True)

    found = pq.read_table(tmp_path / "b.parquet")
    kinds = [pa.string() if pa.types.is_dictionary(f.type) else f.type for f in table.schema]
    assert kinds == [field.type for field in list(found.schema)[:-3]]
    assert table.to_pylist() == found.select(table.column_names).to_pylist()
    assert list(range(1, 601)) == found["line"].to_pylist()
    assert {"a.parquet", "b.parquet"} == {file.name for file in tmp_path.iterdir()}


def test_columns_of_a_parquet_file_as_json(tmp_path: Path) -> None:
    """What JSON has no type for is a string; a broken string is an error of its row."""
    pq.write_table(_typed(), tmp_path / "a.parquet")
    with Table(str(tmp_path / "a.parquet"), None, TEXT) as table:
        row = next(table.rows())
    expected: dict[str, Any] = {
        "text": "good", "kind": "a", "at": "2026-01-02 03:04:05.000000000Z", "price": "1.50",
        "raw": "/wA=", "nested": {"xs": [1.5, None]},
    }  # fmt: skip
    assert expected == json.loads(json.dumps(row.document))

    broken = pa.Array.from_buffers(pa.string(), 2, pa.array([b"good", b"\xff"]).buffers())
    pq.write_table(pa.table({"text": broken}), tmp_path / "b.parquet")
    with Table(str(tmp_path / "b.parquet"), None, TEXT) as table:
        assert [("good", None), ("\ufffd", "not_utf8")] == [
            (str(row.document["text"]), row.reason) for row in table.rows()
        ]


def test_a_column_named_as_the_one_for_others_is_kept_with_them() -> None:
    """It would be lost where a row has others too."""
    document = {"id": 3, OTHER_FIELDS: 1, "late": 2}
    assert {"id": 3, OTHER_FIELDS: {OTHER_FIELDS: 1, "late": 2}} == flat(
        document, ["id", OTHER_FIELDS]
    )
