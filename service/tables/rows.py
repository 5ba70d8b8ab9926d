"""A row of a table, and where in it the text is. Pure.

Exists so that readers of all forms and whatever uses their rows agree on what a row is. Nothing may
enter that knows how a form is read or written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.errors import InputError
from service.settings.places import Pointer, text_places
from service.wire.documents.json_values import MISSING, RejectError
from service.wire.documents.pointers import find, take_text

if TYPE_CHECKING:
    from collections.abc import Collection

    from service.settings.places import Place

# The longest text that a setting allows; a longer row is a file of another kind, or a quote that
# nobody closed.
ROW_BYTES_MAX = 64 * 2**20
# More columns than any table of texts has; each is copied into every row that is written.
COLUMNS_MAX = 2000
# Why a row cannot be used, beside the reasons of dead letters: its cells are more or fewer than the
# columns are.
WRONG_CELLS = "wrong_cells"
# As many names as fit into a line that a person reads.
_NAMES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line on which it begins, and its columns or why it has none.

    `line` counts from 1; of a Parquet file it is the number of the row. `document` is a mapping,
    or any other value of JSON. `reason` says why the row cannot be used, if that is known already.
    `size` is its length in bytes, more or less. `origin` is what the reader and writer of one form
    know of it (see `parquet`). `beyond` are the cells for which the header has no column.
    """

    line: int
    document: Any = None
    reason: str | None = None
    size: int = 0
    origin: Any = None
    beyond: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, Any]:
        """Its columns; empty if it is a bare text, or broken."""
        return self.document if isinstance(self.document, dict) else {}


class Column:
    """A column by its name, or by a JSON pointer into what the columns hold."""

    def __init__(self, option: str, written: str) -> None:
        """Take the value of an option: a name, or a pointer that begins with a slash.

        Raises:
            InputError: it is neither.
        """
        self.option = option
        self.written = written
        if not written:
            raise InputError(f"{option}: is empty; give the name of a column")
        self.places: tuple[Place, ...] = ((Pointer(written, (written,)),),)
        if not written.startswith("/"):
            return
        try:
            self.places = text_places(written)
        except ValueError as error:
            raise InputError(f"{option} {written}: {error}") from None

    @property
    def names(self) -> set[str]:
        """The columns that it begins in."""
        firsts = {pointer.names[0] for place in self.places for pointer in place}
        return {name for name in firsts if name is not None}

    @property
    def in_words(self) -> str:
        """The column in words: `text or sentence` for a pointer to either."""
        pointers = [pointer for place in self.places for pointer in place]
        if all(len(pointer.names) == 1 for pointer in pointers):
            return " or ".join(str(pointer.names[0]) for pointer in pointers)
        return self.written

    def is_in(self, columns: Collection[str]) -> bool:
        """Whether a table with these columns has it."""
        return bool(self.names & set(columns))

    def check(self, name: str, columns: Collection[str]) -> None:
        """Refuse the table of this name if it has no such column.

        Raises:
            InputError: it has not; the message has the names of those that it has.
        """
        if not self.is_in(columns):
            raise InputError(
                f"{name}: has no column {self.in_words} but {shown(columns)}; "
                f"give {self.option} NAME"
            )

    def text(self, document: Any) -> str:
        """The text of a row.

        Raises:
            RejectError: there is none.
        """
        if isinstance(document, str):
            document, places = {"text": document}, text_places("/text")
            return take_text(document, places)[0]
        return take_text(document, self.places)[0]

    def value(self, document: Any) -> Any:
        """The first value that is there; None if there is none."""
        for place in self.places:
            for pointer in place:
                try:
                    found = find(document, pointer.names)
                except RejectError:
                    continue
                if found is not MISSING and found is not None:
                    return found
        return None


def shown(columns: Collection[str]) -> str:
    """The names of columns, in one line of bounded length."""
    names = [" ".join(name[:60].split()) for name in list(columns)[:_NAMES_SHOWN]]
    more = len(columns) - len(names)
    return (", ".join(names) or "none") + (f" and {more} more" if more else "")
