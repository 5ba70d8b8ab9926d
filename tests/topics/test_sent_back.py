"""Which letters a replay sends back, and as what: each that is selected, restored, and counted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from service.records import ModelInfo, Partition, Reason, Rejected
from service.topics.replay import COUNTER, REPLAYS_MAX, Selection, sent_back
from service.wire import Encoder
from tools.values import record

if TYPE_CHECKING:
    from service.records import Headers, Outgoing, Record

ENCODER = Encoder("out", "dead", True, ModelInfo("m", "r", "e", "float32", "cpu", ()), "1")
WRITTEN_MS = 1_800_000_000_000
OFFSET, NUMBER = 7, 2
INPUTS = ("in", "other")


def stored(letter: Outgoing) -> Record:
    """A letter as it is read from its topic, where partition and offset are others."""
    read = record(100, letter.value, letter.key, letter.headers, 0)
    return replace(read, partition=Partition("dead", 0), timestamp_ms=WRITTEN_MS)


def a_letter(headers: Headers = (), *, cut: bool = False) -> Record:
    """The letter of a message from partition 2 of `in`, at offset 7."""
    rejected = Rejected(
        record(OFFSET, b"x" * 100_000, b"k", headers, NUMBER), Reason.NOT_JSON, "", "decode"
    )
    letter = ENCODER.encode(rejected, 0.0, 0.0)
    if cut:
        assert letter.smaller is not None
        letter = letter.smaller()
    return stored(letter)


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(reasons=frozenset({"not_json", "too_long"})),
        Selection(since_ms=WRITTEN_MS, until_ms=WRITTEN_MS + 1),
        Selection(partition=NUMBER),
        Selection(first_offset=OFFSET, last_offset=OFFSET),
    ],
)
def test_a_selected_letter_is_the_message_again(selection: Selection) -> None:
    """With its key, value, headers and partition, and a count."""
    sent = (("trace", b"1"), ("__connect.errors.of.a.connector", b"2"))
    message, fate = sent_back(a_letter(sent), INPUTS, selection)

    assert "sent back: not_json" == fate
    assert message is not None
    assert ("in", b"k", b"x" * 100_000) == (message.topic, message.key, message.value)
    assert (*sent, (COUNTER, b"1")) == message.headers
    assert Partition("in", NUMBER) == message.source


@pytest.mark.parametrize(
    "selection",
    [
        Selection(reasons=frozenset({"too_long"})),
        Selection(since_ms=WRITTEN_MS + 1),
        Selection(until_ms=WRITTEN_MS),
        Selection(partition=0),
        Selection(first_offset=OFFSET + 1),
        Selection(last_offset=OFFSET - 1),
        # The letter's own place is not the message's.
        Selection(first_offset=100),
    ],
)
def test_other_letters_are_not_selected(selection: Selection) -> None:
    """By one condition that is not met."""
    assert (None, "not selected") == sent_back(a_letter(), INPUTS, selection)


def test_what_cannot_be_restored_stays() -> None:
    """A value that was cut, a topic that is not read, and what is no letter at all."""
    fates = [
        sent_back(a_letter(cut=True), INPUTS, Selection()),
        sent_back(a_letter(), ("other",), Selection()),
        sent_back(record(), INPUTS, Selection()),
    ]

    assert [None] * 3 == [message for message, _ in fates]
    assert [
        "cut, cannot be restored",
        "from another topic",
        "not a letter of this service",
    ] == [fate for _, fate in fates]


def test_a_message_is_sent_back_so_often_and_no_more() -> None:
    """The count goes with it into its next letter, which has it once."""
    headers: Headers = ()
    for count in range(1, REPLAYS_MAX + 1):
        message, _ = sent_back(a_letter(headers), INPUTS, Selection())
        assert message is not None
        assert ((COUNTER, b"%d" % count),) == message.headers
        headers = message.headers

    fate = f"sent back {REPLAYS_MAX} times already"
    assert (None, fate) == sent_back(a_letter(headers), INPUTS, Selection())


def test_each_selection_has_progress_of_its_own() -> None:
    """One that selects other letters begins anew; the same one goes on, however it is written."""
    others = [
        Selection(),
        Selection(reasons=frozenset({"not_json"})),
        Selection(since_ms=1),
        Selection(until_ms=1),
        Selection(partition=1),
        Selection(first_offset=1),
        Selection(last_offset=1),
    ]

    assert len(others) == len({selection.digest() for selection in others})
    two = [Selection(reasons=frozenset(names)) for names in (("a", "b"), ("b", "a"))]
    assert two[0].digest() == two[1].digest()
