"""Where in a document the text is, what is no text to score, and the elements of lists.

Pure. A pointer is a tuple of names, of which None stands for the elements of a list; it goes
through strings that are JSON themselves. Documents share parts, so none is changed: what differs is
a copy along the pointer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from service.records import Reason, SkipReason
from service.wire.documents.json_values import MISSING, RejectError, opened, type_of, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from service.settings.places import Condition, Place, Pointer

Names = tuple[str | None, ...]

# Texts that belong together are read as paragraphs.
SEPARATOR = "\n\n"
# No array of a message is longer.
INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


def find(document: Any, names: Names) -> Any:
    """The value that the names lead to, or MISSING; None leads to the only element of a list.

    Raises:
        RejectError: a string on the way holds JSON that not every reader can take.
    """
    for name in names:
        document = _step(document, name)
        if document is MISSING:
            return MISSING
    return document


def _step(document: Any, name: str | None) -> Any:
    if isinstance(document, str):
        document = opened(document)
    if isinstance(document, dict):
        return document.get(name, MISSING)
    if isinstance(document, list):
        place = _place(document, name)
        return MISSING if place is None else document[place]
    return MISSING


def _place(elements: Sequence[Any], name: str | None) -> int | None:
    if name is None:
        return 0 if len(elements) == 1 else None
    place = int(name) if INDEX.fullmatch(name) else len(elements)
    return place if place < len(elements) else None


def without(document: Any, names: Names) -> Any:
    """The document without the value that the names lead to; of an array it leaves null there."""
    if not names:
        return {}
    inner = opened(document) if isinstance(document, str) else document
    changed = _without(inner, names[0], names[1:])
    if changed is inner:
        return document
    return written(changed) if isinstance(document, str) else changed


def _without(document: Any, name: str | None, rest: Names) -> Any:
    if isinstance(document, dict) and name in document:
        if rest:
            return {**document, name: without(document[name], rest)}
        return {key: value for key, value in document.items() if key != name}
    place = _place(document, name) if isinstance(document, list) else None
    if place is None:
        return document
    element = without(document[place], rest) if rest else None
    return [*document[:place], element, *document[place + 1 :]]


def cut(document: Any, names: Names) -> Iterator[Any]:
    """The document once for each element of the lists that the names name, with it alone in them.

    Where the names lead to no list, or to an empty one, the document is not cut there.
    """
    if None not in names:
        yield document
        return
    name, rest = names[0], names[1:]
    if isinstance(document, str):
        inner = opened(document)
        for part in cut(inner, names):
            yield document if part is inner else written(part)
    elif name is None and isinstance(document, list) and document:
        alone = len(document) == 1
        for element in document:
            for part in cut(element, rest):
                yield document if alone and part is element else [part]
    elif isinstance(
        child := _step(document, name) if name is not None else None, dict | list | str
    ):
        for part in cut(child, rest):
            yield document if part is child else _with(document, name, part)
    else:
        yield document


def _with(document: Any, name: str | None, part: Any) -> Any:
    if isinstance(document, dict):
        return {**document, name: part}
    place = _place(document, name) or 0
    return [*document[:place], part, *document[place + 1 :]]


def first_list(document: Any, names: Names) -> list[Any] | None:
    """The first list whose elements the names name; None if it is not there."""
    if None not in names:
        return None
    found = find(document, names[: names.index(None)])
    found = opened(found) if isinstance(found, str) else found
    return found if isinstance(found, list) else None


def ends_in_empty_list(document: Any, names: Names) -> bool:
    """Whether a list whose elements the names name is empty, in a document that is cut."""
    for name in names:
        if isinstance(document, str):
            document = opened(document)
        if name is None and document == []:
            return True
        document = _step(document, name)
    return False


def place_of(message: Any, places: Sequence[Place]) -> Place | None:
    """The first place that holds a text, or whose list is there; None if there is none."""
    for place in places:
        for pointer in place:
            in_list = pointer.in_list
            if first_list(message, in_list) if in_list else _is_text(find(message, pointer.names)):
                return place
    return None


def take_text(message: Any, places: Sequence[Place]) -> tuple[str, Any]:
    """The text of a message, and the message without it.

    Raises:
        RejectError: no place holds a text.
    """
    for place in places:
        found = [(pointer.names, find(message, pointer.names)) for pointer in place]
        texts = [(names, text) for names, text in found if _is_text(text)]
        if texts:
            for names, _ in texts:
                message = without(message, names)
            return SEPARATOR.join([text for _, text in texts]), message
    raise _no_text(message, [pointer for place in places for pointer in place])


def holds_nothing(message: Any, places: Sequence[Place]) -> bool:
    """Whether nothing is at any place: no value, null, or white space alone."""
    for place in places:
        for pointer in place:
            value = find(message, pointer.names)
            if _is_text(value) or not (value is MISSING or value is None or isinstance(value, str)):
                return False
    return True


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != "" and not value.isspace()


def _no_text(message: Any, pointers: Sequence[Pointer]) -> RejectError:
    """Why there is no text: a value of another type explains more than a missing one."""
    found = [(pointer.written, find(message, pointer.names)) for pointer in pointers]
    for name, value in found:
        if isinstance(value, str):
            where = f" at {name}" if len(found) > 1 else ""
            detail = f"{len(value)} characters of white space{where}"
            return RejectError(Reason.TEXT_EMPTY, detail)
    for name, value in found:
        # A message that is null itself is of no type that could hold a text.
        if value is not MISSING and (value is not None or not name):
            where = name or "the message"
            detail = f"{where} is {type_of(value)}, not a string"
            return RejectError(Reason.WRONG_TYPE, detail)
    names = " or ".join(name for name, _ in found)
    if all(value is None for _, value in found):
        return RejectError(Reason.TEXT_MISSING, f"{names} is null")
    return RejectError(Reason.TEXT_MISSING, f"there is nothing at {names}")


def skip_reason(message: Any, conditions: Sequence[Condition]) -> SkipReason | None:
    """Why a message is skipped; None if it meets no condition that has a pointer.

    Raises:
        RejectError: as for `find`.
    """
    for condition in conditions:
        if _is_met(message, condition):
            return condition.reason
    return None


def _is_met(message: Any, condition: Condition) -> bool:
    value = find(message, condition.pointer.names)
    is_there = value is not MISSING and value is not None
    match condition.reason:
        case SkipReason.ABSENT:
            return not is_there
        case SkipReason.PRESENT:
            return is_there
        case SkipReason.VALUE:
            return _equals(value, condition)
        case SkipReason.OTHER_VALUE:
            return not _equals(value, condition)
        case SkipReason.NO_TEXT:
            return False
    assert condition.other is not None  # noqa: S101 - for the type checker
    other = find(message, condition.other.names)
    return is_there and type(value) is type(other) and bool(value == other)


def _equals(value: Any, condition: Condition) -> bool:
    """Whether a string is this, or a number, true, false or null is written so in JSON."""
    if isinstance(value, str):
        return condition.of_strings and value == condition.value
    is_other = not isinstance(value, dict | list) and value is not MISSING
    return is_other and condition.of_others and written(value) == condition.value
