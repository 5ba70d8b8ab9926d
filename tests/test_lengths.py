"""A person reads a file in one go, and knows from its first lines why it is there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = [path for room in ("service", "tests") for path in sorted((ROOT / room).rglob("*.py"))]
LINES_MAX = 300
FUNCTION_LINES_MAX = 65


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_a_module_says_why_it_exists_and_is_short(path: Path) -> None:
    """A docstring, under 300 lines, functions under 65: what a person reads in one go."""
    tree = ast.parse(path.read_bytes(), str(path))
    assert ast.get_docstring(tree)
    assert len(path.read_bytes().splitlines()) < LINES_MAX
    functions = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lines = {f.name: (f.end_lineno or 0) - f.lineno + 1 for f in functions}
    assert {name: count for name, count in lines.items() if count >= FUNCTION_LINES_MAX} == {}
