"""The code of `schemas/python.md` for Spark gives a table of texts the scores that Python gives.

PySpark is another's, so this runs with `make consumers-test` alone: it is installed in
`.cache/consumers/spark` once (1.5 GB, a minute or two), with what the service needs. Needs Java.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import lacking
from sentiment_stream import Scorer
from tools.others import INSTALL_SECONDS, on_request, python_with

pytestmark = [on_request, pytest.mark.model]

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "schemas" / "python.md").read_text()
# The page names these versions.
PIP = ("pyspark==4.2.0", "pandas==3.1.1", "pyarrow==26.0.1")
RUN_SECONDS = 280

TEXTS = ["I love it.", "Never again.", None, "The parcel has 3 kg.", "Das Essen war wirklich gut."]
# More tasks than one, and more rows than a task has at once.
ROWS = [{"id": number, "review": TEXTS[number % len(TEXTS)]} for number in range(40)]
INPUT = """
import json, pyarrow, pyarrow.parquet
rows = [json.loads(line) for line in open("reviews.jsonl")]
pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), "reviews.parquet")
"""
# Of a test alone: two tasks at a time of ten rows each, no page of Spark's own in the network.
FEW = """
import os
os.environ["PYSPARK_SUBMIT_ARGS"] = (
    "--master local[2] --conf spark.ui.enabled=false --conf spark.driver.bindAddress=127.0.0.1 "
    "--conf spark.driver.host=127.0.0.1 --conf spark.sql.execution.arrow.maxRecordsPerBatch=10 "
    "pyspark-shell"
)
"""
OUTPUT = """
import json, pyarrow.parquet
print(json.dumps(pyarrow.parquet.read_table("scored.parquet").to_pylist()))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    """A Python that has Spark and all that the service needs, installed once."""
    if shutil.which("java") is None:
        lacking("no Java to run Spark: install Java 17 or newer")
    return python_with("spark", PIP, ROOT / "requirements.txt")


def test_the_page_names_the_versions_that_are_tried() -> None:
    """A newer one is tried before the page says so."""
    for package, name in zip(PIP, ("PySpark", "pandas", "PyArrow"), strict=True):
        assert f"{name} {package.partition('==')[2]}" in PAGE


@pytest.mark.timeout(3 * INSTALL_SECONDS + RUN_SECONDS)
def test_a_table_is_scored_as_in_python(python: Path, tmp_path: Path) -> None:
    """Each row once, whichever task has it, with the label that `Scorer` gives its text."""
    (tmp_path / "reviews.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))
    [code] = re.findall(r"^```py\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)

    for part in (INPUT, FEW + code):
        _run(python, part, tmp_path)
    rows = json.loads(_run(python, OUTPUT, tmp_path))

    assert ROWS == sorted(
        ({"id": row["id"], "review": row["review"]} for row in rows), key=lambda row: row["id"]
    )
    scores = Scorer(threads=1).score([text or "" for text in TEXTS])
    for row in rows:
        expected = scores[row["id"] % len(TEXTS)]
        assert (expected.label, expected.confident, expected.language) == (
            row["label"],
            row["confident"],
            row["language"],
        )
        assert expected.score == pytest.approx(row["score"], abs=1e-4)


def _run(python: Path, code: str, folder: Path) -> str:
    # Workers take the path from here, as if `pip install .` had been run for them.
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": str(python)}
    done = subprocess.run(  # noqa: S603 - fixed arguments
        [str(python), "-c", code],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=RUN_SECONDS,
        check=False,
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr[-2000:]
    return done.stdout
