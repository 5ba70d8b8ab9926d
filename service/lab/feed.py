"""What the stream would read of messages, and why: `sentiment-stream feed`.

Exists so that settings can be tried on a message without Kafka and without a model. The stream's
own decoder and text preparation decide what is read; here it is only shown.
"""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from service.errors import InputError
from service.records import Message, Partition, Record, Rejected, Skipped, SkipReason
from service.tables.sources import PARQUET, Source
from service.text.prepare import to_score
from service.wire import Decoder
from service.wire.documents.forms import Form, form_of
from service.wire.documents.json_values import utf8
from service.wire.documents.pointers import holds_nothing, skip_reason
from service.wire.messages import Messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.records import Decoded, Headers
    from service.settings import Settings

# Messages to try settings on are few; a topic's dump would be read by mistake.
BYTES_MAX = 64 * 2**20

_NOWHERE = Partition("", 0)
_WHOLE = "the whole value"


class Read(NamedTuple):
    """What becomes of a message, or of an element of one that is a list.

    `message` counts from 1, `element` from 0. `outcome` is `scored`, `skipped` or `dead_letter`,
    `why` the pointer to the text, the condition of SKIP (with the fields of a message that has
    nothing of its feed), or the reason. `text` goes to the model;
    `cut_chars` were cut from it as quoted, as a signature or as code.
    """

    message: int
    element: int | None
    outcome: str
    why: str
    text: str | None = None
    cut_chars: int = 0


def content(place: str) -> bytes:
    """The content of a file, decompressed; `-` is standard input.

    Of a longer one than `read_each` takes it is only so much that this is seen.

    Raises:
        InputError: it cannot be read, or is a file of another kind.
    """
    with Source(place) as source:
        if source.head.startswith(PARQUET):
            raise InputError(f"{source.name}: is a Parquet file; give messages, as JSON")
        data = bytearray()
        for chunk in source.chunks():
            data += chunk
            if len(data) > BYTES_MAX:
                break
    return bytes(data)


def read_each(data: bytes, settings: Settings) -> Iterator[Read]:
    """What becomes of each message of a file: one JSON document, or one message a line.

    Raises:
        InputError: it is too large, or empty.
    """
    if len(data) > BYTES_MAX:
        raise InputError(f"the input is over {BYTES_MAX} bytes; give some messages of it")
    messages = _messages(data.removeprefix(codecs.BOM_UTF8))
    if not messages:
        raise InputError("the input holds no messages")
    decoder = Decoder.by(settings.kafka, settings.model.text_bytes_max)
    for number, value in enumerate(messages, 1):
        yield from _read_value(number, value, (), settings, decoder)


def read_value(number: int, value: bytes, headers: Headers, settings: Settings) -> Iterator[Read]:
    """What becomes of a record with this value and these headers; `number` is the message's."""
    decoder = Decoder.by(settings.kafka, settings.model.text_bytes_max)
    return _read_value(number, value, headers, settings, decoder)


def _read_value(
    number: int, value: bytes, headers: Headers, settings: Settings, decoder: Decoder
) -> Iterator[Read]:
    for decoded in decoder.decode(Record(_NOWHERE, 0, 0, None, value, headers, 0, 0.0)):
        yield _read(number, decoded, settings, skips_no_text=decoder.skips_no_text)


def _messages(data: bytes) -> list[bytes]:
    lines = [line for line in data.splitlines() if line.strip()]
    # A document over many lines is one message, also one that is broken.
    is_one = _is_json(data) or not (lines and _is_json(lines[0]))
    whole = data.strip()
    return [whole] if is_one and whole[:1] in (b"{", b"[") else lines


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


def _read(number: int, decoded: Decoded, settings: Settings, *, skips_no_text: bool) -> Read:
    element = decoded.record.index
    if not isinstance(decoded, Message):
        return _unread(number, decoded, settings)
    plain = to_score(decoded, settings.kafka.text_format, skips_no_text=skips_no_text)
    if isinstance(plain, Rejected | Skipped):
        return _unread(number, plain, settings)
    cut_chars = plain.quoted_chars + plain.signature_chars + plain.code_chars
    return Read(number, element, "scored", _place(decoded, settings), plain.text, cut_chars)


def _unread(number: int, unread: Rejected | Skipped, settings: Settings) -> Read:
    element = unread.record.index
    if isinstance(unread, Rejected):
        return Read(number, element, "dead_letter", f"{unread.reason}: {unread.detail}")
    why = _condition(unread, settings)
    if unread.foreign_fields is not None:
        why += f"; nothing of the feed is in it, but {', '.join(unread.foreign_fields) or 'others'}"
    return Read(number, element, "skipped", why)


def _condition(skipped: Skipped, settings: Settings) -> str:
    """The condition that a skipped message meets, as it is written; else the reason."""
    kafka = settings.kafka
    conditions = list(zip(kafka.conditions, kafka.skip.split(","), strict=False))
    if skipped.record.value is not None and skipped.reason is not SkipReason.EMPTY_LIST:
        message = _message(skipped.record, settings)
        for condition, written in conditions:
            if skip_reason(message, [condition]) is not None:
                return written.strip()
        if skipped.reason is SkipReason.NO_TEXT:
            return "! (no text)"
    return str(skipped.reason)


def _place(message: Message, settings: Settings) -> str:
    """The pointers that the text was taken from, as they are written."""
    document = _message(message.record, settings)
    for place in settings.kafka.places:
        # As one place each, those of the joined pointers remain that hold a text.
        held = [pointer for pointer in place if not holds_nothing(document, [(pointer,)])]
        if held:
            return "+".join(pointer.written for pointer in held) or _WHOLE
    return _WHOLE


def _message(record: Record, settings: Settings) -> Any:
    """The message in the value of a record that was decoded to one message."""
    form = form_of(record.headers) or (
        Form.TEXT if settings.kafka.input_format == "text" else Form.JSON
    )
    value = utf8(record.value or b"")
    if form is Form.TEXT:
        return value
    return next(Messages(settings.kafka.places).of(json.loads(value), form)).message
