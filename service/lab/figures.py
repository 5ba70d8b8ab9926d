"""What `score` adds to a row, the forms in which it is shown, and how many rows failed.

Exists so that JSON, tables and the terminal name the same figures. Nothing is read or scored here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from rich.text import Text

from service.errors import InputError
from service.scoring.texts import Scored
from service.tables.writing import Field
from service.terminal import QUIET, WARN, labelled, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from service.records import Reading
    from service.tables.rows import Column, Row


class Outcome(NamedTuple):
    """A row with its text and what was found for it, or why there is nothing."""

    row: Row
    text: str
    found: Scored | str


# What JSON has of a row of a table with more cells than its header.
OTHER_CELLS = "other_cells"
# A model gives a text a slightly other score beside other texts, most if it computes with few bits.
SCORE_DIFFERS_MAX = 0.05
# Scores that differ by no more are the same, and so are a label and a confidence made of them.
SCORE_SAME_MAX = 1e-6

Write = Callable[[Sequence[Outcome]], None]


@dataclass(slots=True)
class Tally:
    """How many rows were scored and how many failed, by reason."""

    rows: int = 0
    failed: Counter[str] = field(default_factory=Counter)

    @property
    def failures(self) -> int:
        """How many rows failed."""
        return self.failed.total()

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Count what was found."""
        self.rows += len(outcomes)
        self.failed.update(o.found for o in outcomes if isinstance(o.found, str))

    def __str__(self) -> str:
        """The summary of a run, in one line."""
        line = f"{self.rows - self.failures:,} of {self.rows:,} rows scored"
        if self.failures:
            reasons = ", ".join(f"{reason} {n:,}" for reason, n in self.failed.most_common())
            line += f"; {self.failures:,} failed: {reasons}"
        return line


class Figures:
    """Names and values of what is added to a row.

    `prefix` begins each name. `nested` is for JSON, where `scores` is an object, what is not there
    is left out, and cells without a column are `other_cells`; else each label has a field of its
    own, `score_LABEL`.
    """

    def __init__(
        self, labels: Sequence[str], prefix: str = "", identity: Column | None = None,
        *, nested: bool = True,
    ) -> None:  # fmt: skip
        """`identity` is the column of a row's id; one that is called so is there already."""
        if identity is not None and identity.written == prefix + "id":
            identity = None
        self._labels = labels
        self._prefix = prefix
        self._identity = identity
        self._nested = nested
        kinds = {
            "line": "int",
            **({"id": "str"} if identity is not None else {}),
            "label": "str",
            "score": "float",
            **({"scores": "object"} if nested else {f"score_{label}": "float" for label in labels}),
            "confident": "bool",
            "language": "str",
            "truncated": "bool",
            "error": "str",
        }
        self.fields = tuple(Field(prefix + name, kind) for name, kind in kinds.items())
        self._names = {one.name for one in self.fields}
        if nested:
            self._names.add(prefix + OTHER_CELLS)

    def check(self, name: str, columns: Iterable[str]) -> None:
        """Refuse columns that have the name of a figure.

        Raises:
            InputError: one has.
        """
        twice = sorted(self._names & set(columns))
        if twice:
            own = "a column" if len(twice) == 1 else "the columns"
            raise InputError(
                f"{name}: has {own} {', '.join(twice)} itself; --prefix sentiment_ names what is "
                "added apart from it"
            )

    def of(self, outcome: Outcome) -> dict[str, Any]:
        """The figures of a row by their names."""
        row, _, found = outcome
        figures: dict[str, Any] = {"line": row.line} if row.line else {}
        if self._identity is not None:
            value = self._identity.value(row.document)
            figures["id"] = value if self._nested or value is None else str(value)
        if isinstance(found, Scored):
            reading = found.reading.as_dict()
            if not self._nested:
                scores = reading.pop("scores")
                figures |= {f"score_{label}": score for label, score in scores.items()}
            stats = found.stats
            figures |= {**reading, "language": found.language, "truncated": stats.truncated}
        else:
            figures["error"] = str(found)
        if self._nested and row.beyond:
            figures[OTHER_CELLS] = list(row.beyond)
        if not self._prefix:
            return figures
        return {self._prefix + name: value for name, value in figures.items()}

    def are_same(self, there: Sequence[dict[str, Any]], again: Sequence[dict[str, Any]]) -> bool:
        """Whether rows in a file are those that would be written now, with scores about the same.

        The label, and whether it is confident, follow from the scores, where a little decides. Of
        the same scores they are the same, unless other options are given.
        """
        return len(there) == len(again) and all(map(self._is_same, there, again))

    def _is_same(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        if one.keys() != other.keys():
            return False
        kinds = {field.name: field.kind for field in self.fields}
        followed = {self._prefix + name for name in ("label", "score", "confident")}
        fields = [(name, kinds.get(name, "")) for name in one if name not in followed]
        if _all_alike(one, other, fields, SCORE_SAME_MAX):
            chosen = [self._prefix + name for name in ("label", "confident")]
            return all(one.get(name) == other.get(name) for name in chosen)
        return _all_alike(one, other, fields, SCORE_DIFFERS_MAX)


def _all_alike(
    one: dict[str, Any], other: dict[str, Any], fields: Iterable[tuple[str, str]], most: float
) -> bool:
    return all(_alike(one[name], other[name], kind, most) for name, kind in fields)


def _alike(one: Any, other: Any, kind: str, most: float) -> bool:
    if one == other:
        return True
    if kind == "object" and isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            _alike(one[name], other[name], "float", most) for name in one
        )
    if kind != "float":
        return False
    try:
        return abs(float(one) - float(other)) <= most
    except (TypeError, ValueError):
        return False


def in_json(out: TextIO, figures: Figures | None = None) -> Write:
    """Writes a JSON object for each row: its columns, and its figures or its `error`."""
    figures = figures or Figures(())

    def write(outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            row = {**outcome.row.columns, **figures.of(outcome)}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
        out.flush()

    return write


def in_colour(console: Console) -> Write:
    """Writes a line for each text: its label and score, and the text as far as it fits.

    With more than two labels, the other scores follow, the likeliest first.
    """

    def write(outcomes: Sequence[Outcome]) -> None:
        for _, text, found in outcomes:
            if isinstance(found, str):
                line = Text.assemble((found, WARN), "  cannot be scored")
            else:
                unsure = "" if found.confident else "  (not confident)"
                line = labelled(found.label).append(f" {found.score:.3f}")
                line.append(unsure, QUIET).append(_others(found.reading), QUIET)
                line.append("  " + printable(text))
            line.truncate(console.width, overflow="ellipsis")
            console.print(line)

    return write


def _others(reading: Reading) -> str:
    if len(reading.scores) == 2:
        return ""
    _, *others = sorted(reading.scores.items(), key=lambda item: -item[1])
    return "  " + ", ".join(f"{printable(label)} {score:.3f}" for label, score in others)
