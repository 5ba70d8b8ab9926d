"""The syntax of TEXT_FIELD and SKIP: where the text of a message is, and what is no text to score.

Exists so that a wrong value is refused at the start, with a remedy. Pure; nothing may enter that
looks at a message (see `wire.pointers`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import unquote

from jsonpointer import JsonPointer, JsonPointerException
from pydantic import AfterValidator, Field

from service.records import SkipReason

# Stands in a pointer for every element of a list.
EACH: Final = None
# The text and the conditions are looked for in every record: more pointers than any feed needs.
POINTERS_MAX = 32

_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Pointer:
    """A JSON pointer: as written, and the names it goes through; EACH is every element."""

    written: str
    names: tuple[str | None, ...]

    @property
    def in_list(self) -> tuple[str | None, ...]:
        """The names up to the last EACH; empty if there is none."""
        if EACH not in self.names:
            return ()
        return self.names[: len(self.names) - self.names[::-1].index(EACH)]


# Pointers whose texts are joined. Of several places the first that holds a text counts.
Place = tuple[Pointer, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A record that meets it is skipped, for `reason`, which also says how to compare.

    Whether it meets NO_TEXT is up to the places of the text; it has no pointer of its own.

    `value` is what the pointer's value is compared with, and `of_strings` and `of_others` whether a
    string may equal it, and a number, true, false or null. `other` is the pointer of the value that
    it is compared with.
    """

    reason: SkipReason
    pointer: Pointer
    value: str = ""
    of_strings: bool = True
    of_others: bool = True
    other: Pointer | None = None

    @property
    def pointers(self) -> tuple[Pointer, ...]:
        """All of its pointers."""
        return (self.pointer,) if self.other is None else (self.pointer, self.other)


def text_places(value: str) -> tuple[Place, ...]:
    """The places of a value of TEXT_FIELD, in the order in which they count.

    Raises:
        ValueError: it is none; the message says why, to follow the value.
    """
    if not value.strip():
        return ((_pointer("", value),),)
    places = tuple(
        tuple(_pointer(part.strip(), value) for part in place.split("+"))
        for place in value.split(",")
    )
    pointers = [pointer for place in places for pointer in place]
    if not all(pointer.names for pointer in pointers):
        raise ValueError("has nothing before or after a comma or plus sign")
    _check_number(len(pointers))
    if len({pointer.in_list for pointer in pointers} - {()}) > 1:
        raise ValueError("names the elements of two lists; all pointers with * are to name one")
    return places


def skip_conditions(value: str) -> tuple[Condition, ...]:
    """The conditions of a value of SKIP.

    Raises:
        ValueError: as for `text_places`.
    """
    if not value.strip():
        return ()
    conditions: list[Condition] = []
    before = ""
    for part in map(str.strip, value.split(",")):
        if part and part[0] not in "/!=" and "=" in before:
            raise ValueError(f"has {part}, which is not a JSON pointer; write %2C for a comma")
        conditions.append(_condition(part, value))
        before = part
    _check_number(len(conditions))
    return tuple(conditions)


def foreign_list(places: tuple[Place, ...], conditions: tuple[Condition, ...]) -> Pointer | None:
    """A pointer of a condition to elements of a list that the places do not name; None if none."""
    names = max((pointer.in_list for place in places for pointer in place), key=len)
    for condition in conditions:
        for pointer in condition.pointers:
            if names[: len(pointer.in_list)] != pointer.in_list:
                return pointer
    return None


def _condition(part: str, whole: str) -> Condition:
    if part == "!":
        return Condition(SkipReason.NO_TEXT, Pointer("", ()))
    before, equals, after = part.partition("=")
    before, after = before.rstrip(), after.lstrip()
    absent = before.startswith("!")
    name = before.strip("! ")
    if equals and before and not name:
        raise ValueError(f"has {part}, with no pointer before !=")
    if absent and equals:
        raise ValueError(f"has {part}; write {name}!={after} for any other value")
    # What is meant is another sign: hardly a name ends so, and a wrong one would skip everything.
    unsigned = before if after.startswith("=") else before.removesuffix("!")
    if equals and unsigned.rstrip().endswith("!"):
        raise ValueError(
            f"has {part}; write {name}!= for any other value, and %21 where a name ends in !"
        )
    if absent:
        return Condition(SkipReason.ABSENT, _named(before[1:].lstrip(), whole))
    if not equals:
        return Condition(SkipReason.PRESENT, _named(before, whole))
    if after.startswith("="):
        other = _named(after[1:].lstrip(), whole)
        return Condition(SkipReason.UNCHANGED, _named(before, whole), other=other)
    # A text may well be the word null; numbers, true and false are strings in many a feed.
    is_quoted = len(after) > 1 and after[0] == after[-1] == '"'
    value = _decoded(after[1:-1] if is_quoted else after)
    reason, pointer = SkipReason.VALUE, before
    if before.endswith("!"):
        reason, pointer = SkipReason.OTHER_VALUE, before[:-1].rstrip()
    return Condition(
        reason,
        _pointer(pointer, whole),
        value,
        of_strings=is_quoted or after != "null",
        of_others=not is_quoted,
    )


def _named(part: str, whole: str) -> Pointer:
    if not part:
        raise ValueError("has no pointer where one is expected")
    return _pointer(part, whole)


def _pointer(part: str, whole: str) -> Pointer:
    try:
        JsonPointer(part)
    except JsonPointerException as error:
        subject = "is" if part == whole else f"has {part}, which is"
        raise ValueError(f"{subject} not a JSON pointer ({error})") from None
    names = tuple(EACH if name == "*" else _name(name) for name in part.split("/")[1:])
    if names and names[0] is EACH:
        raise ValueError(
            f"has {part}; an array on top is a list of messages anyway, so leave out the first /*"
        )
    return Pointer(part, names)


def _name(escaped: str) -> str:
    return _decoded(escaped).replace("~1", "/").replace("~0", "~")


def _decoded(escaped: str) -> str:
    if _BAD_PERCENT.search(escaped):
        raise ValueError(f"has {escaped}; write %25 for a percent sign")
    try:
        return unquote(escaped, errors="strict")
    except UnicodeDecodeError:
        raise ValueError(f"has {escaped}, whose escapes are not UTF-8") from None


def _check_number(pointers: int) -> None:
    if pointers > POINTERS_MAX:
        raise ValueError(f"has {pointers} pointers, over {POINTERS_MAX}")


def _text_field(value: str) -> str:
    text_places(value)
    return value


def _skip(value: str) -> str:
    skip_conditions(value)
    return value


TextField = Annotated[
    str,
    Field(
        json_schema_extra={
            "allowed": "JSON pointers, separated by commas, or joined by + where their texts "
            "belong together, like /text or /title+/body,/caption"
        }
    ),
    AfterValidator(_text_field),
]
Skip = Annotated[
    str,
    Field(
        json_schema_extra={
            "allowed": "conditions separated by commas: ! (no text), !/text (nothing is there), "
            "/bot (something is), /op=d, /type!=post, /before/text==/after/text; =1 and =true are "
            'the number and true, and strings that read so, =null is null alone, and ="null" a '
            "string alone"
        }
    ),
    AfterValidator(_skip),
]
