"""Decodes records to messages: JSON, plain text, lists of messages, or CloudEvents that hold them.

Pure. Bad input gives a value (`Rejected`), never an exception, and so does a record that the
settings pass over (`Skipped`). The detail of a rejection names positions and types, and never
contains text of the message.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from service.records import Message, Reason, Record, Rejected, Skipped, SkipReason
from service.wire import cloudevents
from service.wire.documents import formats, forms
from service.wire.documents.forms import Form
from service.wire.documents.glance import Glance
from service.wire.documents.json_values import (
    MISSING,
    RejectError,
    opened,
    parsed,
    utf8,
    written,
)
from service.wire.documents.pointers import holds_nothing, skip_reason, take_text
from service.wire.documents.shapes import Shape, check_type
from service.wire.messages import ELEMENTS_MAX, PARTS_MAX, Found, Messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from service.records import Decoded
    from service.settings import KafkaSettings
    from service.settings.places import Condition, Place, Pointer

# What elements have in common is copied into each of their events. The batcher holds twice this.
COPIED_BYTES_MAX = 16 * 2**20

# An element of a record: its bytes, and its message or why there is none.
_Element = tuple[bytes, Found | RejectError]


class Decoder:
    """Decodes records as the settings say: input format, where the text is, how long it may be.

    `places` are those of `settings.places.text_places`. A message that meets one of `conditions` is
    `Skipped`. With `skip_tombstones` so is a record whose value is null; without it is `Rejected`.
    A skipped message that has nothing at any pointer of `known_by` is not of the feed, and has the
    names of its fields in `foreign_fields`.
    """

    def __init__(
        self,
        input_format: str,
        places: Sequence[Place],
        text_bytes_max: int,
        *,
        conditions: Sequence[Condition] = (),
        skip_tombstones: bool = False,
        known_by: Sequence[Pointer] = (),
    ) -> None:
        """Decode nothing yet."""
        # Reads values that are written with a schema, where there is a registry of them.
        self.opened: Callable[[Record], Any] | None = None
        self._default = Form.TEXT if input_format == "text" else Form.JSON
        self._places = places
        self._text_bytes_max = text_bytes_max
        self._conditions = conditions
        # Whether what has no text is skipped, and is no dead letter.
        self.skips_no_text = any(c.reason is SkipReason.NO_TEXT for c in conditions)
        self._skip_tombstones = skip_tombstones
        pointers = [pointer for place in places for pointer in place]
        # Whether a message may be a list by the settings alone.
        self.takes_lists_apart = any(pointer.in_list for pointer in pointers)
        self._points_to_data = any(pointer.names[:1] == ("data",) for pointer in pointers)
        self._whole = not pointers[0].names
        self._messages = Messages(places)
        self._glance = Glance(places, conditions)
        self._shape = Shape(known_by)

    @classmethod
    def by(cls, kafka: KafkaSettings, text_bytes_max: int) -> Self:
        """A decoder for what the settings of Kafka say of messages."""
        return cls(
            kafka.input_format,
            kafka.places,
            text_bytes_max,
            conditions=kafka.conditions,
            skip_tombstones=kafka.tombstones == "skip",
            known_by=kafka.known_by,
        )

    def decode(self, record: Record) -> list[Decoded]:
        """Decode one record to its messages, in their order; there is one unless it is a list.

        `Rejected` says why one cannot be used, `Skipped` why it is passed over. All have the
        record's coordinates. Those of a list also have an index, and the bytes of a record that
        holds this element alone.
        """
        value = record.value
        if value is None:
            if self._skip_tombstones:
                return [Skipped(record, SkipReason.TOMBSTONE)]
            return [Rejected(record, Reason.TOMBSTONE, "the value is null", "decode")]
        try:
            if self.opened is not None and (opened := self.opened(record)) is not MISSING:
                return self._with_schema(record, opened)
            return self._decoded(record, value)
        except RejectError as error:
            reads_schemas = self.opened is not None
            error = forms.with_remedy(error, value, record.headers, reads_schemas=reads_schemas)
            return [_rejected(record, error)]

    def _with_schema(self, record: Record, opened: Any) -> list[Decoded]:
        """Decode what a schema's reader made of a record."""
        is_json = isinstance(opened, bytes)
        value = opened if is_json else None
        document = parsed(opened, utf8(opened)) if is_json else opened
        is_event = forms.form_of(record.headers) is Form.EVENT
        # An element alone is JSON, whatever its record is written with.
        alone = replace(record, headers=formats.without_schema(record.headers))
        return self._document(record, value, document, Form.EVENT if is_event else Form.JSON, alone)

    def _decoded(self, record: Record, value: bytes) -> list[Decoded]:
        form = forms.form_of(record.headers) if record.headers else None
        if form is None:
            form = self._default
        if form is Form.TEXT:
            formats.check_is_text(value, record.headers)
            attributes = cloudevents.fields_from_headers(record.headers)
            return [self._plain(record, utf8(value), attributes)]
        if form is Form.LINES:
            return self._elements(record, value, self._lines(value))
        try:
            document = parsed(value, utf8(value))
        except RejectError:
            if form is Form.JSON and forms.are_lines(value):
                return self._elements(record, value, self._lines(value))
            raise
        return self._document(record, value, document, form, record)

    def _document(
        self, record: Record, value: bytes | None, document: Any, form: Form, alone: Record
    ) -> list[Decoded]:
        """Decode a document; the records of its elements are made of `alone`."""
        # What may be a CloudEvent takes a closer look.
        is_usual = form is Form.JSON and type(document) is dict and "specversion" not in document
        if is_usual and self._glance.can_take:
            return [self._object(record, document)]
        found = list(islice(self._messages.of(document, form), PARTS_MAX))
        if len(found) == 1 and not found[0].is_listed:
            return [self._item(record, found[0])]
        whole = written(document).encode() if value is None else value
        elements = ((_cut_down(whole, document, one), one) for one in found)
        return self._elements(alone, whole, elements)

    def _object(self, record: Record, document: dict[str, Any]) -> Decoded:
        """As `_item`, for a message that is neither in a list nor in a CloudEvent."""
        text = self._glance.take(document)
        if not text:
            found = Found(document, (), is_listed=False)
            return self._item(record, found, may_skip=text is None)
        headers = record.headers
        attributes = cloudevents.fields_from_headers(headers) if headers else {}
        return self._message(record, text, document, attributes)

    def _lines(self, value: bytes) -> Iterator[_Element]:
        """The elements of JSON by lines; a line that is none is an element too."""
        for line in value.split(b"\n"):
            if not line.strip():
                continue
            try:
                document = parsed(line, utf8(line))
                for one in self._messages.of(document, Form.JSON):
                    yield _cut_down(line, document, one), one
            except RejectError as error:
                yield line, error

    def _elements(
        self, record: Record, value: bytes, elements: Iterable[_Element]
    ) -> list[Decoded]:
        kept: list[_Element] = []
        size = 0
        for element in elements:
            kept.append(element)
            size += len(element[0])
            if len(kept) > ELEMENTS_MAX:
                raise _too_many(f"over {ELEMENTS_MAX} elements")
            if size > len(value) + COPIED_BYTES_MAX:
                raise _too_many(f"what its elements share is over {COPIED_BYTES_MAX} bytes in all")
        if not kept:
            return [Skipped(record, SkipReason.EMPTY_LIST)]
        last = len(kept) - 1
        return [
            self._element(replace(record, value=alone, index=index, is_last=index == last), found)
            for index, (alone, found) in enumerate(kept)
        ]

    def _element(self, record: Record, found: Found | RejectError) -> Decoded:
        try:
            if isinstance(found, RejectError):
                raise found
            return self._item(record, found)
        except RejectError as error:
            return _rejected(record, error)

    def _item(self, record: Record, found: Found, *, may_skip: bool = True) -> Decoded:
        """What becomes of a message, which meets no condition unless it `may_skip`.

        Raises:
            RejectError: it has no text.
        """
        message, event = found.message, found.event
        attributes = (
            cloudevents.fields_from_attributes(event)
            if event is not None
            else cloudevents.fields_from_headers(record.headers)
        )
        if isinstance(message, str) and not self._whole:
            inner = opened(message)
            if event is not None and forms.is_text(event, is_json=isinstance(inner, dict)):
                return self._plain(record, message, attributes)
            message = inner if isinstance(inner, dict) else message
        if message is MISSING and self._messages.is_empty(found):
            return Skipped(record, SkipReason.EMPTY_LIST)
        if may_skip and type(message) is dict:
            may_skip = self._glance.may_skip(message)
        reason = skip_reason(message, self._conditions) if may_skip else None
        if reason is not None:
            return Skipped(record, reason, self._shape.foreign_fields(message))
        try:
            check_type(message, event, is_whole=self._whole)
            text, fields = take_text(message, self._places)
        except RejectError as error:
            if self._messages.is_empty(found):
                return Skipped(record, SkipReason.EMPTY_LIST)
            if self.skips_no_text and self._has_no_text(message, event):
                foreign_fields = self._shape.foreign_fields(message)
                return Skipped(record, SkipReason.NO_TEXT, foreign_fields)
            if event is not None and self._points_to_data and error.reason is Reason.TEXT_MISSING:
                detail = f"{error.detail}; of a CloudEvent, pointers begin within its data"
                raise RejectError(error.reason, detail) from None
            raise
        return self._message(record, text, fields, attributes)

    def _has_no_text(self, message: Any, event: dict[str, Any] | None) -> bool:
        # A message of another type is an error of its producer; null is no data of an event.
        may_have = isinstance(message, dict) or message is MISSING or self._whole
        may_have = may_have or (event is not None and event.get("data") is None)
        return may_have and holds_nothing(message, self._places)

    def _plain(self, record: Record, text: str, attributes: dict[str, Any]) -> Decoded:
        """A message that is a text; only what is compared with the whole of it can skip it."""
        reason = skip_reason(text, [c for c in self._conditions if not c.pointer.names])
        if reason is not None:
            return Skipped(record, reason)
        if not text or text.isspace():
            if self.skips_no_text:
                return Skipped(record, SkipReason.NO_TEXT)
            raise RejectError(Reason.TEXT_EMPTY, f"{len(text)} characters of white space")
        return self._message(record, text, {}, attributes)

    def _message(
        self, record: Record, text: str, fields: dict[str, Any], attributes: dict[str, Any]
    ) -> Message:
        # No character has more than four bytes.
        if 4 * len(text) > self._text_bytes_max:
            size = len(text.encode())
            if size > self._text_bytes_max:
                detail = f"{size} bytes, at most {self._text_bytes_max} are scored"
                raise RejectError(Reason.TEXT_TOO_LARGE, detail)
        # The message's own fields take precedence over the attributes.
        if attributes:
            fields = fields | {k: v for k, v in attributes.items() if fields.get(k) is None}
        return Message(record, text, fields)


def _cut_down(value: bytes, document: Any, one: Found) -> bytes:
    """The bytes of a record that holds one message alone."""
    return value if one.document is document else written(one.document).encode()


def _too_many(what: str) -> RejectError:
    return RejectError(Reason.TOO_MANY_ELEMENTS, f"{what}; send fewer of them in a record")


def _rejected(record: Record, error: RejectError) -> Rejected:
    return Rejected(record, error.reason, error.detail, "decode")
