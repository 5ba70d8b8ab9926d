"""Times in the pipeline: the latency budget, and repeats, which take none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service.records import Document, Reading, Verdict
from service.scoring.repeats import Repeats
from tools.pipeline_tools import TOKENS, Stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.records import Rejected


@pytest.mark.parametrize(("waited_s", "late"), [(0.5, 0), (1.5, 3)])
async def test_a_lost_budget_is_counted(waited_s: float, late: int) -> None:
    """For each record, from its poll until it is published."""
    stream = Stream()
    stream.stamp_polls()
    stream.scorer.hold()
    stream.produce(3)
    async with stream.running():
        await stream.until(lambda: stream.metric("sentiment_consumed_total", topic="in") == 3)
        stream.clock.now += waited_s
        stream.scorer.release()
        await stream.settled()

    assert late == stream.metric("sentiment_over_budget_total")


async def test_repeats_are_counted_and_cost_nothing() -> None:
    """The cost model learns only from computed texts."""
    stream = Stream(records_max=2)
    repeats = Repeats(10)
    score = stream.scorer.score
    computed: list[int] = []
    learnt: list[int] = []

    def observe(texts: int, tokens: int, seconds: float) -> None:  # noqa: ARG001 - as the real one
        learnt.append(tokens)

    stream.batcher.cost.observe = observe  # type: ignore[method-assign]

    async def remembering(documents: Sequence[Document]) -> list[Verdict | Rejected]:
        outcomes = repeats.score(documents, lambda new: [verdict(d) for d in new])
        computed.append(sum(not (isinstance(o, Verdict) and o.repeated) for o in outcomes))
        await score(documents)
        return outcomes

    stream.scorer.score = remembering  # type: ignore[method-assign]
    # All of these have the same tokens.
    stream.produce(20)
    async with stream.running():
        await stream.settled()

    assert 1 == sum(computed)
    assert 19 == stream.metric("sentiment_repeated_total")
    assert [TOKENS] == learnt


def verdict(document: Document) -> Verdict:
    """A positive verdict."""
    return Verdict(document, Reading("positive", 0.75, {"negative": 0.25, "positive": 0.75}, True))
