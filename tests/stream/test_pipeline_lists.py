"""Records that are lists on their way: all elements in one commit, and nothing lost or doubled."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from service.errors import BreakerError
from service.records import Batch, Document, Message, Reason, SkipReason, TextStats
from service.stream.batcher import HELD_BATCHES_MAX, Batcher, Limits
from tools.decoding import decoder
from tools.odd_records import FORMS
from tools.pipeline_tools import PARTITIONS, TOKENS, Stream, within_bounds
from tools.values import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.records import Item, Publication, Record

LISTS = decoder("/e/*/text", skip="/e/*/bot", skip_tombstones=True)


def _list(number: int, count: int) -> bytes:
    """Elements of which one in five is skipped, and one in seven is a dead letter."""
    elements: list[dict[str, Any]] = [{"text": f"{number}-{at}"} for at in range(count)]
    for at, element in enumerate(elements):
        if at % 5 == 4:
            element["bot"] = True
        elif at % 7 == 6:
            del element["text"]
    return json.dumps({"id": number, "e": elements}).encode()


def _texts(number: int, count: int) -> list[str]:
    return [f"{number}-{at}" for at in range(count) if at % 5 != 4 and at % 7 != 6]


def _watched(stream: Stream) -> list[Publication]:
    """All publications of a stream, in their order."""
    seen: list[Publication] = []
    publish = stream.session.publish

    async def watched(publication: Publication) -> bool:
        published = await publish(publication)
        if published:
            seen.append(publication)
        return published

    stream.session.publish = watched  # type: ignore[method-assign]
    return seen


@pytest.mark.parametrize("records_max", [1, 7, 256])
@pytest.mark.parametrize("failing", [0, 3])
async def test_elements_of_a_record_are_committed_together(records_max: int, failing: int) -> None:
    """With the record's offset, however small batches are, and whatever fails on the way."""
    stream = Stream(records_max=records_max, by=LISTS)
    counts = [(7 * number) % 23 for number in range(60)]
    for number, count in enumerate(counts):
        stream.put(_list(number, count), number)
    stream.session.fail("publish", failing)
    seen = _watched(stream)

    async with stream.running():
        await stream.settled()

    texts = [event["text"] for event in stream.events()]
    expected = [text for number, count in enumerate(counts) for text in _texts(number, count)]
    assert Counter(expected) == Counter(texts)
    ids = [event["id"] for event in stream.events()]
    assert len(set(ids)) == len(ids)
    letters = stream.cluster.records("dead")
    assert sum(at % 7 == 6 and at % 5 != 4 for count in counts for at in range(count)) == (
        len(letters)
    )
    places = [{(o.source, o.offset) for o in publication.outgoing} for publication in seen]
    assert sum(map(len, places)) == len(set().union(*places))
    for publication in seen:
        for outgoing in publication.outgoing:
            assert outgoing.offset < publication.offsets[outgoing.source]
    skipped = sum(at % 5 == 4 for count in counts for at in range(count))
    assert skipped == stream.metric("sentiment_skipped_total", reason="present")
    assert counts.count(0) == stream.metric("sentiment_skipped_total", reason="empty_list")


async def test_elements_are_in_order() -> None:
    """As their records are, and within a record as in its list."""
    stream = Stream(records_max=5, by=LISTS)
    for number in range(40):
        stream.put(_list(number, 12), number)

    async with stream.running():
        await stream.settled()

    for partition in range(PARTITIONS):
        origins = [e["origin"] for e in stream.events() if e["origin"]["partition"] == partition]
        places = [(origin["offset"], origin["index"]) for origin in origins]
        assert sorted(places) == places


@pytest.mark.parametrize("failing", [0, 2])
async def test_a_poll_is_prepared_in_parts(failing: int) -> None:
    """As many lists at a time as there is room for; none is lost or doubled, whatever fails."""
    stream = Stream(records_max=20, by=LISTS)
    prepare, most = stream.pipeline.prepare, 0

    async def in_parts(records: Sequence[Record]) -> list[Item]:
        nonlocal most
        most = max(most, len(stream.batcher))
        return await prepare(records[:2])

    stream.pipeline.prepare = in_parts
    for number in range(60):
        stream.put(_list(number, 12), number)
    stream.session.fail("publish", failing)

    async with stream.running():
        await stream.settled()

    expected = [text for number in range(60) for text in _texts(number, 12)]
    assert Counter(expected) == Counter(event["text"] for event in stream.events())
    # At most full, and then what one call makes.
    assert most <= HELD_BATCHES_MAX * 20 + 2 * 12


async def test_a_long_list_is_run_in_parts() -> None:
    """One commit, but not one run of the model: that would be too long for its deadline."""
    stream = Stream(by=LISTS, tokens_max=10 * TOKENS)
    stream.put(json.dumps({"e": [{"text": "fine"}] * 1000}).encode(), 0)
    seen = _watched(stream)

    async with stream.running():
        await stream.settled()

    assert [10] * 100 == [len(batch) for batch in stream.scorer.batches]
    assert [1000] == [len(publication.outgoing) for publication in seen]
    assert 1000 == stream.metric("sentiment_published_total")
    assert 1 == stream.metric("sentiment_consumed_total", topic="in")


@pytest.mark.parametrize("name", FORMS)
async def test_odd_records_of_every_form(name: str) -> None:
    """Each is an event, a dead letter with its bytes, or counted as skipped."""
    form = FORMS[name]
    stream = Stream(by=decoder(form.text_field, skip=form.skip), records_max=3)
    for number, odd in enumerate(form.records):
        stream.put(odd.value, number, odd.headers)

    async with stream.running():
        await stream.settled()

    told = [one for odd in form.records for one in odd.told]
    texts = Counter(one for one in told if type(one) is str)
    assert texts == Counter(event["text"] for event in stream.events())
    letters = stream.cluster.records("dead")
    reasons = Counter(str(one) for one in told if isinstance(one, Reason))
    found = Counter((dict(r.headers)["sentiment.errors.reason"] or b"").decode() for r in letters)
    assert reasons == found
    for reason in SkipReason:
        assert told.count(reason) == stream.metric("sentiment_skipped_total", reason=reason)
    values = {odd.value for odd in form.records}
    for letter in letters:
        is_element = "sentiment.errors.index" in dict(letter.headers)
        assert is_element or letter.value in values
        assert dict(letter.headers)["__connect.errors.exception.message"]


@pytest.mark.parametrize("skip", ["!/text", ""])
async def test_the_breaker_does_not_see_what_is_skipped(skip: str) -> None:
    """A topic of which 12 % are texts goes on; without the setting it stops the service."""
    stream = Stream(by=decoder(skip=skip), breaker_share=0.5)
    for number in range(2000):
        stream.put(b'{"text": "fine"}' if number % 25 in (3, 11, 19) else b'{"like": 1}', number)

    if skip:
        async with stream.running():
            await stream.settled()
        assert 240 == len(stream.events())
        assert [] == stream.cluster.records("dead")
        assert 1760 == stream.metric("sentiment_skipped_total", reason="absent")
        return
    await stream.session.start()
    with pytest.raises(ExceptionGroup) as caught:
        await within_bounds(asyncio.create_task(stream.pipeline.run()))
    [error] = caught.value.exceptions
    assert isinstance(error, BreakerError)
    assert "SENTIMENT_KAFKA__SKIP passes over what is no text to score" in str(error)


def _items(offset: int, count: int, number: int = 0, tokens: int = TOKENS) -> list[Item]:
    value = json.dumps({"e": [{"text": "x"}] * count}).encode()
    stats = TextStats(tokens, truncated=False, windows=1, unknown_share=0)
    items = LISTS.decode(record(offset, value, number=number))
    return [Document(i, ([0] * tokens,), stats) for i in items if isinstance(i, Message)]


def _taken(batcher: Batcher) -> list[list[tuple[int, int]]]:
    """Partition and offset of the items of each batch."""
    batches: list[Batch] = []
    while (batch := batcher.take(1.0)) is not None:
        batches.append(batch)
    return [[(i.record.partition.number, i.record.offset) for i in b.items] for b in batches]


def test_a_batch_has_all_of_a_record_or_none() -> None:
    """Beyond its bounds where one record is, in equal shares of partitions otherwise."""
    batcher = Batcher(Limits(100 * TOKENS, 8, 1.0))
    for offset, count in enumerate((5, 5, 1, 20, 3)):
        batcher.add(_items(offset, count), 0)
    batcher.add([*_items(0, 6, number=1), *_items(1, 1, number=1)], 0)
    taken = _taken(batcher)
    assert 41 == sum(map(len, taken))
    for places in taken:
        for place in set(places):
            assert 1 == sum(place in others for others in taken)
        assert len(places) <= 8 or 1 == len(set(places))
        for number in (0, 1):
            offsets = [offset for n, offset in places if n == number]
            assert sorted(offsets) == offsets


@pytest.mark.parametrize("budget_s", [0.001, 0.02, 0.05, 0.1])
def test_a_batch_is_cut_for_time_between_records(budget_s: float) -> None:
    """Whatever the budget of the oldest item allows."""
    batcher = Batcher(Limits(10_000, 1000, budget_s))
    for _ in range(50):
        batcher.cost.observe(10, 10 * TOKENS, 0.01)
        batcher.cost.observe(1, TOKENS, 0.001)
    for offset in range(20):
        batcher.add(_items(offset, 1 + offset % 7), 0)
    taken = _taken(batcher)
    for places in taken:
        for place in set(places):
            assert 1 == sum(place in others for others in taken)
