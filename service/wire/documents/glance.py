"""The usual message at a glance: an object that is not skipped, and whose text is taken out of it.

Exists because each record is looked at, and a feed has many pointers: each object on their ways is
looked up once, and nothing is copied. Whatever is not usual is left to `pointers`, which decides
alike. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from service.records import SkipReason
from service.wire.documents.json_values import RejectError, opened
from service.wire.documents.looks import Looks
from service.wire.documents.pointers import INDEX, SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.settings.places import Condition, Place, Pointer
    from service.wire.documents.looks import At, Objects
    from service.wire.documents.pointers import Names

# Stands for an object that is not there, and holds nothing.
_NOTHING: Final[dict[str, Any]] = {}
# Stands for a value that only `pointers` can find, as does every list where an object should be.
_UNSURE: Final[list[Any]] = [None]


# From the object with a number, by a name in it, and by places in lists there: None is the only
# element. A plain tuple, which is unpacked faster than a named one.
_Step = tuple[int, str | None, tuple[int | None, ...]]


class Glance:
    """Looks at messages for these places and conditions."""

    def __init__(self, places: Sequence[Place], conditions: Sequence[Condition]) -> None:
        """Look at nothing yet."""
        named = [c for c in conditions if c.reason is not SkipReason.NO_TEXT]
        pointers = [pointer for condition in named for pointer in condition.pointers]
        # Whether it is of use; a whole value, and lists of texts, are looked at elsewhere.
        self.can_tell = all(pointer.names[-1:] not in ((), (None,)) for pointer in pointers)
        pointers = [pointer for place in places for pointer in place]
        self.can_take = self.can_tell and all(p.names and not p.in_list for p in pointers)
        self._steps: list[_Step] = []
        self._numbers: dict[Names, int] = {(): 0}
        # Whether there is anything to look for.
        self._may_skip = self.can_tell and bool(named)
        self._looks = Looks((c, list(map(self._at, c.pointers))) for c in named if self.can_tell)
        self._steps_to_skip = tuple(self._steps)
        # Each pointer, and whether no further one is joined to it.
        self._pointers = [
            (*self._at(pointer), pointer is place[-1])
            for place in places
            for pointer in place
            if self.can_take
        ]

    def may_skip(self, message: dict[str, Any]) -> bool:
        """Whether a message may meet a condition that has a pointer; `pointers` decides."""
        if not self._may_skip:
            return not self.can_tell
        try:
            return self._looks.may_meet(_objects(message, self._steps_to_skip))
        except AttributeError:
            return self._may_skip_by_strings(message)

    def take(self, message: dict[str, Any]) -> str | None:
        """The text of a message, which is taken out of it.

        None if it may meet a condition; empty if it meets none, and `pointers` can take the text.
        """
        try:
            objects = _objects(message, self._steps)
            if self._may_skip and self._looks.may_meet(objects):
                return None
            held: list[tuple[dict[Any, Any], str | None]] = []
            for number, name, is_last in self._pointers:
                text = objects[number].get(name)
                if type(text) is str and text != "" and not text.isspace():
                    if is_last and not held:
                        del objects[number][name]
                        return text
                    held.append((objects[number], name))
                if held and is_last:
                    return _take(held)
        except AttributeError:
            return None if self._may_skip_by_strings(message) else ""
        return ""

    def _may_skip_by_strings(self, message: dict[str, Any]) -> bool:
        """As `may_skip`, where a value on the way is no object, but perhaps a string that has one.

        Most messages have none, and are not asked.
        """
        objects: Objects = [message]
        for parent, name, then in self._steps_to_skip:
            value = objects[parent].get(name)
            if then:
                value = _in_list(value, then)
            if type(value) is str:
                try:
                    value = opened(value)
                except RejectError:
                    return True
            if type(value) is list:
                return True
            objects.append(value if type(value) is dict else _NOTHING)
        return self._looks.may_meet(objects)

    def _at(self, pointer: Pointer) -> At:
        return self._number(pointer.names[:-1]), pointer.names[-1]

    def _number(self, names: Names) -> int:
        """The number of the object that the names lead to; the first time it gets one."""
        known = self._numbers.get(names)
        if known is not None:
            return known
        last = len(names) - 1
        while last > 0 and _is_in_list(names[last]):
            last -= 1
        then = tuple(None if name is None else int(name) for name in names[last + 1 :])
        self._steps.append((self._number(names[:last]), names[last], then))
        self._numbers[names] = len(self._steps)
        return len(self._steps)


def _is_in_list(name: str | None) -> bool:
    return name is None or INDEX.fullmatch(name) is not None


def _objects(message: dict[str, Any], steps: Sequence[_Step]) -> Objects:
    """The message, and the object that each step leads to.

    One that is none shows when it is asked for a value.

    Raises:
        AttributeError: a value on the way is no object.
    """
    objects: Objects = [message]
    for parent, name, then in steps:
        value = objects[parent].get(name)
        if then:
            value = _in_list(value, then)
        objects.append(value or _NOTHING)
    return objects


def _in_list(value: Any, then: tuple[int | None, ...]) -> Any:
    for place in then:
        if type(value) is not list:
            return None if value is None else _UNSURE
        if place is None:
            value = value[0] if len(value) == 1 else None
        else:
            value = value[place] if place < len(value) else None
    return value


def _take(held: Sequence[tuple[dict[Any, Any], str | None]]) -> str:
    texts = [parent[name] for parent, name in held]
    for parent, name in held:
        parent.pop(name, None)
    return SEPARATOR.join(texts)
