"""The page of feeds says what the decoder does."""

from __future__ import annotations

from tools.environment import no_settings  # noqa: F401 - a fixture
from tools.feeds.page import PAGE, page


def test_the_page_is_what_comes_out() -> None:
    """So that no setting on it is out of date."""
    old = "schemas/feeds.md is old; run PYTHONPATH=tests:. python tests/tools/feeds/page.py"
    assert PAGE.read_text(encoding="utf-8") == page(), old
