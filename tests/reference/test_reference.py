"""The reference page agrees with the code."""

from __future__ import annotations

from pathlib import Path

from service import errors
from service.errors import EXIT_CODES, ExitCode, ServiceError
from service.observe.metrics import describe
from service.records import Reason
from service.reference.settings_page import REASONS, reference
from service.settings import each_setting, variable
from service.wire.contracts import SentimentEvent, SourceMessage
from service.wire.letters import DeadLetter

PAGE = Path(__file__).parents[2] / "service" / "reference" / "README.md"


def test_the_page_is_what_the_code_generates() -> None:
    """Generate it with `sentiment-stream reference > service/reference/README.md`."""
    assert reference() == PAGE.read_text()


def test_every_reason_is_explained() -> None:
    """And the page has no other."""
    assert set(Reason) == set(REASONS)


def test_every_exit_code_is_explained() -> None:
    """And the page, like `--help`, has no other."""
    assert set(ExitCode) == set(EXIT_CODES)
    lines = reference().partition("## Exit codes")[2].partition("\n## ")[0].splitlines()
    shown = {int(line.split("|")[1]) for line in lines if line.startswith("| ") and "--" not in line
             and "code" not in line.split("|")[1]}  # fmt: skip
    assert set(map(int, ExitCode)) == shown


def test_it_is_complete() -> None:
    """It has every setting, metric, field on the wire and kind of error."""
    page = reference()
    names = [variable(group, name) for group, name, _ in each_setting()]
    names += [metric.name for metric in describe()]
    names += [field.alias or name for model in (SourceMessage, SentimentEvent, DeadLetter)
              for name, field in model.model_fields.items()
              if name not in ("model", "text_stats", "origin")]  # fmt: skip
    names += [name for name, kind in vars(errors).items()
              if isinstance(kind, type) and issubclass(kind, ServiceError)]  # fmt: skip
    assert [name for name in names if f"`{name}`" not in page] == []


def test_tables_are_whole() -> None:
    """No cell holds a line break, which would end its table."""
    lines = reference().splitlines()
    rows = [line for line in lines if "|" in line]
    assert [row for row in rows if not (row.startswith("| ") and row.endswith(" |"))] == []
    settings = [row for row in rows if row.startswith("| `SENTIMENT_")]
    assert {5} == {row.replace("\\|", "").count("|") for row in settings}
