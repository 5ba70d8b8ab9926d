"""The usual message at a glance: an object that is not skipped, and whose text is taken out of it.

Exists because each record is looked at, and a feed has many pointers: what they share is looked up
once, and nothing is copied. Knows objects alone; whatever else is on the way is left to `pointers`,
which decides alike. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from service.records import SkipReason
from service.wire.documents.json_values import written
from service.wire.documents.pointers import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.settings.places import Condition, Place, Pointer

# Neither an object nor nothing is on the way to a value: only `pointers` can tell.
_UNSURE: Final[Any] = object()
_WORDS: Final = {True: "true", False: "false"}
_DIGITS: Final = frozenset("0123456789")

# The names of the objects around a value, and its own.
_Path = tuple[tuple[str, ...], str]


class _Look(NamedTuple):
    """What of a value may be a reason to skip: that it is there or not, or what it is or is not.

    `values` are few, and no set: to be looked up in one, a long text would have to be hashed.
    """

    name: str
    if_present: bool
    if_absent: bool
    values: tuple[str, ...]
    other_than: str | None


class Glance:
    """Looks at messages for these places and conditions, if objects alone are on their ways."""

    def __init__(self, places: Sequence[Place], conditions: Sequence[Condition]) -> None:
        """Look at nothing yet."""
        pointers = [pointer for place in places for pointer in place]
        named = [c for c in conditions if c.reason is not SkipReason.NO_TEXT]
        pointers += [pointer for condition in named for pointer in condition.pointers]
        # Whether it is of use; a text that is the whole value, or in a list, is found elsewhere.
        self.can_tell = all(pointer.names and not pointer.in_list for pointer in pointers)
        if not self.can_tell:
            return
        self._places = [[_path(pointer) for pointer in place] for place in places]
        self._looks = _looks([c for c in named if c.other is None])
        self._pairs = [(_path(c.pointer), _path(c.other)) for c in named if c.other is not None]

    def may_skip(self, message: dict[str, Any]) -> bool:
        """Whether a message may meet a condition that has a pointer; `pointers` can tell."""
        for around, looks, if_absent in self._looks:
            parent = _object(message, around) if around else message
            if parent is None:
                if if_absent:
                    return True
            elif parent is _UNSURE or _is_reason(parent, looks):
                return True
        for one, other in self._pairs:
            value = _value(message, one)
            if value is not None:
                same = _value(message, other)
                if _UNSURE in (value, same) or value == same:
                    return True
        return False

    def take(self, message: dict[str, Any]) -> str | None:
        """The text of a message, which is taken out of it; None if only `pointers` can tell."""
        for place in self._places:
            parents: list[tuple[dict[str, Any], str]] = []
            texts: list[str] = []
            for names, name in place:
                parent = _object(message, names) if names else message
                if parent is None:
                    continue
                if parent is _UNSURE:
                    return None
                text = parent.get(name)
                if type(text) is str and text != "" and not text.isspace():
                    parents.append((parent, name))
                    texts.append(text)
            if texts:
                for parent, name in parents:
                    parent.pop(name, None)
                return texts[0] if len(texts) == 1 else SEPARATOR.join(texts)
        return None


def _path(pointer: Pointer) -> _Path:
    *around, name = (name for name in pointer.names if name is not None)
    return tuple(around), name


def _looks(conditions: Sequence[Condition]) -> list[tuple[tuple[str, ...], list[_Look], bool]]:
    """One look for each value, by the object around it, and if its absence may be a reason."""
    grouped: dict[tuple[str, ...], dict[tuple[str, str | None], _Look]] = {}
    for condition in conditions:
        around, name = _path(condition.pointer)
        is_other = condition.reason is SkipReason.OTHER_VALUE
        is_value = condition.reason is SkipReason.VALUE
        other_than = condition.value if is_other else None
        looks = grouped.setdefault(around, {})
        known = looks.get((name, other_than)) or _Look(
            name, if_present=False, if_absent=False, values=(), other_than=other_than
        )
        looks[name, other_than] = known._replace(
            if_present=known.if_present or condition.reason is SkipReason.PRESENT,
            # Null is a value too, if it is asked for.
            if_absent=known.if_absent
            or is_other
            or condition.reason is SkipReason.ABSENT
            or condition.value == "null",
            values=(*known.values, condition.value) if is_value else known.values,
        )
    return [
        (around, list(looks.values()), any(look.if_absent for look in looks.values()))
        for around, looks in grouped.items()
    ]


def _is_reason(parent: dict[str, Any], looks: Sequence[_Look]) -> bool:
    for name, if_present, if_absent, values, other_than in looks:
        value = parent.get(name)
        if value is None:
            if if_absent:
                return True
        elif if_present:
            return True
        elif value != other_than:
            text = value if type(value) is str else _written(value)
            if text in values or (other_than is not None and text != other_than):
                return True
    return False


def _object(message: dict[str, Any], names: tuple[str, ...]) -> Any:
    """The object that the names lead to; None if nothing is there, or `_UNSURE`."""
    parent: Any = message
    for name in names:
        if type(parent) is dict:
            parent = parent.get(name)
        elif type(parent) is list and name in _DIGITS:
            parent = parent[int(name)] if int(name) < len(parent) else None
        else:
            break
    if type(parent) is dict:
        return parent
    return None if parent is None else _UNSURE


def _value(message: dict[str, Any], path: _Path) -> Any:
    """The value at a path; None if nothing is there, or `_UNSURE`."""
    names, name = path
    parent = _object(message, names)
    return parent.get(name) if type(parent) is dict else parent


def _written(value: Any) -> str:
    if type(value) is bool:
        return _WORDS[value]
    return str(value) if type(value) is int else written(value)
