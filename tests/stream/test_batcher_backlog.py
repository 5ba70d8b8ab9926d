"""Batches while partitions have a backlog: how large they are, and whose commit may wait."""

from __future__ import annotations

import random

from service.records import Partition
from service.stream.batcher import (
    SMALL_TOKENS_MIN,
    URGENT_EVERY_COMMITS,
    URGENT_TOKENS_MAX,
    Batcher,
)
from service.stream.sharing import DRAINED_S, SHARED_S
from tools.pipeline_tools import BACKLOG, LARGE, LIVE, Arrivals, costing, counts, taken


def on_a_quick_model() -> tuple[Arrivals, Batcher]:
    """What arrives, and a batcher whose batches take 10 µs for each token."""
    batcher = Batcher(LARGE)
    batcher.cost = costing(1e-5)
    return Arrivals(), batcher


def test_batches_are_small_beside_a_backlog() -> None:
    """An eighth of the budget, once another partition has had records; then whole again."""
    arrivals, batcher = on_a_quick_model()
    batcher.add(arrivals.items(BACKLOG, [40] * 600), 1)
    assert 8000 <= taken(batcher).tokens
    batcher.add(arrivals.items(LIVE, [40]), 1)
    taken(batcher, 1.0)
    batcher.add(arrivals.items(BACKLOG, [40] * 600), 1)

    assert 1210 <= taken(batcher, 1.1).tokens <= 1250
    assert 8000 <= taken(batcher, 1.1 + SHARED_S).tokens


def test_the_first_batch_of_a_backlog_is_small_where_others_had_records() -> None:
    """More of these may come while it is on the model; not where nothing has come for a while."""
    arrivals, batcher = on_a_quick_model()
    batcher.add(arrivals.items(LIVE, [40]), 1)
    taken(batcher, 1.0)
    batcher.add(arrivals.items(BACKLOG, [40] * 600), 1)

    assert 1210 <= taken(batcher, 1.1).tokens <= 1250

    batcher.add(arrivals.items(BACKLOG, [40] * 600), 1)
    assert 8000 <= taken(batcher, 1.1 + 2 * SHARED_S).tokens


def test_a_backlog_that_ends_before_another_does_not_make_batches_small() -> None:
    """What is left of it is no live record; a second later it is."""
    arrivals, batcher = on_a_quick_model()
    batcher.behind = frozenset(Partition("in", number) for number in (BACKLOG, LIVE))
    for partition in (BACKLOG, LIVE):
        batcher.add(arrivals.items(partition, [40] * 200), 1)
    taken(batcher, 1.0)
    batcher.behind = frozenset({Partition("in", BACKLOG)})
    found = []
    for now in (1.1, 1.2, 1.2 + DRAINED_S):
        batcher.add(arrivals.items(BACKLOG, [40] * 300), 1)
        taken(batcher, now)
        found.append(batcher.small)
        batcher.add(arrivals.items(LIVE, [40]), 1)

    assert [False, False, True] == found


def test_a_backlog_of_partitions_that_had_few_records_has_whole_batches() -> None:
    """Though the first poll has less of some than of others: all have more at the client."""
    arrivals, batcher = on_a_quick_model()
    for partition in (BACKLOG, LIVE):
        batcher.add(arrivals.items(partition, [40]), 1)
    taken(batcher, 1.0)
    batcher.behind = frozenset(Partition("in", number) for number in (BACKLOG, LIVE))
    batcher.add(arrivals.items(BACKLOG, [40] * 300), 1)
    batcher.add(arrivals.items(LIVE, [40] * 10), 1)

    assert 8000 <= taken(batcher, 1.1).tokens
    assert not batcher.small


def test_small_batches_take_as_long_as_publishing() -> None:
    """Smaller ones would only wait for a commit; but no more than half of the budget."""
    for publish_s, tokens in ((0.02, 2000), (0.08, 5000)):
        arrivals, batcher = on_a_quick_model()
        for _ in range(200):
            batcher.observe_publish(1, publish_s)
        for _ in range(2):
            batcher.add(arrivals.items(BACKLOG, [80] * 300), 1)
            batcher.add(arrivals.items(LIVE, [80]), 1)
            batch = taken(batcher)

        assert tokens - 80 <= batch.tokens <= tokens
        assert batcher.small


def beside_a_backlog() -> tuple[Arrivals, Batcher]:
    """Batches of a backlog that are patient, until others have records again."""
    arrivals, batcher = on_a_quick_model()
    batcher.add(arrivals.items(LIVE, [40]), 1)
    taken(batcher, 1.0)
    batcher.add(arrivals.items(BACKLOG, [40] * 600), 1)
    batcher.behind = frozenset({Partition("in", BACKLOG)})
    assert taken(batcher, 1.0).patient
    return arrivals, batcher


def test_others_go_before_a_backlog_once() -> None:
    """One batch of the backlog alone is patient, one of others alone urgent; the next has both."""
    arrivals, batcher = beside_a_backlog()
    found = []
    for others in (0, 1, 1, 0, 12, 0):
        batcher.add(arrivals.items(LIVE, [40] * others), 1)
        batch = taken(batcher, 1.1)
        of = counts(batch)
        found.append((batch.patient, batch.urgent, of.get(LIVE, 0), BACKLOG in of))

    most = URGENT_TOKENS_MAX // 40
    assert found == [
        (True, False, 0, True), (False, True, 1, False), (False, False, 1, True),
        (True, False, 0, True), (False, True, most, False), (False, False, 12 - most, True),
    ]  # fmt: skip


def test_urgent_batches_leave_the_model_time() -> None:
    """It waits for their commits, and these may take long."""
    arrivals, batcher = beside_a_backlog()
    for _ in range(200):
        batcher.observe_publish(1, 0.019)
    found = []
    for turn in range(22):
        now = 1.0 + turn * URGENT_EVERY_COMMITS * 0.002
        batcher.add(arrivals.items(BACKLOG, [40] * 60), 1)
        batcher.add(arrivals.items(LIVE, [40] * (turn % 2)), 1)
        found.append(taken(batcher, now).urgent)

    assert [1, 11, 21] == [turn for turn, urgent in enumerate(found) if urgent]


def test_batches_stay_small_after_urgent_ones() -> None:
    """Though these have none of the backlog, and a poll may bring less of it than a batch holds."""
    arrivals, batcher = beside_a_backlog()
    for second in range(1, int(2 * SHARED_S)):
        batcher.add(arrivals.items(BACKLOG, [40] * 5), 1)
        batcher.add(arrivals.items(LIVE, [40]), 1)
        assert taken(batcher, second).urgent
        while len(batcher):
            assert taken(batcher, second + 0.5).patient
            assert batcher.small
    batcher.add(arrivals.items(LIVE, [40]), 1)
    assert not taken(batcher, 3 * SHARED_S).urgent


def test_what_is_left_of_a_backlog_is_not_urgent() -> None:
    """Where the client has no more of it for a while, such as between two fetches."""
    arrivals, batcher = beside_a_backlog()
    batcher.behind = frozenset()
    assert not taken(batcher, 1.1).urgent
    batcher.add(arrivals.items(LIVE, [40]), 1)
    assert not taken(batcher, 1.1 + DRAINED_S).patient


def test_backlogs_of_many_partitions_do_not_make_batches_small() -> None:
    """Though each batch leaves nothing of some, which have more at the client."""
    arrivals, batcher, sizes = Arrivals(), Batcher(LARGE), random.Random(1)
    batcher.cost = costing(1e-5)
    partitions = range(32)
    batcher.behind = frozenset(Partition("in", number) for number in partitions)
    for turn in range(50):
        for number in partitions:
            batcher.add(arrivals.items(number, [sizes.choice((5, 20, 80))] * 8), 1)
        batch = taken(batcher, turn / 100)

        assert not batcher.small
        assert not batch.patient


def test_small_batches_still_fill_whole_runs() -> None:
    """On a slow machine: smaller ones would cost more than they bring."""
    arrivals, batcher = Arrivals(), Batcher(LARGE)
    batcher.cost = costing(1e-3)
    for _ in range(2):
        batcher.add(arrivals.items(BACKLOG, [20] * 600), 1)
        batcher.add(arrivals.items(LIVE, [20]), 1)
        batch = taken(batcher)

    assert SMALL_TOKENS_MIN - 20 < batch.tokens <= SMALL_TOKENS_MIN


def test_a_backlog_of_all_has_whole_batches() -> None:
    """Partitions that share a backlog do not make each other's batches small."""
    arrivals, batcher = Arrivals(), Batcher(LARGE)
    batcher.cost = costing(1e-3)
    for _ in range(4):
        for partition in range(3):
            batcher.add(arrivals.items(partition, [20] * 90), 1)
        assert 256 == len(taken(batcher).items)


def test_batches_are_small_where_publishing_takes_long() -> None:
    """It may take half of the budget; with commits slower than that, only throughput helps."""
    for commit_s, records in ((0.0, 100), (0.2, 256)):
        arrivals, batcher = Arrivals(), Batcher(LARGE)
        for count in [10, 40, 200, 100] * 20:
            batcher.observe_publish(count, commit_s + 5e-4 * count)
        assert not batcher.hurried
        for _ in range(2):
            batcher.add(arrivals.items(BACKLOG, [1] * 600), 1)
            batcher.add(arrivals.items(LIVE, [1]), 1)
            batch = taken(batcher)

        assert records - 1 <= len(batch.items) <= records
        assert batcher.hurried is (commit_s == 0.0)
        batcher.add([], 2)
        assert batcher.take(0) is None
