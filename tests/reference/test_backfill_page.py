"""The page of the backfill divides right, and by rates that the page of measurements has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "service" / "reference" / "backfill.md").read_text()
MEASURED = (ROOT / "service" / "bench" / "README.md").read_text()

SECONDS = {"minutes": 60, "hours": 3600, "days": 86_400}
# Records and replicas of each column behind the rate and the records of an hour.
COLUMNS = ((5e6, 1), (5e6, 12), (5e9, 12), (5e9, 100))
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.split("## How long it takes")[1].splitlines()
    if re.match(r"\| [^|]+ \| \d+ \|", line)
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:20])
def test_the_times_follow_from_the_rates(row: list[str]) -> None:
    """Each within what its figures are rounded to."""
    rate = int(row[1])
    assert f"{rate}" in MEASURED
    assert float(row[2].removesuffix(" million")) == pytest.approx(rate * 3600 / 1e6, rel=0.04)
    for cell, (records, replicas) in zip(row[3:], COLUMNS, strict=True):
        figure, unit = cell.split()
        expected = records / rate / replicas / SECONDS[unit]
        assert float(figure) == pytest.approx(expected, rel=0.04), cell


def test_every_row_is_looked_at() -> None:
    """One for each model of the page."""
    assert 3 == len(ROWS)
