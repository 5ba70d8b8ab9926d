"""What `service.errors` makes of the errors of libraries."""

from __future__ import annotations

import pytest

from service.errors import first_line


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
