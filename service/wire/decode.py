"""Decodes records to messages: strict JSON, plain text, or a CloudEvent that holds either.

Pure. Bad input gives a value (`Rejected`), never an exception, and so does a record that the
settings pass over (`Skipped`). The detail of a rejection names positions and types, and never
contains text of the message.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from jsonpointer import JsonPointer, JsonPointerException

from service.records import Message, Reason, Record, Rejected, Skipped, SkipReason
from service.wire import cloudevents

if TYPE_CHECKING:
    from service.records import Decoded, Headers

TEXT = "text/plain"
JSON = "application/json"
# Deeper than any real message, and far below the depth that overflows a parser's stack.
DEPTH_MAX = 100

# Matches a string whole; possessive, so that an unclosed string causes no backtracking.
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{\]}]', re.DOTALL)
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class _RejectError(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Decoder:
    """Decodes records as the settings say: input format, where the text is, how long it may be.

    With `skip_tombstones` a record whose value is null is `Skipped`, without it `Rejected`.
    """

    input_format: str
    text_pointer: JsonPointer
    text_bytes_max: int
    skip_tombstones: bool = False

    def decode(self, record: Record) -> Decoded:
        """Decode one record; returns `Rejected` with the reason if it cannot be used."""
        if record.value is None and self.skip_tombstones:
            return Skipped(record, SkipReason.TOMBSTONE)
        try:
            text, fields = self._text_and_fields(record)
            self._check_text(text)
        except _RejectError as error:
            return Rejected(record, error.reason, error.detail, "decode")
        return Message(record, text, fields)

    def _text_and_fields(self, record: Record) -> tuple[str, dict[str, Any]]:
        if record.value is None:
            raise _RejectError(Reason.TOMBSTONE, "the value is null")
        text = _utf8(record.value)
        media_type = self._media_type(record.headers)
        if media_type == TEXT:
            return text, cloudevents.fields_from_headers(record.headers)
        document = _parse_json(record.value, text)
        if media_type == cloudevents.STRUCTURED and isinstance(document, dict):
            if "data" not in document:
                raise _RejectError(Reason.TEXT_MISSING, "there is nothing at /data")
            attributes = cloudevents.fields_from_attributes(document)
            document = document["data"]
        else:
            attributes = cloudevents.fields_from_headers(record.headers)
        if not isinstance(document, dict):
            raise _RejectError(Reason.WRONG_TYPE, f"the message is {_json_type(document)}")
        text = self._take_text(document)
        # The message's own fields take precedence over the attributes.
        return text, document | {k: v for k, v in attributes.items() if document.get(k) is None}

    def _media_type(self, headers: Headers) -> str:
        for name, value in headers:
            if name.lower() == "content-type" and value is not None:
                media_type = value.split(b";")[0].strip().lower().decode(errors="replace")
                if media_type in (TEXT, JSON, cloudevents.STRUCTURED):
                    return media_type
        return TEXT if self.input_format == "text" else JSON

    def _take_text(self, document: dict[str, Any]) -> str:
        """Remove the text from the document, so that the message holds it only once."""
        path = self.text_pointer.path
        missing = _RejectError(Reason.TEXT_MISSING, f"there is nothing at {path}")
        try:
            parent, key = self.text_pointer.to_last(document)
            text = parent[key]
        except (JsonPointerException, LookupError, TypeError, ValueError):
            raise missing from None
        if isinstance(parent, str):  # some versions of jsonpointer index into strings
            raise missing
        if not isinstance(text, str):
            raise _RejectError(Reason.WRONG_TYPE, f"{path} is {_json_type(text)}, not a string")
        if isinstance(parent, dict):
            del parent[key]
        else:
            parent[key] = None
        return text

    def _check_text(self, text: str) -> None:
        if not text or text.isspace():
            raise _RejectError(Reason.TEXT_EMPTY, f"{len(text)} characters of white space")
        size = len(text.encode())
        if size > self.text_bytes_max:
            detail = f"{size} bytes, at most {self.text_bytes_max} are scored"
            raise _RejectError(Reason.TEXT_TOO_LARGE, detail)


def _utf8(value: bytes) -> str:
    try:
        return value.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _RejectError(Reason.NOT_UTF8, f"byte {error.start}: {error.reason}") from None


def _parse_json(value: bytes, text: str) -> Any:
    """Parse strict JSON; `text` is the decoded `value`.

    Raises:
        _RejectError: too deep, not JSON, not finite, or with a lone surrogate.
    """
    _check_depth(value)
    try:
        document = json.loads(text, parse_constant=_not_finite, parse_float=_finite)
    except json.JSONDecodeError as error:
        detail = f"line {error.lineno} column {error.colno}: {error.msg}"
        raise _RejectError(Reason.NOT_JSON, detail) from None
    except ValueError:
        # The interpreter limits the digits of an integer, because parsing takes quadratic time.
        raise _RejectError(Reason.NOT_JSON, "a number has too many digits") from None
    if _SURROGATE_ESCAPE.search(text):
        _check_surrogates(document)
    return document


def _check_depth(value: bytes) -> None:
    if value.count(b"[") + value.count(b"{") <= DEPTH_MAX:
        return
    depth = 0
    for token in _STRUCTURE.finditer(value):
        first = token[0][0]
        if first in b"[{":
            depth += 1
            if depth > DEPTH_MAX:
                raise _RejectError(Reason.TOO_DEEP, f"nested over {DEPTH_MAX} deep")
        elif first in b"]}":
            depth -= 1


def _not_finite(name: str) -> NoReturn:
    raise _RejectError(Reason.NOT_FINITE, f"{name} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise _RejectError(Reason.NOT_FINITE, "a number is beyond the range of a double")
    return number


def _check_surrogates(document: Any) -> None:
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        detail = "an escape stands for half of a surrogate pair"
        raise _RejectError(Reason.LONE_SURROGATE, detail) from None


def _json_type(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), "a number")
