"""The breaker trips on a large share of dead letters, and only then."""

from __future__ import annotations

import pytest

from service.records import Reason
from service.stream.breaker import RECORDS_MIN, Breaker
from tools.values import rejected, skipped, verdict


def test_too_few_records_do_not_trip() -> None:
    """With fewer than 500, even if all are dead letters."""
    breaker = Breaker(1000, 0.5)
    letters = [rejected(Reason.NOT_JSON)] * (RECORDS_MIN - 1)
    assert breaker.trips(letters) is None
    breaker.record(letters)
    found = breaker.trips([rejected(Reason.NOT_JSON)])
    assert found is not None
    assert found.startswith("500 of the last 500 records are dead letters, 500 for not_json; ")


@pytest.mark.parametrize(("dead", "trips"), [(500, False), (501, True)])
def test_the_share_is_that_of_the_last_records(dead: int, trips: bool) -> None:
    """Records older than the window do not count; the share itself is still allowed."""
    breaker = Breaker(1000, 0.5)
    breaker.record([rejected(Reason.NOT_UTF8)] * 400)
    breaker.record([verdict()] * (1000 - dead))
    assert trips == (breaker.trips([rejected(Reason.TOMBSTONE)] * dead) is not None)


def test_skipped_records_are_not_counted() -> None:
    """A topic of deletions alone never trips, and deletions do not hide dead letters."""
    breaker = Breaker(1000, 0.5)
    assert breaker.trips([skipped()] * 5000) is None
    letters = [rejected(Reason.NOT_JSON)] * RECORDS_MIN
    breaker.record([*letters, *[skipped()] * 5000])
    found = breaker.trips([rejected(Reason.NOT_JSON)])
    assert found is not None
    assert found.startswith("501 of the last 501 records are dead letters, 501 for not_json; ")


@pytest.mark.parametrize(
    ("before", "batch", "published", "held"), [(0, 600, 0, 600), (400, 600, 400, 600),
                                               (900, 200, 800, 200), (400, 3000, 0, 1000)],
)  # fmt: skip
def test_the_line_says_what_is_published(
    before: int, batch: int, published: int, held: int
) -> None:
    """Of the dead letters that it counts; the batch that trips it is not."""
    breaker = Breaker(1000, 0.5)
    breaker.record([rejected(Reason.NOT_JSON)] * before)
    found = breaker.trips([*[skipped()] * 7, *[rejected(Reason.NOT_JSON)] * batch])
    assert found is not None
    assert (
        f"; {published} of these are published and committed, the other {held} and their batch of "
        f"{batch + 7} records are not, and are read again at the next start: look at the producer"
    ) in found


def test_trips_changes_nothing() -> None:
    """Only published outcomes are counted."""
    breaker = Breaker(1000, 0.5)
    for _ in range(3):
        assert breaker.trips([rejected(Reason.NOT_JSON)] * 499) is None
    assert breaker.trips([verdict()]) is None


def test_a_share_of_one_never_trips() -> None:
    """This switches the breaker off."""
    breaker = Breaker(1000, 1.0)
    assert breaker.trips([rejected(Reason.NOT_JSON)] * 5000) is None
