"""The look that all commands share: on a terminal, in a narrow one, in a pipe, without colours."""

from __future__ import annotations

import io
import re
import sys
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from service.terminal import (
    WARN,
    Pace,
    Table,
    labelled,
    percent,
    printable,
    progress_bar,
    results,
    say_error,
    track,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def _table() -> Table:
    table = Table("engines", "engine", ">messages/s", "remark")
    table.add_row("onnx_packed int8", "597", Text("not within 0.02", WARN))
    table.add_row("torch_packed", "97", "")
    return table


def _drawn(width: int, draw: Callable[[Console], None], **environment: str) -> str:
    console = Console(
        file=io.StringIO(), force_terminal=True, width=width, _environ=environment or {"TERM": "x"}
    )
    draw(console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def test_a_pipe_gets_lines_with_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    """As wide as they are, without colours, rules, or spaces to align them."""
    table = _table()
    table.add_row("x" * 500, "1", "two\nlines\tand a tab")
    results().print(table)
    assert capsys.readouterr().out.splitlines() == [
        "# engines",
        "engine\tmessages/s\tremark",
        "onnx_packed int8\t597\tnot within 0.02",
        "torch_packed\t97\t",
        f"{'x' * 500}\t1\ttwo, lines and a tab",
        "",
    ]


@given(st.text(), st.text())
def test_a_row_is_one_line_of_as_many_cells(first: str, second: str) -> None:
    """Whatever is in it."""
    table = Table("", "a", "b")
    table.add_row(printable(first), printable(second))
    console = Console(file=io.StringIO(), width=10_000)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    _, row, *rest = console.file.getvalue().split("\n")
    assert (1, ["", ""]) == (row.count("\t"), rest)


def test_a_terminal_gets_columns() -> None:
    """Numbers to the right, the title in one line."""
    lines = _plain(_drawn(80, lambda c: c.print(_table()))).splitlines()
    assert [line.rstrip() for line in lines if "─" not in line] == [
        "engines",
        "engine             messages/s   remark",
        "onnx_packed int8          597   not within 0.02",
        "torch_packed               97",
        "",
    ]


def test_a_narrow_terminal_gets_rows_upright() -> None:
    """Where the words of the columns have no room side by side; nothing is cut off."""
    shown = _plain(_drawn(20, lambda c: c.print(_table())))
    assert [line.rstrip() for line in shown.splitlines()] == [
        "engines",
        "onnx_packed int8",
        "  messages/s 597",
        "  remark not within",
        "0.02",
        "torch_packed",
        "  messages/s 97",
        "",
    ]
    assert max(map(len, shown.splitlines())) <= 20


def test_two_columns_upright_are_lines() -> None:
    """A figure and its value need no block."""
    table = Table.of_figures("t", {"a_long_figure_name": 1, "b": {"c": [2, 3]}, "d": None})
    lines = _plain(_drawn(16, lambda c: c.print(table))).splitlines()
    assert "b.c 2, 3" in lines


def test_colours_and_none() -> None:
    """`NO_COLOR` leaves what is not a colour."""

    def draw(console: Console) -> None:
        console.print(labelled("NEGATIVE"))

    assert "\x1b[31mNEGATIVE" in _drawn(80, draw)
    assert "\x1b[3" not in _drawn(80, draw, NO_COLOR="1", TERM="xterm-256color")


def test_what_data_says_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    """No markup of rich's, no emoji names."""
    results().print("[red]:smile:[/red] [x]")
    assert capsys.readouterr().out == "[red]:smile:[/red] [x]\n"


def test_an_error_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it is; on a terminal its first word is red."""

    def told(console: Console) -> None:
        monkeypatch.setattr("service.terminal.remarks", lambda: console)
        say_error("a word " * 40)

    shown = _drawn(80, told)
    assert shown.startswith("\x1b[1;31merror:\x1b[0m a word a word")
    assert shown.count("\n") == 1


def test_nobody_looks_at_a_bar_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing on standard error, and every item comes."""
    console = Console(stderr=True, force_terminal=False)
    assert list(track(range(3), "work", 3, console)) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_a_bar_is_gone_when_the_work_is_done() -> None:
    """It is drawn on a terminal and taken away, and results are not drawn into it."""

    def work(console: Console) -> None:
        assert list(track(range(3), "work", 3, console)) == [0, 1, 2]

    shown = _drawn(80, work)
    assert "3/3" in shown
    assert shown.endswith("\x1b[1A\x1b[2K")
    console = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "dumb"})
    assert progress_bar(console).disable


def test_a_reader_that_has_gone_is_told_to_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rich would end the process with 1 by itself."""

    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Gone())
    with pytest.raises(BrokenPipeError):
        results().print("x")


def test_numbers() -> None:
    """One form for all."""
    assert ("97.5 %", "98 %", "0.00 %") == (percent(0.975), percent(0.976, 0), percent(0, 2))


@given(st.text())
def test_printable_text_is_one_line_that_a_terminal_does_not_obey(text: str) -> None:
    """No control characters, no line breaks, no marks that change the direction of writing."""
    line = printable(text)
    assert line == printable(line)
    assert len(line.splitlines()) <= 1
    bidirectional = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    for character in line:
        assert unicodedata.category(character) != "Cc"
        assert unicodedata.bidirectional(character) not in bidirectional


def test_printable_keeps_what_people_write() -> None:
    """Emoji joined from several characters and writing from right to left stay whole."""
    assert printable(" 👩‍🔧 שלום\n\x1b[31mred\u202e ") == "👩‍🔧 שלום [31mred"


def test_pace_in_a_pipe_is_a_line_now_and_then() -> None:
    """With the rate and the time left, once the work is long; nothing of short work."""
    now = 0.0
    share = 0.0
    console = Console(file=io.StringIO(), width=200)
    with Pace("score", console, lambda: share, lambda: now) as pace:
        for second in range(200):
            now, share = float(second), second / 400
            pace.update(50 * second)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert "score: 500 rows, 50/s, 2 %, 6 min left" == lines[0]
    assert 4 == len(lines)


def test_pace_without_an_end() -> None:
    """Of a pipe nobody knows how much is left."""
    now = 0.0
    pace = Pace("score", Console(file=io.StringIO()), lambda: None, lambda: now)
    now = 2.0
    assert "score: 1,000 rows, 500/s" == pace.line(1000)
