"""The page of input forms is what the commands do."""

from __future__ import annotations

from pathlib import Path

from tools.input_forms import page

PAGE = Path(__file__).parents[2] / "service" / "reference" / "input-forms.md"


def test_the_page_is_what_the_commands_do() -> None:
    """Generate it with `PYTHONPATH=tests:. python tests/tools/input_forms.py`."""
    assert page() == PAGE.read_text()


def test_every_refusal_is_one_line_that_says_what_to_do() -> None:
    """No file below the second table is read."""
    _, _, wrong = PAGE.read_text().partition("Other files")
    cells = [cell.strip() for line in wrong.splitlines()[4:] for cell in line.split(" | ")[1:]]
    assert [cell for cell in cells if "error: " in cell and not (";" in cell or ": " in cell)] == []
    assert len([cell for cell in cells if "error: " in cell]) > 30
