"""Whether a message may meet a condition, from the objects that its pointers go through.

Exists apart from `glance` because each kind of condition is looked for in its own, quickest way. It
says yes too often, never too seldom: `pointers` decides. Pure.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from service.records import SkipReason
from service.wire.documents.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.settings.places import Condition

# The objects of a message by number, and a value in them: its object's number, its name there.
Objects = list[dict[Any, Any]]
At = tuple[int, str | None]

_SCALARS: Final = frozenset({str, int, float, bool})
# More values are looked up in a set. Fewer are compared: in a set a long text has to be hashed.
_COMPARED_MAX = 4


class Looks:
    """What to look for in the objects, of conditions and where their values are."""

    def __init__(self, conditions: Iterable[tuple[Condition, list[At]]]) -> None:
        """Sort the conditions by how they are looked for."""
        values: dict[At, list[Any]] = {}
        absent: dict[At, None] = {}
        self._present: list[At] = []
        self._null: list[At] = []
        self._other: list[tuple[int, str | None, Any, Any]] = []
        self._pairs: list[tuple[int, str | None, int, str | None]] = []
        for condition, (at, *others) in conditions:
            match condition.reason:
                case SkipReason.ABSENT:
                    absent[at] = None
                case SkipReason.PRESENT:
                    self._present.append(at)
                case SkipReason.OTHER_VALUE:
                    self._other.append((*at, *_allowed(condition)))
                case SkipReason.UNCHANGED:
                    self._pairs += [(*at, *other) for other in others]
                case _:
                    found = _values(condition)
                    if None in found:
                        self._null.append(at)
                    values.setdefault(at, []).extend(v for v in found if v is not None)
        values = {at: found for at, found in values.items() if found}
        self._compared = [(*at, tuple(v)) for at, v in values.items() if len(v) <= _COMPARED_MAX]
        self._among = [(*at, frozenset(v)) for at, v in values.items() if len(v) > _COMPARED_MAX]
        self._absent = list(absent)
        self._has_rare = bool(self._present or self._null or self._pairs)

    def may_meet(self, objects: Objects) -> bool:
        """Whether a message with these objects may meet a condition."""
        for number, name, word, whole_number in self._other:
            value = objects[number].get(name)
            if value != word and (type(value) is not int or value != whole_number):
                return True
        for number, name, compared in self._compared:
            if objects[number].get(name) in compared:
                return True
        for number, name, values in self._among:
            value = objects[number].get(name)
            if type(value) in _SCALARS and value in values:
                return True
        for number, name in self._absent:
            if objects[number].get(name) is None:
                return True
        return self._has_rare and self._may_meet_rare(objects)

    def _may_meet_rare(self, objects: Objects) -> bool:
        for number, name in self._present:
            if objects[number].get(name) is not None:
                return True
        for number, name in self._null:
            if objects[number].get(name, MISSING) is None:
                return True
        for number, name, other_number, other_name in self._pairs:
            value = objects[number].get(name)
            if value is not None and value == objects[other_number].get(other_name):
                return True
        return False


def _values(condition: Condition) -> list[Any]:
    """All that a value may be that meets the condition."""
    found: list[Any] = [condition.value] if condition.of_strings else []
    scalar = _parsed(condition.value) if condition.of_others else MISSING
    return found if scalar is MISSING else [*found, scalar]


def _allowed(condition: Condition) -> tuple[Any, Any]:
    """The string and the integer that do not meet it; other types are left to `pointers`."""
    word = condition.value if condition.of_strings else MISSING
    number = _parsed(condition.value) if condition.of_others else MISSING
    is_usual = type(number) is int and str(number) == condition.value
    return word, number if is_usual else MISSING


def _parsed(value: str) -> Any:
    """The number, true, false or null that is written so; MISSING if none is."""
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return MISSING
    return MISSING if isinstance(found, str | list | dict) else found
