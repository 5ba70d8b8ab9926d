"""Skipped messages that have nothing of their feed are told from those of the feed."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

import pytest

from service.records import Message, Skipped
from service.settings import load_settings
from service.settings.feeds import FEEDS
from service.wire import Decoder
from service.wire.documents.shapes import FIELDS_MAX
from tools.environment import no_settings  # noqa: F401 - a fixture
from tools.feeds.page import examples
from tools.values import record


def _decoded(message: Any, feed: str, **more: str) -> Any:
    kafka = load_settings({"kafka": {"feed": feed, **more}}).kafka
    return Decoder.by(kafka, 1000).decode(record(value=json.dumps(message).encode()))


def _foreign(message: Any, feed: str, **more: str) -> tuple[str, ...] | None:
    [found] = _decoded(message, feed, **more)
    assert isinstance(found, Skipped)
    return found.foreign_fields


@pytest.mark.parametrize("feed", FEEDS)
def test_no_message_of_a_feed_is_foreign_to_it(feed: str) -> None:
    """Of whatever kind it is, and whether it has a text or not."""
    found = chain(*(_decoded(one["message"], feed) for one in examples(feed)))
    assert [] == [one for one in found if isinstance(one, Skipped) and one.foreign_fields]


# These are dead letters in any case, or take a text of almost any shape.
@pytest.mark.parametrize("feed", sorted(FEEDS.keys() - {"debezium", "youtube"}))
def test_a_foreign_message_is_told_by_its_fields(feed: str) -> None:
    """Whatever condition skips it; an object of the same name as one of the feed does not help."""
    assert ("unrelated", "n") == _foreign({"unrelated": {"text": "hello"}, "n": 1}, feed)


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ({"data": [{"id": "1", "text": "a"}]}, ("data",)),
        ({"data": {"body": "a"}, "kind": "t1"}, ("data", "kind")),
        ({}, ()),
        ({"errors": []}, None),
        ({"Ann Example": 1, "ann@example.org": 2, "a" * 41: 3, "ok-1.x": 4}, ("ok-1.x",)),
        ({f"f{n}": n for n in range(50)}, tuple(f"f{n}" for n in range(FIELDS_MAX))),
    ],
)
def test_the_fields_of_a_foreign_message(message: Any, fields: tuple[str, ...] | None) -> None:
    """A few, and names alone that no person has."""
    assert fields == _foreign(message, "x-v2")


def test_an_element_of_a_list_is_told_alone() -> None:
    """By its own fields."""
    found = _decoded([{"data": {"text": "a"}}, {"a": 1}], "x-v2")
    assert isinstance(found[0], Message)
    assert isinstance(found[1], Skipped)
    assert ("a",) == found[1].foreign_fields


def test_own_settings_beside_a_feed_count_too() -> None:
    """And without a feed nothing is known of the messages."""
    message = {"a": {"kind": "x"}}
    assert _foreign(message, "x-v2", skip="!/b") == ("a",)
    assert _foreign(message, "x-v2", skip="/a/kind=x") is None
    kafka = load_settings({"kafka": {"skip": "!/b"}}).kafka
    [found] = Decoder.by(kafka, 1000).decode(record(value=json.dumps(message).encode()))
    assert isinstance(found, Skipped)
    assert found.foreign_fields is None
