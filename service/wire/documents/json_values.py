"""Strict JSON, and why a value is none: what every reader of an event can take.

Pure. Nothing may enter that knows where in a document the text is. Details name positions and
types, and never contain text of the message.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any, Final, NoReturn

from service.records import Reason

# Deeper than any real message, and far below the depth that overflows a parser's stack.
DEPTH_MAX = 100
# Stands for a value that is not there; None is JSON's null.
MISSING: Final[Any] = object()

# Matches a string whole; possessive, so that an unclosed string causes no backtracking.
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{\]}]', re.DOTALL)
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_WHITE_SPACE = " \t\r\n"


class RejectError(Exception):
    """A value that cannot be used: the reason, and a detail without text of the message."""

    def __init__(self, reason: Reason, detail: str) -> None:
        """Say why."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def utf8(value: bytes) -> str:
    """Decode UTF-8, without a byte order mark.

    Raises:
        RejectError: it is not UTF-8.
    """
    try:
        return value.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RejectError(Reason.NOT_UTF8, f"byte {error.start}: {error.reason}") from None


def parsed(value: bytes, text: str) -> Any:
    """Parse strict JSON; `text` is the decoded `value`.

    Raises:
        RejectError: too deep, not JSON, not finite, or with a lone surrogate.
    """
    _check_depth(value)
    try:
        document = _STRICT.decode(text)
    except json.JSONDecodeError as error:
        detail = f"line {error.lineno} column {error.colno}: {error.msg}"
        raise RejectError(Reason.NOT_JSON, detail) from None
    except ValueError:
        # The interpreter limits the digits of an integer, because parsing takes quadratic time.
        raise RejectError(Reason.NOT_JSON, "a number has too many digits") from None
    if _SURROGATE_ESCAPE.search(text):
        _check_surrogates(document)
    return document


# Several pointers may go through one string; not more than two are looked into at a time.
@lru_cache(maxsize=2)
def opened(string: str) -> Any:
    """The object or array that a string holds as JSON, MISSING if it holds none.

    It is shared between calls: whoever changes it changes a copy.

    Raises:
        RejectError: it is JSON that not every reader can take.
    """
    if string.lstrip(_WHITE_SPACE)[:1] not in ("{", "["):
        return MISSING
    try:
        return parsed(string.encode(), string)
    except RejectError as error:
        # Strict parsing may end before it is clear whether this is JSON: "[NaN] again" is text.
        if error.reason is Reason.NOT_JSON or not _is_json(string):
            return MISSING
        raise RejectError(error.reason, f"in a string of JSON: {error.detail}") from None


def _is_json(string: str) -> bool:
    try:
        json.loads(string)
    except (ValueError, RecursionError):
        return False
    return True


def written(document: Any) -> str:
    """The document as compact JSON."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def type_of(value: Any) -> str:
    """The type of a value in words, like "an object"."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), "a number")


def _check_depth(value: bytes) -> None:
    if value.count(b"[") + value.count(b"{") <= DEPTH_MAX:
        return
    depth = 0
    for token in _STRUCTURE.finditer(value):
        first = token[0][0]
        if first in b"[{":
            depth += 1
            if depth > DEPTH_MAX:
                raise RejectError(Reason.TOO_DEEP, f"nested over {DEPTH_MAX} deep")
        elif first in b"]}":
            depth -= 1


def _not_finite(name: str) -> NoReturn:
    raise RejectError(Reason.NOT_FINITE, f"{name} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise RejectError(Reason.NOT_FINITE, "a number is beyond the range of a double")
    return number


# Made once: `json.loads` makes one for each call, which takes as long as a short message does.
_STRICT = json.JSONDecoder(parse_constant=_not_finite, parse_float=_finite)


def _check_surrogates(document: Any) -> None:
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        detail = "an escape stands for half of a surrogate pair"
        raise RejectError(Reason.LONE_SURROGATE, detail) from None
