"""What `service.errors` makes of the errors of libraries."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from service import errors
from service.errors import first_line

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("no such file"), "no such file"),
        (ValueError("\n first \r\n second"), "first "),
        (ValueError("x" * 500), "x" * 200),
        (ValueError(), "ValueError"),
        (ValueError(" \n "), "ValueError"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
)
def test_an_error_gives_one_bounded_line(error: BaseException, expected: str) -> None:
    """Also one without any text."""
    assert expected == first_line(error)


def test_a_caller_may_ask_for_less() -> None:
    """For a cell of a table."""
    assert first_line(ValueError("abcdef"), 3) == "abc"


@pytest.mark.parametrize(
    ("origin", "has_pip", "expected"),
    [
        ({}, True, "{python} -m pip install 'sentiment-stream[lab]'"),
        ({"url": "file://{folder}", "dir_info": {}}, True,
         "{python} -m pip install '{folder}[lab]'"),
        ({"url": "file://{folder}", "dir_info": {"editable": True}}, True,
         "{python} -m pip install -e '{folder}[lab]'"),
        ({"url": "file://{folder}", "dir_info": {}}, False, "make -C {folder} setup"),
        ({"url": "file:///gone/away", "dir_info": {}}, True,
         "pip install '.[lab]' in a checkout of sentiment-stream"),
        ({"url": "https://h/a.whl", "archive_info": {}}, True,
         "{python} -m pip install 'sentiment-stream[lab] @ https://h/a.whl'"),
        ({"url": "https://h/a.git", "vcs_info": {"vcs": "git", "commit_id": "c0"}}, True,
         "{python} -m pip install 'sentiment-stream[lab] @ git+https://h/a.git@c0'"),
    ],
)  # fmt: skip
def test_an_extra_is_installed_from_where_this_was(
    origin: dict[str, Any], has_pip: bool, expected: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """No package index has to know this project."""
    for name in ("pyproject.toml", "Makefile"):
        (tmp_path / name).touch()
    filled = {k: v.replace("{folder}", str(tmp_path)) if k == "url" else v
              for k, v in origin.items()}  # fmt: skip
    monkeypatch.setattr(errors, "_origin", lambda: filled)
    monkeypatch.setattr(errors, "find_spec", lambda _: object() if has_pip else None)

    found = errors.install_command("lab")

    assert expected.format(python=sys.executable, folder=tmp_path) == found
