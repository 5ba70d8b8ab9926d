"""The code of `schemas/python.md` runs as it stands, and gives what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sentiment_stream import Scored, Scorer, SettingsError
from service.records import TextStats

PAGE = Path(__file__).parents[2] / "schemas" / "python.md"


@pytest.fixture(scope="module", name="names")
def _names() -> dict[str, Any]:
    """What the page's code has made, from its first line to its last."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 5
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102 - the page's own code
    return names


def test_a_column(names: dict[str, Any]) -> None:
    """An opinion has its label; nothing at all has one that is not confident."""
    frame = names["frame"]
    assert ["POSITIVE", "NEGATIVE"] == list(frame["label"][:2])
    assert not frame["confident"][2]


def test_an_async_call(names: dict[str, Any]) -> None:
    """It gives the label."""
    assert "POSITIVE" == names["labels"]


def test_what_was_cut(names: dict[str, Any]) -> None:
    """The quoted praise is not the writer's, and counted; the language is told."""
    found = names["found"]
    assert isinstance(found, Scored)
    assert isinstance(found.stats, TextStats)
    assert ("NEGATIVE", "en") == (found.label, found.language or "en")
    assert {"label", "score", "scores", "confident", "language", "text_stats"} == set(
        found.as_dict()
    )
    assert max(found.scores.values()) == found.score


def test_an_unknown_format_is_refused(names: dict[str, Any]) -> None:
    """It would be read as another one."""
    scorer = names["scorer"]
    assert isinstance(scorer, Scorer)
    with pytest.raises(SettingsError, match="text_format='xml' is none of plain, html"):
        scorer.score(["a"], text_format="xml")  # type: ignore[arg-type]
