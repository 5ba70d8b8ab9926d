"""The reference page says what the code does."""

from __future__ import annotations

from pathlib import Path

from service.records import Reason
from service.reference import REASONS, reference

PAGE = Path(__file__).parent.parent / "service" / "reference.md"


def test_the_page_is_the_code() -> None:
    """Make it anew with `sentiment-stream reference > service/reference.md`."""
    assert reference() == PAGE.read_text()


def test_every_reason_is_explained() -> None:
    """None is missing and none is made up."""
    assert set(Reason) == set(REASONS)
