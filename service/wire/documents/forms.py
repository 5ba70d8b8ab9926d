"""Which form the value of a record has, and the data of a CloudEvent.

Exists so that what producers call their values is in one place. Pure; no pointers here.
"""

from __future__ import annotations

import base64
import binascii
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from service.records import Reason
from service.wire.documents import formats
from service.wire.documents.json_values import RejectError, parsed, utf8

if TYPE_CHECKING:
    from service.records import Headers


class Form(Enum):
    """The form of a value; EVENT is a CloudEvent in structured mode, or a batch of them."""

    TEXT = auto()
    JSON = auto()
    LINES = auto()
    EVENT = auto()


_NAMES = {
    "text/plain": Form.TEXT,
    "application/json": Form.JSON,
    "application/x-ndjson": Form.LINES,
    "application/ndjson": Form.LINES,
    "application/jsonl": Form.LINES,
    "application/cloudevents+json": Form.EVENT,
    "application/cloudevents-batch+json": Form.EVENT,
}
# Headers that name it: the usual one, Spring Cloud's, a CloudEvent's in binary mode. The first of
# these counts.
_HEADERS = {"content-type": 0, "contenttype": 1, "ce_datacontenttype": 2}


def form_of(headers: Headers) -> Form | None:
    """The form that the headers name; None if they name none that is known."""
    found: list[tuple[int, Form]] = []
    for name, value in headers:
        rank = _HEADERS.get(name.lower())
        if rank is not None and value is not None:
            form = form_named(value.decode(errors="replace"))
            if form is not None:
                found.append((rank, form))
    return min(found, key=lambda pair: pair[0])[1] if found else None


def form_named(media_type: str) -> Form | None:
    """The form that a media type names, whatever its case, parameters and quotes."""
    return _NAMES.get(media_type.partition(";")[0].strip(' \t"').lower())


def are_lines(value: bytes) -> bool:
    """Whether a value that is not JSON is JSON by lines (NDJSON), each an object.

    An object that ends where a line ends, and another one on the next, are never one document.
    """
    lines = (line.strip() for line in value.removeprefix(b"\xef\xbb\xbf").split(b"\n", 16))
    first, second, *_ = *filter(None, lines), b"", b""
    return first.startswith(b"{") and first.endswith(b"}") and second.startswith(b"{")


def with_remedy(
    error: RejectError, value: bytes, headers: Headers, *, reads_schemas: bool = False
) -> RejectError:
    """The error of a value that is no JSON, with what to do about what it seems to be instead.

    With `reads_schemas` it is what a schema's reader made of the value, or has no schema.
    """
    if error.reason not in (Reason.NOT_JSON, Reason.NOT_UTF8):
        return error
    is_read = reads_schemas and formats.has_schema(value, headers)
    remedy = "" if is_read else formats.remedy(value, headers)
    is_text = error.reason is Reason.NOT_JSON and form_of(headers) is None and _says_text(headers)
    if is_text and not remedy:
        remedy = (
            "; its content type is a text that is not read as one: "
            "SENTIMENT_KAFKA__INPUT_FORMAT=text takes the value for the text"
        )
    return RejectError(error.reason, f"{error.detail}{remedy}")


def _says_text(headers: Headers) -> bool:
    return any(
        name.lower() in _HEADERS and (value or b"").lstrip(b' \t"').lower().startswith(b"text/")
        for name, value in headers
    )


def is_text(event: dict[str, Any], *, is_json: bool) -> bool:
    """Whether a string that is a CloudEvent's data is a text; `is_json` if it holds an object."""
    media_type = event.get("datacontenttype")
    if not isinstance(media_type, str):
        return not is_json
    return form_named(media_type) is Form.TEXT


def with_data(event: dict[str, Any]) -> dict[str, Any]:
    """A CloudEvent with `data` in place of `data_base64`.

    Raises:
        RejectError: that is not base64, or not what `datacontenttype` says.
    """
    encoded = event["data_base64"]
    try:
        value = base64.b64decode(encoded, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise RejectError(Reason.WRONG_TYPE, "/data_base64 is not base64") from None
    media_type = event.get("datacontenttype")
    form = form_named(media_type) if isinstance(media_type, str) else None
    try:
        text = utf8(value)
        data = text if form is Form.TEXT else parsed(value, text)
    except RejectError as error:
        detail = f"in /data_base64: {error.detail}"
        if form is not Form.TEXT:
            detail += "; a text needs the datacontenttype text/plain"
        raise RejectError(error.reason, detail) from None
    return {**{name: v for name, v in event.items() if name != "data_base64"}, "data": data}
