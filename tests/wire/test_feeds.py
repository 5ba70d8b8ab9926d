"""Feeds: what people wrote is read, and everything else that a feed sends is skipped.

The examples in `feeds/` are made for this project, in the shape that the feed's document shows.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from service.settings.feeds import FEEDS
from service.settings.places import skip_conditions, text_places
from tools.environment import no_settings  # noqa: F401 - a fixture
from tools.feeds.page import EXAMPLES, examples, read_example, read_record
from tools.feeds.producers import PRODUCERS, TEXT, Producer

if TYPE_CHECKING:
    from service.lab.feed import Read

ALL = [(name, example) for name in FEEDS for example in examples(name)]


def _gives(read: Read) -> dict[str, str | None]:
    return {"text": read.text} if read.outcome == "scored" else {read.outcome: read.why}


@pytest.mark.parametrize(("name", "example"), ALL, ids=[f"{n}-{e['what']}" for n, e in ALL])
def test_a_message_gives_what_it_should(name: str, example: dict[str, Any]) -> None:
    """The text as it goes to the model, or the condition by which it is skipped."""
    assert example["gives"] == [_gives(read) for read in read_example(name, example["message"])]


@pytest.mark.parametrize("name", FEEDS)
def test_the_examples_are_of_every_kind(name: str) -> None:
    """Each place of the text is read in one; none is a dead letter; what is not read is skipped."""
    reads = list(chain(*(read_example(name, one["message"]) for one in examples(name))))
    assert {"scored", "skipped"} >= {read.outcome for read in reads}
    assert any(read.outcome == "scored" for read in reads)
    assert bool(FEEDS[name].skip) == any(read.outcome == "skipped" for read in reads)
    read_at = {pointer for read in reads if read.text for pointer in read.why.split("+")}
    places = text_places(FEEDS[name].text_field)
    assert read_at == {pointer.written for place in places for pointer in place}


def test_the_table_is_in_order_and_whole() -> None:
    """By name; every feed has its words, its document, settings that are valid, and examples."""
    assert sorted(FEEDS) == list(FEEDS)
    assert sorted(FEEDS) == sorted(path.stem for path in EXAMPLES.glob("*/*.jsonl"))
    for feed in FEEDS.values():
        assert all((feed.reads, feed.passes_over, feed.source))
        assert text_places(feed.text_field)
        assert len(skip_conditions(feed.skip)) == len(list(filter(None, feed.skip.split(","))))


@pytest.mark.parametrize("producer", PRODUCERS, ids=lambda producer: producer.name)
def test_what_a_producer_writes_is_read(producer: Producer) -> None:
    """The whole text and nothing else, with the settings that the page names."""
    read = [(one.outcome, one.text) for one in read_record(producer)]
    assert ([("scored", TEXT)] == read) == producer.reads, read
