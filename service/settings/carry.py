"""The syntax of CARRY: which fields of a message go into its event, beside the text.

Exists so that a wrong value is refused at the start, and so that INCLUDE_TEXT=false means what it
says: a message often holds its text a second time, and such a field would carry it on. Pure;
nothing may enter that looks at a message (see `wire.carried`).
"""

from __future__ import annotations

from typing import Annotated, Final

from jsonpointer import JsonPointer, JsonPointerException
from pydantic import AfterValidator, Field

ALL: Final = "all"
NONE: Final = "none"
# All, and without texts the names below alone.
AUTO: Final = "auto"
# What identifies a message, and is no text of a person.
WITHOUT_TEXT: Final = (("id",), ("source",), ("lang",), ("created_at",))
# Each is looked for in every message: more than any consumer needs.
POINTERS_MAX = 100

# The names that lead to a field, from the outermost on; None in place of all paths is all fields.
Paths = tuple[tuple[str, ...], ...] | None


def _carry(value: str) -> str:
    if value not in (AUTO, ALL):
        parse_paths(value)
    return value


def parse_paths(value: str) -> Paths:
    """The paths of any value but `auto`; those within another one are left out.

    Raises:
        ValueError: a part is no JSON pointer, means the whole message or the elements of a list, or
            there are too many.
    """
    if value == ALL:
        return None
    pointers = [] if value == NONE else value.split(",")
    if len(pointers) > POINTERS_MAX:
        raise ValueError(f"has more than {POINTERS_MAX} pointers")
    paths = {_names(pointer.strip()) for pointer in pointers}
    return tuple(
        path
        for path in sorted(paths)
        if not any(path[:length] in paths for length in range(len(path)))
    )


def _names(pointer: str) -> tuple[str, ...]:
    try:
        names = tuple(JsonPointer(pointer).parts)
    except JsonPointerException as error:
        raise ValueError(f"has {pointer}, which is not a JSON pointer ({error})") from None
    if not names:
        raise ValueError("has an empty pointer, which means the whole message; use all for that")
    if "*" in names:
        raise ValueError(
            f"has {pointer}; a list is carried whole, so leave out /* and what follows"
        )
    return names


def carried_paths(carry: str, *, include_text: bool) -> Paths:
    """The paths of the fields that go into events, by CARRY and INCLUDE_TEXT."""
    if carry != AUTO:
        return parse_paths(carry)
    return None if include_text else WITHOUT_TEXT


def carry_notice(carry: str, *, include_text: bool) -> str | None:
    """What is to be known where events are to be without texts; None where there is nothing."""
    if include_text or carry not in (AUTO, ALL):
        return None
    if carry == AUTO:
        return (
            "SENTIMENT_DELIVERY__INCLUDE_TEXT=false: of a message's fields events carry id, "
            "source, lang and created_at, and only where they are short; "
            "SENTIMENT_KAFKA__CARRY names others"
        )
    return (
        "SENTIMENT_KAFKA__CARRY=all: events carry all other fields of a message, which may hold "
        "its text again, although SENTIMENT_DELIVERY__INCLUDE_TEXT=false; name the fields needed"
    )


Carry = Annotated[
    str,
    Field(
        json_schema_extra={
            "allowed": "auto, all, none, or JSON pointers separated by commas, like /id,/user/name"
        }
    ),
    AfterValidator(_carry),
]
