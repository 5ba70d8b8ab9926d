"""A repeated text gets its verdict from the cache; outcomes are the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from service.records import Document, Reading, Reason, Rejected, Verdict
from service.scoring.repeats import Repeats
from tools.scripted_engine import document

if TYPE_CHECKING:
    from collections.abc import Sequence

POISON = 13


def _reading(document: Document) -> Reading:
    label = str(document.windows[0][0])
    return Reading(label, 1.0, {label: 1.0}, True)


class Counting:
    """Computes a reading whose label is the first token; fails on one; records its texts."""

    def __init__(self) -> None:
        """Start without texts."""
        self.computed: list[int] = []

    def __call__(self, documents: Sequence[Document]) -> list[Verdict | Rejected]:
        """See `Repeats.score`."""
        self.computed += [d.windows[0][0] for d in documents]
        return [
            Rejected(d.record, Reason.ENGINE_ERROR, "", "score")
            if d.windows[0][0] == POISON
            else Verdict(d, _reading(d))
            for d in documents
        ]


def texts(tokens: Sequence[int]) -> list[Document]:
    """Documents whose texts are these tokens."""
    return [
        Document(one.message, ([token, 5],), one.stats)
        for token, one in zip(tokens, map(document, range(len(tokens))), strict=True)
    ]


@given(st.lists(st.lists(st.integers(10, 20), max_size=12), max_size=8), st.integers(0, 12))
def test_outcomes_are_those_of_computing_all(batches: list[list[int]], size: int) -> None:
    """Whatever repeats within or between batches, and however small the cache is."""
    repeats, counting = Repeats(size), Counting()
    for tokens in batches:
        batch = texts(tokens)
        outcomes = repeats.score(batch, counting)

        assert [d.record for d in batch] == [outcome.record for outcome in outcomes]
        for token, outcome in zip(tokens, outcomes, strict=True):
            assert isinstance(outcome, Rejected) == (token == POISON)
            assert not isinstance(outcome, Verdict) or str(token) == outcome.reading.label
        computed = [o for o in outcomes if not isinstance(o, Verdict) or not o.repeated]
        assert size > 0 or len(computed) == len(batch)
        assert len(repeats._readings) <= size


def test_a_repeat_is_computed_once() -> None:
    """In one batch and in a later one; the verdict is the repeat's own."""
    repeats, counting = Repeats(10), Counting()
    repeats.score(texts([1, 2, 1]), counting)
    again = repeats.score(texts([2, 3, 1]), counting)

    assert [1, 2, 3] == counting.computed
    assert [True, False, True] == [isinstance(o, Verdict) and o.repeated for o in again]


def test_the_key_has_all_that_confidence_depends_on() -> None:
    """The same tokens of a cut text, or of one in another language, are no repeat."""
    repeats, counting = Repeats(10), Counting()
    (one,) = texts([1])
    others = [
        replace(one, language="fr"),
        replace(one, language="en"),
        replace(one, stats=replace(one.stats, truncated=True)),
    ]
    for _ in range(2):
        repeats.score([one, *others], counting)

    assert [1, 1, 1, 1] == counting.computed


def test_the_same_tokens_in_other_windows_are_no_repeat() -> None:
    """The score of a long text depends on where its windows end."""
    repeats, counting = Repeats(10), Counting()
    (one,) = texts([1])
    repeats.score([replace(one, windows=w) for w in (([1, 2], [3]), ([1], [2, 3]))], counting)

    assert 2 == len(counting.computed)


def test_the_least_recently_used_go_first() -> None:
    """A frequent text stays in the cache."""
    repeats, counting = Repeats(2), Counting()
    for tokens in ([1], [2], [1], [3], [1], [2]):
        repeats.score(texts(tokens), counting)

    assert [1, 2, 3, 2] == counting.computed


def test_a_failure_is_not_cached() -> None:
    """It may pass; equal texts of one batch share the outcome."""
    repeats, counting = Repeats(10), Counting()
    for _ in range(2):
        outcomes = repeats.score(texts([POISON, POISON]), counting)
        assert [Rejected, Rejected] == [type(outcome) for outcome in outcomes]

    assert [POISON, POISON] == counting.computed


def test_size_0_switches_the_cache_off() -> None:
    """Even within a batch."""
    repeats, counting = Repeats(0), Counting()
    repeats.score(texts([1, 1]), counting)

    assert [1, 1] == counting.computed
