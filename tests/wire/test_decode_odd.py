"""Decoding of odd and broken records of every form: each has an outcome, and keeps its bytes."""

from __future__ import annotations

import json

import pytest

from service.records import Message, Rejected
from tools.decoding import decoder
from tools.odd_records import FORMS, Form, Odd
from tools.values import record

ALL = [(form, odd) for form in FORMS.values() for odd in form.records]


@pytest.mark.parametrize(("form", "odd"), ALL, ids=range(len(ALL)))
def test_nothing_is_lost(form: Form, odd: Odd) -> None:
    """An event, a reason to be skipped, or a dead letter: with its bytes, and what to do."""
    one = record(value=odd.value, headers=odd.headers)
    found = decoder(form.text_field, skip=form.skip).decode(one)
    assert list(odd.told) == [
        item.text if isinstance(item, Message) else item.reason for item in found
    ]
    for item in found:
        if len(found) == 1 and item.record.index is None:
            assert one == item.record
        if isinstance(item, Rejected):
            assert item.detail
        # Sent back alone, it gives the same.
        [again] = decoder(form.text_field, skip=form.skip).decode(item.record)
        assert type(item) is type(again)


def test_there_are_many() -> None:
    """Over sixty, and all of a form with different bytes."""
    assert len(ALL) >= 60
    values = [(odd.value, odd.headers) for _, odd in ALL]
    assert len(set(values)) > 60
    assert all(json.dumps(form.text_field) for form, _ in ALL)
