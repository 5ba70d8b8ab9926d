"""Reads labelled text from a table of any form, with labels by name, by number or by a mapping.

Exists so that a model can be measured on what people have, without a conversion. How a file is read
is in `service.tables`; the published forms that have no such columns are in `labelled`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from service.errors import InputError
from service.lab.data.domains import LABELS, NAMES
from service.lab.data.glue import Example
from service.lab.data.labelled import Form, read_labelled
from service.lab.data.texts import TEXT_COLUMNS
from service.tables.reading import Table
from service.tables.rows import Column, shown
from service.wire.documents.json_values import RejectError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from service.tables.rows import Row

GLUE_HEADER: Final = b"sentence\tlabel"
# What a value of --labels may stand for; a row with the last one is left out.
SKIP: Final = "skip"
MEANINGS: Final = (*map(str.lower, LABELS), SKIP)
# A label is a word; more of it is not repeated in an error.
_LABEL_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Columns:
    """Where text and label are in a table, in which form it is, and what its labels stand for.

    `form` is one of `tables.reading.FORMS`, None to choose it by the file's name. `labels` maps
    values to MEANINGS; without it, labels are names or numbers.
    """

    form: str | None = None
    text: Column = field(default_factory=lambda: Column("--text-column", TEXT_COLUMNS))
    label: Column = field(default_factory=lambda: Column("--label-column", "label"))
    labels: Mapping[str, str] | None = None

    @property
    def is_usual(self) -> bool:
        """Whether columns and the meanings of labels are the defaults."""
        names = self.text.written, self.label.written
        return self.labels is None and names == (TEXT_COLUMNS, "label")


@dataclass(slots=True)
class Labelled:
    """The examples of a file, and the rows that are none of them.

    Attributes:
        examples: with labels as `form` says.
        form: `named` or another of `labelled.Form`: what the labels of the examples mean.
        skipped: the number of rows that --labels leaves out.
        failed: the number of rows that cannot be used, by reason.
    """

    examples: list[Example]
    form: Form
    skipped: int = 0
    failed: Counter[str] = field(default_factory=Counter)


def meanings_of(written: str) -> dict[str, str]:
    """What each value stands for, by an option like `negative=0,neutral=1,positive=2`.

    Raises:
        InputError: it is not of this form.
    """
    found: dict[str, str] = {}
    for part in written.split(","):
        meaning, equals, value = (one.strip() for one in part.partition("="))
        if not equals or not value or meaning.lower() not in MEANINGS:
            raise InputError(
                f"--labels {written}: has {part.strip() or 'nothing between commas'}; "
                f"give {', '.join(f'{name}=VALUE' for name in MEANINGS)}, each as often as needed"
            )
        if found.get(value, meaning.lower()) != meaning.lower():
            raise InputError(f"--labels {written}: has the value {value} twice; give it once")
        found[value] = meaning.lower()
    return found


def read_any(path: Path, form: Form | Columns) -> Labelled:
    """Read a labelled file: a table, or one of the published forms.

    A table in the form of GLUE, `sentence<TAB>label`, is read as such.

    Raises:
        InputError: the file cannot be read, lacks a column, or has a label of unknown meaning.
    """
    if isinstance(form, Columns) and form.is_usual and _is_glue(path, form.form):
        form = "glue"
    if not isinstance(form, Columns):
        return Labelled(read_labelled(path, form), form)
    return _of_table(path, form)


def _is_glue(path: Path, form: str | None) -> bool:
    if form not in (None, "tsv") or path.suffix != ".tsv":
        return False
    try:
        with path.open("rb") as file:
            return file.readline(len(GLUE_HEADER) + 2).rstrip(b"\r\n") == GLUE_HEADER
    except OSError:
        return False  # the reader says why


def _of_table(path: Path, columns: Columns) -> Labelled:
    labelled = Labelled([], "named")
    values: list[str] = []
    places: list[int] = []
    with Table(
        str(path), columns.form, columns.text, columns.text.names | columns.label.names
    ) as table:
        if table.form == "text":
            raise InputError(
                f"{path}: has no labels as text; give --format csv, tsv, jsonl or json"
            )
        if table.columns:
            columns.label.check(table.name, table.columns)
        first: tuple[str, ...] = ()
        count = 0
        for count, row in enumerate(table.rows(), 1):  # noqa: B007 - counted
            first = first or tuple(row.columns)
            value = columns.label.value(row.document)
            text = _text(row, columns.text)
            if text is None or value is None:
                labelled.failed[row.reason or ("no text" if text is None else "no label")] += 1
                continue
            labelled.examples.append(Example(text, -1))
            values.append(_written(value))
            places.append(row.line)
    if not count:
        raise InputError(f"{path}: has no rows; give a file with labelled rows")
    if not values:
        wanted = f"{columns.text.in_words} and {columns.label.in_words}"
        others = f" but {shown(first)}" if first else ""
        raise InputError(
            f"{path}: has no row with {wanted}{others}; give --text-column and --label-column"
        )
    return _with_labels(path, labelled, values, places, columns.labels)


def _text(row: Row, column: Column) -> str | None:
    if row.reason is not None:
        return None
    try:
        return column.text(row.document)
    except RejectError:
        return None


def _written(value: Any) -> str:
    """A label as --labels would name it: 1 for 1.0, true for True."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _with_labels(
    path: Path,
    labelled: Labelled,
    values: list[str],
    places: list[int],
    meanings: Mapping[str, str] | None,
) -> Labelled:
    are_numbers = meanings is None and all(value.isdecimal() for value in values)
    if are_numbers and "0" not in values:
        some = ", ".join(sorted(set(values))[:5])
        raise InputError(
            f"{path}: has labels {some} but no 0; say what they stand for: "
            "--labels negative=1,positive=2"
        )
    examples = []
    for example, value, line in zip(labelled.examples, values, places, strict=True):
        if are_numbers:
            examples.append(Example(example.text, int(value)))
            continue
        name = value.lower() if meanings is None else meanings.get(value)
        if name == SKIP and meanings is not None:
            labelled.skipped += 1
        elif name not in NAMES:
            raise _unknown(f"{path}:{line}", value, meanings)
        else:
            examples.append(Example(example.text, NAMES[name]))
    labelled.examples = examples
    labelled.form = "glue" if are_numbers else "named"
    return labelled


def _unknown(place: str, value: str, meanings: Mapping[str, str] | None) -> InputError:
    label = " ".join(value[:_LABEL_SHOWN].split())
    if meanings is not None:
        return InputError(
            f"{place}: its label {label} is not in --labels; add it, or leave such rows out: "
            f"skip={label}"
        )
    return InputError(
        f"{place}: its label {label} is no number and none of {', '.join(NAMES)}; "
        f"say what it stands for: --labels negative={label},…"
    )
