"""Memory, rate and resuming of `score` from one Parquet file to another.

    PYTHONPATH=tests:. python tests/bench/tables.py --rows 1000000 --engine null
    PYTHONPATH=tests:. python tests/bench/tables.py --rows 20000

Prints the memory at rest (model loaded and run once), its peak while the file is scored, the rate
of the file and of the engine alone in the same run, in turns, and what a run that is killed several
times and resumed has lost or doubled. The engine `null` computes nothing, so that a file of a
million rows is done in minutes; rates are then those of all else. Asserts nothing.
"""

from __future__ import annotations

import argparse
import io
import random
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from service.bench.null import NullEngine
from service.lab.data.texts import read_texts
from service.lab.scored_file import Job, score_file
from service.scoring.texts import Scorer, load_model
from service.settings import Settings
from service.tables.rows import Column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.scoring.texts import LoadedModel

GROUP_ROWS = 100_000
ROUNDS = 3
KILLS = 4
TEXT = Column("--text-column", "text")


def _texts(count: int) -> Iterator[str]:
    known = read_texts(None, 1000)
    yield from (f"{known[number % 1000]} {number}" for number in range(count))


def _write(path: Path, rows: int) -> None:
    schema = pa.schema([("id", pa.int64()), ("text", pa.string()), ("stars", pa.float64())])
    with pq.ParquetWriter(path, schema) as writer:
        for first in range(0, rows, GROUP_ROWS):
            ids = range(first, min(rows, first + GROUP_ROWS))
            texts = [text for _, text in zip(ids, _texts(GROUP_ROWS), strict=False)]
            stars = [float(number % 5) for number in ids]
            writer.write_table(pa.table([list(ids), texts, stars], schema=schema))


def _memory_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


class Watch:
    """The highest memory while it is open."""

    def __enter__(self) -> Self:
        """Begin to look."""
        self.peak_mb = _memory_mb()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._ended.wait(0.1):
            self.peak_mb = max(self.peak_mb, _memory_mb())

    def __exit__(self, *_: object) -> None:
        """End."""
        self._ended.set()
        self._thread.join()


def _rates(model: LoadedModel, source: Path, rows: int) -> Iterator[tuple[float, float]]:
    """Rows a second of the engine alone, and of the file, in turns."""
    scorer = Scorer(model)
    for _ in range(ROUNDS):
        began = time.monotonic()
        for _ in scorer.score_each(_texts(rows)):
            pass
        alone = rows / (time.monotonic() - began)
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            job = Job(str(source), None, TEXT, output=Path(folder) / "out.parquet")
            score_file(job, Settings(), Console(file=io.StringIO()), model)
        yield alone, rows / (time.monotonic() - began)


def _killed(source: Path, output: Path) -> None:
    """Score a file in processes of their own, all but the last of them killed."""
    command = [sys.executable, "-m", "service", "score", str(source), "--output", str(output)]
    partial = output.with_name(output.name + ".partial")
    for _ in range(KILLS):
        size = partial.stat().st_size if partial.exists() else 0
        with subprocess.Popen([*command, "--resume"]) as running:  # noqa: S603 - the bench's own
            more = random.randint(20_000, 200_000)
            while running.poll() is None:
                time.sleep(0.05)
                if partial.exists() and partial.stat().st_size > size + more:
                    running.kill()
    if not output.exists():
        subprocess.run([*command, "--resume"], check=True)  # noqa: S603 - the bench's own


def main() -> None:
    """Measure, and print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rows-killed", type=int, default=5_000)
    parser.add_argument("--engine", choices=("real", "null"), default="real")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.parquet"
        # In a process of its own, whose memory is not this one's.
        code = f"from bench.tables import _write, Path; _write(Path({str(source)!r}), {asked.rows})"
        subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - the bench's own
        model = load_model(Settings().model)
        if asked.engine == "null":
            model = replace(model, engine=NullEngine(model.engine.info.labels))
        Scorer(model).score(list(_texts(2000)))
        rest_mb = _memory_mb()
        print(f"{asked.rows:,} rows, {source.stat().st_size / 2**20:.0f} MB")  # noqa: T201
        with Watch() as watch:
            job = Job(str(source), None, TEXT, output=Path(folder) / "out.parquet")
            began = time.monotonic()
            score_file(job, Settings(), Console(file=io.StringIO()), model)
            seconds = time.monotonic() - began
        print(f"memory at rest {rest_mb:.0f} MB, peak {watch.peak_mb:.0f} MB")  # noqa: T201
        print(f"{asked.rows / seconds:,.0f} rows/s over the whole file")  # noqa: T201
        some = Path(folder) / "some.parquet"
        _write(some, asked.rows_killed)
        for alone, of_file in _rates(model, some, asked.rows_killed):
            share = of_file / alone
            print(f"engine alone {alone:,.0f}/s, file {of_file:,.0f}/s: {share:.3f}")  # noqa: T201
        _killed(some, Path(folder) / "killed.parquet")
        ids = pq.read_table(Path(folder) / "killed.parquet", columns=["id"])["id"].to_pylist()
        lost, doubled = asked.rows_killed - len(set(ids)), len(ids) - len(set(ids))
        print(f"killed {KILLS} times, resumed: {lost} lost, {doubled} doubled")  # noqa: T201


if __name__ == "__main__":
    main()
