"""Writes the same rows as a file of any form that `service.tables` reads."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# Names that stand for each form, and for each compression of one.
FILES = (
    "rows.csv", "rows.tsv", "rows.jsonl", "rows.ndjson", "rows.json", "pretty.json",
    "rows.parquet", "rows.txt", "rows.csv.gz", "rows.jsonl.zst", "rows.json.gz", "bom.csv",
    "semicolon.csv",
)  # fmt: skip


def write_table(file: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows in the form and compression that the file's name stands for.

    `pretty` is indented, `bom` has a byte order mark, and `semicolon` that delimiter. A `.txt` has
    the texts alone.
    """
    if file.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), file)
        return file
    data = _content(file, rows).encode("utf-8-sig" if file.stem == "bom" else "utf-8")
    if file.suffix == ".gz":
        data = gzip.compress(data)
    elif file.suffix == ".zst":
        data = zstd.compress(data)
    file.write_bytes(data)
    return file


def _content(file: Path, rows: Sequence[Mapping[str, Any]]) -> str:
    kind = file.name.split(".")[1]
    if kind in {"jsonl", "ndjson"}:
        return "".join(json.dumps(row) + "\n" for row in rows)
    if kind == "json":
        return json.dumps(list(rows), indent=2 if file.stem == "pretty" else None)
    if kind == "txt":
        return "".join(f"{row['text']}\n" for row in rows)
    out = io.StringIO()
    delimiter = {"tsv": "\t"}.get(kind, ";" if file.stem == "semicolon" else ",")
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
