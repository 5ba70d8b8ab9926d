"""What of a message goes into its event beside the text, in a form that every reader takes.

Pure. Exists because JSON allows more than its readers do: events hold only what PostgreSQL, Jackson
(Kafka Connect, Flink, Spark), .NET and the usual libraries of Python take with their defaults. The
contract page says what is written in another form.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

Paths = tuple[tuple[str, ...], ...] | None

# What identifies a message is shorter; a text of a person may be longer.
SHORT_CHARACTERS_MAX = 256

# Jackson takes strings of 20,000,000 UTF-16 units and names of 50,000: half of that in characters.
STRING_CHARACTERS_MAX = 10_000_000
NAME_CHARACTERS_MAX = 25_000
# Most levels of an event, itself included: .NET's readers take 64; MySQL, MongoDB, Ruby and
# protobuf's JSON 100; DuckDB fails between 101 and 130; Jackson takes 1,000.
DEPTH_MAX = 64
# Levels that fields may have: the event has one, and so has `extra`.
_LEVELS = DEPTH_MAX - 1
# Beyond these, Kafka Connect makes other integers, and others fail or make floats.
INTEGER_MIN, INTEGER_MAX = -(2**63), 2**63 - 1

# PostgreSQL takes no U+0000; what stands for characters that cannot be shown takes its place.
_NUL, _NUL_ESCAPED, _REPLACEMENT = "\0", b"\\u0000", "\ufffd"
# Digits become zeros and brackets braces, so that one search finds them all.
_SHAPES = bytes.maketrans(b"123456789[", b"000000000{")
# Integers beyond 64 bits have at least as many digits as the largest.
_MANY_DIGITS = b"0" * len(str(INTEGER_MAX))


@dataclass(frozen=True, slots=True)
class Carried:
    """Picks the fields of a message that go into its event.

    `paths` are the names that lead to them through objects, none within another one; None is all
    fields. With `short_only`, only numbers, booleans and short strings are taken.
    """

    paths: Paths = None
    short_only: bool = False

    def of(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """The fields to carry, at their places; the given ones are not changed."""
        if self.paths is None:
            return fields
        picked: dict[str, Any] = {}
        for path in self.paths:
            self._pick(fields, path, picked)
        return picked

    def _pick(self, fields: Any, path: tuple[str, ...], picked: dict[str, Any]) -> None:
        value = fields
        for name in path:
            if not isinstance(value, dict) or name not in value:
                return
            value = value[name]
        if self.short_only and not _is_short(value):
            return
        for name in path[:-1]:
            picked = picked.setdefault(name, {})
        picked[path[-1]] = value


CARRY_ALL: Final = Carried()


def _is_short(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= SHORT_CHARACTERS_MAX
    return not isinstance(value, dict | list)


def is_hard_to_read(event: bytes, text: str | None) -> bool:
    """Whether an event, as JSON, or its text may hold what some readers do not take.

    Quick. True for some events that every reader takes: `readable` then changes nothing.
    """
    if len(event) > NAME_CHARACTERS_MAX or (text is not None and _NUL in text):
        return True
    # What is carried comes before the text, in which quotes are escaped.
    carried = event[: event.rfind(b',"text":')]
    shapes = carried.translate(_SHAPES)
    return _MANY_DIGITS in shapes or shapes.count(b"{") > DEPTH_MAX or _NUL_ESCAPED in carried


def as_it_is(value: Any) -> Any:
    """The value, where `readable` would change nothing."""
    return value


def readable(value: Any, levels: int = _LEVELS) -> Any:
    """Fields, or another value, in a form that every reader takes, nested up to `levels` deep.

    The given value is not changed.
    """
    if isinstance(value, str):
        return _readable_string(value, STRING_CHARACTERS_MAX)
    if isinstance(value, int):
        return value if INTEGER_MIN <= value <= INTEGER_MAX else str(value)
    if isinstance(value, dict | list):
        if levels == 0:
            return as_text(readable(value, -1))  # its own levels do not matter in a string
        if isinstance(value, list):
            return [readable(element, levels - 1) for element in value]
        return {_readable_name(name): readable(inner, levels - 1) for name, inner in value.items()}
    return value


def as_text(value: Any) -> str | None:
    """A value of any type as a string: strings as they are, null as None, others as JSON."""
    if value is None or isinstance(value, str):
        return value
    return to_json(value).decode()


def _readable_string(value: str, most: int) -> str:
    if _NUL in value:
        value = value.replace(_NUL, _REPLACEMENT)
    return value if len(value) <= most else f"{value[: most - 1]}…"


def _readable_name(name: str) -> str:
    if len(name) <= NAME_CHARACTERS_MAX:
        return _readable_string(name, NAME_CHARACTERS_MAX)
    # So that names that begin alike do not become one.
    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"{_readable_string(name[:100], 100)}…{digest}"
