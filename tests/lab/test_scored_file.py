"""A file in, a file out: each row once, with its columns, whatever the forms, cut off or not."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from rich.console import Console

from service.checkpoint.calibration import Calibration
from service.errors import InputError
from service.lab.scored_file import Job, check_output, score_file
from service.records import ModelInfo
from service.scoring.readings import LogitsReader
from service.scoring.texts import CHUNK_TEXTS, LoadedModel
from service.settings import ModelSettings, Settings
from service.tables.rows import Column
from service.text.encoder import TextEncoder
from tools.table_files import FILES, write_table
from tools.tiny_model import CountingEngine, tiny_tokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from service.lab.figures import Tally

INFO = ModelInfo("tiny", "sha256:0", "fake", "float32", "cpu", ("NEGATIVE", "POSITIVE"))
SETTINGS = Settings(model=ModelSettings(text_bytes_max=1000))
TEXT = Column("--text-column", "text")
ROWS = [{"text": "good good", "n": "1"}, {"text": "bad, bad", "n": "2"}, {"text": " ", "n": "3"}]
OUTPUTS = ("out.jsonl", "out.csv", "out.parquet")


def _model(engine: type[CountingEngine] = CountingEngine) -> LoadedModel:
    return LoadedModel(engine(INFO), TextEncoder(tiny_tokenizer(), 64))


def _score(job: Job, model: LoadedModel | None = None) -> tuple[Tally, str]:
    remarks = Console(file=io.StringIO())
    tally = score_file(job, SETTINGS, remarks, model or _model())
    assert isinstance(remarks.file, io.StringIO)
    return tally, " ".join(remarks.file.getvalue().split())


def _read(file: Path) -> list[dict[str, Any]]:
    if file.suffix == ".parquet":
        return list(pq.read_table(file).to_pylist())
    with file.open(newline="") as lines:
        if file.suffix == ".csv":
            return list(csv.DictReader(lines))
        return [json.loads(line) for line in lines]


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("name", FILES)
def test_every_form_to_every_form(name: str, output: str, tmp_path: Path) -> None:
    """The same labels in the same order, with id, line and columns; failed rows are counted."""
    source = write_table(tmp_path / name, ROWS)
    has_columns = source.suffix != ".txt"
    identity = Column("--id-column", "n") if has_columns else None
    job = Job(str(source), None, TEXT, identity, output=tmp_path / output)

    tally, message = _score(job)

    assert (3, {"text_empty": 1}) == (tally.rows, dict(tally.failed))
    # On a busy machine a line of progress stands before it.
    assert "2 of 3 rows scored; 1 failed: text_empty 1; written: " in message
    rows = _read(tmp_path / output)
    assert ["POSITIVE", "NEGATIVE", None] == [row.get("label") or None for row in rows]
    assert ["text_empty"] == [row["error"] for row in rows if row.get("error")]
    lines = [int(row["line"]) for row in rows]
    assert sorted(lines) == lines
    if has_columns:
        assert ["1", "2", "3"] == [row["id"] for row in rows] == [row["n"] for row in rows]
        assert [row["text"] for row in ROWS] == [row["text"] for row in rows]


class FailingEngine(CountingEngine):
    """An engine that stops working after some runs, as a process that is killed."""

    runs = 0

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[Any]:
        """See `CountingEngine`."""
        FailingEngine.runs += 1
        if FailingEngine.runs > 2:
            raise MemoryError
        return super().logits(sequences)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize(
    "name", ["rows.csv", "rows.json", "rows.txt", "rows.parquet", "rows.tsv.gz"]
)
def test_a_broken_run_is_gone_on_with(name: str, output: str, tmp_path: Path) -> None:
    """Every row once, as in a run in one go."""
    rows = [{"text": "good " * (n % 3) + "bad", "n": str(n)} for n in range(4 * CHUNK_TEXTS + 7)]
    source = write_table(tmp_path / name, rows)
    _score(Job(str(source), None, TEXT, output=tmp_path / f"whole-{output}"))
    job = Job(str(source), None, TEXT, output=tmp_path / output, resume=True)
    FailingEngine.runs = 0
    with pytest.raises(MemoryError):
        _score(job, _model(FailingEngine))

    tally, message = _score(job)

    assert 0 < tally.rows < len(rows)
    assert f", behind {len(rows) - tally.rows:,} that were there" in message
    assert _read(tmp_path / f"whole-{output}") == _read(tmp_path / output)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.txt", "rows.parquet"])
def test_another_file_is_not_gone_on_with(name: str, output: str, tmp_path: Path) -> None:
    """Though it has as many rows on the same lines: they are of other texts, or found otherwise."""
    rows = [{"text": "good " * (n % 3) + "bad", "n": str(n)} for n in range(4 * CHUNK_TEXTS)]
    job = Job(str(write_table(tmp_path / name, rows)), None, TEXT, output=tmp_path / output)
    FailingEngine.runs = 0
    with pytest.raises(MemoryError):
        _score(job, _model(FailingEngine))
    [part] = tmp_path.glob(f"{output}*")
    data = part.read_bytes()
    for other in ([*rows[1:], rows[0]], rows[:10]):
        (tmp_path / "other").mkdir(exist_ok=True)
        place = write_table(tmp_path / "other" / name, other)
        with pytest.raises(InputError, match="was not written from this input with these options"):
            _score(job._replace(place=str(place), resume=True))
        assert data == part.read_bytes()


@pytest.mark.parametrize("output", OUTPUTS)
def test_other_options_are_not_gone_on_with(output: str, tmp_path: Path) -> None:
    """Their labels would be mixed: of texts that the model is unsure of, or confident otherwise."""
    rows = [{"text": "good " * (n % 3) + "bad", "n": str(n)} for n in range(4 * CHUNK_TEXTS)]
    source = write_table(tmp_path / "rows.csv", rows)
    job = Job(str(source), None, TEXT, output=tmp_path / output)
    thresholds = Calibration(thresholds=(0.7, 0.7))
    FailingEngine.runs = 0
    with pytest.raises(MemoryError):
        _score(job, replace(_model(FailingEngine), reader=LogitsReader(thresholds)))
    for reader in (
        LogitsReader(thresholds, unsure_label="UNSURE"),
        LogitsReader(Calibration(thresholds=(0.5, 0.5))),
    ):
        with pytest.raises(InputError, match="was not written from this input with these options"):
            _score(job._replace(resume=True), replace(_model(), reader=reader))
    _score(job._replace(resume=True), replace(_model(), reader=LogitsReader(thresholds)))
    assert len(rows) == len(_read(tmp_path / output))


def test_all_columns_of_the_same_names_are_told(tmp_path: Path) -> None:
    """In one sentence, so that one prefix does for all."""
    source = write_table(tmp_path / "rows.csv", [{"text": "good", "score": "1", "label": "5"}])
    with pytest.raises(InputError, match=r"has the columns label, score itself; --prefix"):
        _score(Job(str(source), None, TEXT, output=tmp_path / "o.csv"))


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet"])
def test_a_column_of_the_same_name_is_not_lost(name: str, tmp_path: Path) -> None:
    """It is refused until a prefix tells both apart; an `id` that is there is the id."""
    source = write_table(tmp_path / name, [{"id": "7", "text": "good", "label": "5"}])
    job = Job(str(source), None, TEXT, Column("--id-column", "id"), output=tmp_path / "o.csv")
    with pytest.raises(InputError, match="has a column label itself; --prefix sentiment_ names"):
        _score(job)
    (tmp_path / "o.csv").unlink(missing_ok=True)
    _score(job._replace(id_column=Column("--id-column", "id"), prefix="s_"))
    [row] = _read(tmp_path / "o.csv")
    assert ("5", "POSITIVE", "7", "7") == (row["label"], row["s_label"], row["id"], row["s_id"])


def test_where_no_row_has_the_text_its_columns_are_told(tmp_path: Path) -> None:
    """Of JSON, whose columns nobody knows before."""
    source = write_table(tmp_path / "rows.jsonl", [{"review": "good", "n": "1"}])
    tally, message = _score(Job(str(source), None, TEXT, output=tmp_path / "o.csv"))
    assert tally.failures == tally.rows == 1
    assert message.endswith("; no row has text but review, n: give --text-column")


@pytest.mark.parametrize("output", OUTPUTS)
def test_cells_without_a_column_are_kept_or_said_to_be_left_out(
    output: str, tmp_path: Path
) -> None:
    """JSON keeps them; a table has no column for them, and the summary says so."""
    source = tmp_path / "rows.csv"
    source.write_text("text,n\ngood,1\nbad,2,x,y z\nbad\n")
    _, message = _score(Job(str(source), None, TEXT, output=tmp_path / output))
    rows = _read(tmp_path / output)
    assert ["", "wrong_cells", "wrong_cells"] == [row.get("error") or "" for row in rows]
    is_json = output.endswith("jsonl")
    assert [None, ["x", "y z"] if is_json else None, None] == [r.get("other_cells") for r in rows]
    assert is_json != message.endswith(
        "; left out: the cells of 1 rows beyond the columns of the header; `line` says where, and "
        ".jsonl keeps them"
    )


def test_what_cannot_be_written(tmp_path: Path) -> None:
    """The input itself, and a form that nobody knows."""
    source = write_table(tmp_path / "rows.csv", ROWS)
    for output, message in (
        (source, "is the input"),
        (tmp_path / "a.txt", "says no form to write"),
    ):
        with pytest.raises(InputError, match=message):
            check_output(output, str(source))


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.txt"])
def test_no_rows(name: str, output: str, tmp_path: Path) -> None:
    """Give a file without rows, and no failure."""
    source = tmp_path / name
    source.write_text("text\n" if name == "rows.csv" else "")
    tally, _ = _score(Job(str(source), None, TEXT, output=tmp_path / output))
    assert 0 == tally.rows == len(_read(tmp_path / output))
