"""Records of every kind, lists and skipped ones among them, and what each place must become.

Exists so that tests of faults account for every offset. What is expected follows from the records
that the broker holds, and from nothing that the service says; may not import the service.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from tools.kafka.topics import Message, read_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aiokafka.structs import ConsumerRecord

    from tools.kafka.streams import Stream

# The value of KAFKA__SKIP with which `expected` is right; the text is at its default place.
SKIP = "/deleted=true"
EVENT, SKIPPED = "event", "skipped"


class Place(NamedTuple):
    """A message of the input: its record's partition and offset, and its number in a list."""

    partition: int
    offset: int
    element: int | None


def mixed_messages(texts: Sequence[str], count: int) -> list[Message]:
    """Keyed records: of twenty, three are lists of five messages in all, and two are skipped."""
    return [
        Message(
            key=None if number % 9 == 0 else f"author-{number % 97}".encode(),
            value=json.dumps(_document(number, texts[number % len(texts)])).encode(),
            headers=[("trace", str(number).encode())],
        )
        for number in range(count)
    ]


def _document(number: int, text: str) -> Any:
    message = {"id": number, "text": text}
    gone = {"id": number, "deleted": True}
    match number % 20:
        case 3:
            return [message, gone, message | {"text": f"{text} again"}]
        case 8:
            return [message | {"text": None}, message]
        case 13:
            return []
        case 5 | 15:
            return gone
        case 18 if number % 40 == 18:
            return message | {"text": " "}
    return message


def _outcome(message: dict[str, Any]) -> str:
    if message.get("deleted") is True:
        return SKIPPED
    text = message["text"]
    if text is None:
        return "text_missing"
    return EVENT if text.strip() else "text_empty"


async def expected(stream: Stream) -> dict[Place, str]:
    """What must become of each message of the input: an event, nothing, or a letter's reason."""
    found: dict[Place, str] = {}
    for record in await read_all(stream.bootstrap, stream.input):
        at = record.partition, record.offset
        document = json.loads(record.value or b"")
        if document == []:
            found[Place(*at, None)] = SKIPPED
        elif isinstance(document, list):
            found |= {Place(*at, n): _outcome(one) for n, one in enumerate(document)}
        else:
            found[Place(*at, None)] = _outcome(document)
    return found


def _event_place(record: ConsumerRecord[bytes, bytes]) -> tuple[Place, str]:
    origin = json.loads(record.value or b"")["origin"]
    return Place(origin["partition"], origin["offset"], origin["index"]), EVENT


def _letter_place(record: ConsumerRecord[bytes, bytes]) -> tuple[Place, str]:
    headers = {name: value.decode() for name, value in record.headers}
    index = headers.get("sentiment.errors.index")
    partition, offset = (
        int(headers[f"__connect.errors.{name}"]) for name in ("partition", "offset")
    )
    place = Place(partition, offset, None if index is None else int(index))
    return place, headers["sentiment.errors.reason"]


async def assert_each_accounted_for(stream: Stream, *, exactly_once: bool) -> None:
    """Every message of the input has its one outcome, and nothing else came out.

    With `exactly_once` none came twice, and those of a key are in the order of the input; without
    it an outcome may be repeated, but no message has two different ones.
    """
    due = await expected(stream)
    events, letters = [
        await read_all(stream.bootstrap, topic) for topic in (stream.output, stream.letters)
    ]
    came = [*map(_event_place, events), *map(_letter_place, letters)]
    counted = Counter(came)
    assert {(place, told) for place, told in due.items() if told != SKIPPED} == set(counted)
    if not exactly_once:
        return
    assert len(came) == len(counted), counted.most_common(5)
    for places in (*_by_key(events, _event_place), *_by_key(letters, _letter_place)):
        assert sorted(places) == places


def _by_key(records: Sequence[ConsumerRecord[bytes, bytes]], place_of: Any) -> Iterator[list[Any]]:
    """The places of records by key and input partition, each in the order of its topic."""
    places: dict[Any, list[Any]] = defaultdict(list)
    for record in records:
        place, _ = place_of(record)
        places[place.partition, record.key].append((place.offset, place.element or 0))
    yield from places.values()
