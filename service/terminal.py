"""The output of the commands: one kind of table, one progress bar, one set of colours and numbers.

Exists so that all commands look alike and programs can read their output. Results go to standard
output, everything else to standard error. On a terminal a table has rules and colours (`NO_COLOR`
switches colours off), and becomes one block for each row if the window is too narrow. Anywhere else
it is tab-separated lines of any length; there is no progress bar, and long work says how far it is
in a line now and then. Computes nothing and imports nothing else of the service.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment
from rich.table import Column
from rich.table import Table as RuledTable
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from rich.console import ConsoleOptions, RenderResult

Item = TypeVar("Item")

GOOD, WARN, BAD, QUIET, STRONG = "green", "yellow", "red", "dim", "bold"
# For a label that is neither good nor bad.
CALM: Final = "cyan"
LABEL_STYLES: Final = {"POSITIVE": GOOD, "NEGATIVE": BAD, "NEUTRAL": CALM}

# C0 and C1 controls and line separators break lines; bidi controls reorder the text around them.
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_REORDERS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Longer than a line of any terminal, and short enough that a long review costs nothing.
TEXT_CHARACTERS_MAX = 400
_ANY_WIDTH = 10_000


class _Console(Console):
    """Prints text literally, and raises BrokenPipeError if the reader of a pipe has gone."""

    def __init__(self, *, stderr: bool) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)
        # Lines in a pipe or a file are not wrapped.
        self.soft_wrap = not self.is_terminal

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def results() -> Console:
    """Standard output, for the results of a command."""
    return _Console(stderr=False)


def remarks() -> Console:
    """Standard error, for progress, errors, and the paths of written files."""
    return _Console(stderr=True)


def printable(value: object) -> str:
    """One line of bounded length, without control characters."""
    text = str(value)[:TEXT_CHARACTERS_MAX].encode(errors="replace").decode()
    return _REORDERS.sub("", _BREAKS.sub(" ", text)).strip()


def label_style(label: str) -> str:
    """The colour of a label; empty for a label that is not in LABEL_STYLES."""
    return LABEL_STYLES.get(label.upper(), "")


def labelled(label: str) -> Text:
    """A label in its colour."""
    return Text.assemble((printable(label), label_style(label)))


def percent(share: float, digits: int = 1) -> str:
    """A share from 0 to 1, as `97.5 %`."""
    return f"{100 * share:.{digits}f} %"


class Table:
    """Rows under named columns; a column whose name begins with `>` holds numbers."""

    def __init__(self, title: str, *columns: str) -> None:
        """Begin without rows; a title may be empty."""
        self._title = title
        self._names = [name.removeprefix(">") for name in columns]
        self._numbers = [name.startswith(">") for name in columns]
        self._rows: list[tuple[Text, ...]] = []

    def add_row(self, *cells: str | Text, style: str = "") -> None:
        """Add a row; line breaks within a cell separate the entries of a list."""
        texts = (cell if isinstance(cell, Text) else Text(cell) for cell in cells)
        self._rows.append(tuple(Text.assemble(text, style=style) for text in texts))

    @classmethod
    def of_figures(cls, title: str, figures: Mapping[str, Any]) -> Self:
        """A table with a row for each figure; nested figures are named `outer.inner`."""
        table = cls(title, "figure", "value")
        for name, value in _flat("", figures):
            table.add_row(name, value)
        return table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw for a terminal, or write tab-separated lines anywhere else."""
        if not console.is_terminal:
            # Not `Text`, which replaces tabs by spaces.
            yield Segment("".join(f"{line}\n" for line in self._lines()))
            return
        ruled = self._ruled()
        # The width of the longest words side by side. Measured at any width, because rich never
        # measures more than the width that it is given.
        words = Measurement.get(console, options.update_width(_ANY_WIDTH), ruled).minimum
        if self._title:
            yield Text(self._title, STRONG)
        yield ruled if words <= options.max_width else self._stacked()
        yield Text()

    def _lines(self) -> Iterator[str]:
        if self._title:
            yield f"# {self._title}"
        for row in (self._names, *((cell.plain for cell in row) for row in self._rows)):
            cells = (", ".join(cell.splitlines()) for cell in row)
            yield "\t".join(_BREAKS.sub(" ", cell) for cell in cells)
        yield ""

    def _ruled(self) -> RuledTable:
        table = RuledTable(
            box=SIMPLE_HEAD,
            border_style=QUIET,
            header_style=QUIET,
            pad_edge=False,
            show_edge=False,
            show_header=any(self._names),
        )
        for name, number in zip(self._names, self._numbers, strict=True):
            table.add_column(
                name, justify="right" if number else "left", no_wrap=number, overflow="fold"
            )
        for row in self._rows:
            table.add_row(*row)
        return table

    def _stacked(self) -> Text:
        """Each row as a block: its first cell, and a line below it for each other cell."""
        lines: list[Text] = []
        for first, *rest in self._rows:
            filled = [c for c in zip(self._names[1:], rest, strict=True) if c[1].plain]
            if len(self._names) == 2:
                lines.append(Text.assemble((first.plain, QUIET), " ", *rest))
                continue
            lines.append(Text.assemble(first, style=STRONG))
            lines += [Text.assemble("  ", (f"{name} ", QUIET), cell) for name, cell in filled]
        return Text("\n").join(lines)


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for inner, one in value.items():
            yield from _flat(f"{name}.{inner}" if name else inner, one)
    elif isinstance(value, list | tuple):
        yield name, ", ".join(printable(one) for one in value)
    else:
        yield name, "" if value is None else printable(value)


def progress_bar(console: Console) -> Progress:
    """A progress bar that disappears when it is done, and is disabled without a terminal."""
    description = Column(no_wrap=True, overflow="ellipsis", min_width=8)
    return Progress(
        TextColumn("{task.description}", table_column=description),
        BarColumn(bar_width=24, complete_style="cyan", finished_style=GOOD),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
        console=console,
        transient=True,
        disable=not console.is_terminal or console.is_dumb_terminal,
        # Results that are written to standard output meanwhile must stay there.
        redirect_stdout=False,
    )


def track(items: Iterable[Item], description: str, total: int, console: Console) -> Iterator[Item]:
    """Iterate over the items with a progress bar."""
    with progress_bar(console) as progress:
        yield from progress.track(items, total=total, description=description)


# The first line comes once it is clear that the work is long.
PACE_FIRST_S, PACE_EVERY_S = 10.0, 60.0


class Pace:
    """Shows how many rows are done, how many a second, and how long the rest will take.

    On a terminal it is a bar; anywhere else a line after PACE_FIRST_S, and then one every
    PACE_EVERY_S, on the console or by `say`. `rows` may be called `unit`.
    """

    def __init__(
        self,
        description: str,
        console: Console,
        share: Callable[[], float | None],
        clock: Callable[[], float] = time.monotonic,
        unit: str = "rows",
        say: Callable[[str], object] | None = None,
    ) -> None:
        """Begin; `share` tells how much of the whole is done, from 0 to 1, None if nobody knows."""
        self._say = say or console.print
        self._unit = unit
        self._share = share
        self._clock = clock
        self._began = clock()
        self._began_at = share() or 0.0
        self._next_line = self._began + PACE_FIRST_S
        self._description = description
        bar = TextColumn("{task.description}"), BarColumn(24, complete_style="cyan")
        self._bar = Progress(
            *bar, TaskProgressColumn(), console=console, transient=True, redirect_stdout=False,
            disable=not console.is_terminal or console.is_dumb_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task(description, total=None)

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._bar.stop()

    def update(self, rows: int) -> None:
        """Set how many rows are done since the beginning."""
        if not self._bar.disable:
            share = self._share()
            total = None if share is None else 1.0
            self._bar.update(self._task, total=total, completed=share or 0.0,
                             description=self.line(rows))  # fmt: skip
        elif self._clock() >= self._next_line:
            self._next_line = self._clock() + PACE_EVERY_S
            self._say(self.line(rows))

    def line(self, rows: int) -> str:
        """How far it is, in one line."""
        elapsed = max(self._clock() - self._began, 1e-9)
        line = f"{self._description}: {rows:,} {self._unit}, {rows / elapsed:,.0f}/s"
        share = self._share()
        if share is None:
            return line
        left = elapsed * (1 - share) / max(share - self._began_at, 1e-9)
        return f"{line}, {percent(share, 0)}, {_duration(left)} left"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 72 * 3600 else f"{seconds / 86400:.1f} days"


def say_error(message: str) -> None:
    """Write each line of the message to standard error."""
    console = remarks()
    for line in message.splitlines() or [""]:
        console.print(Text.assemble(("error:", f"{STRONG} {BAD}"), " ", line), soft_wrap=True)
