"""Predicts how long this replica needs for what is not published yet. Pure.

Exists because a lag in records says nothing of time: texts have one token or thousands, repeats
cost nothing, and what is skipped is only committed. Takes the costs that the batcher has learned,
and learns what a record holds.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from service.records import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.records import Outcome, Partition
    from service.stream.batcher import Batcher

# The mean of a record is that of about so many last ones: enough that single long texts do not
# count much, and few enough to follow a feed within minutes.
RECORDS = 2000


class Drain:
    """What a record holds, and from it the time for many."""

    def __init__(self, batcher: Batcher) -> None:
        """Know nothing of records; the costs are those of `batcher`."""
        self.batcher = batcher
        # Sums in which a record's weight falls with each newer one: of records, of what is
        # published for them, of tokens, and of the texts and tokens that the model has computed.
        self._records = self._items = self._tokens = 0.0
        self._computed_texts = self._computed_tokens = 0.0

    def published(self, outcome: Outcome) -> None:
        """Learn from what was published."""
        if outcome.record.is_last:
            keep = 1 - 1 / RECORDS
            self._records = keep * self._records + 1
            self._items *= keep
            self._tokens *= keep
            self._computed_texts *= keep
            self._computed_tokens *= keep
        self._items += 1
        if isinstance(outcome, Verdict):
            self._tokens += outcome.document.tokens
            if not outcome.repeated:
                self._computed_texts += 1
                self._computed_tokens += outcome.document.tokens

    def seconds(self, lag: Mapping[Partition, int]) -> dict[str, float]:
        """By topic, the seconds for so many records of each partition.

        Without records it is 0. Nothing is said of records before their cost is known.
        """
        records: Counter[str] = Counter()
        for partition, count in lag.items():
            records[partition.topic] += count
        total = records.total()
        if not total:
            return dict.fromkeys(records, 0.0)
        record_s = self._record_s(total)
        if record_s is None:
            return {}
        return {topic: count * record_s for topic, count in records.items()}

    def _record_s(self, waiting: int) -> float | None:
        """The seconds of one record in batches as large as they are beside so many."""
        if not self._records:
            return None
        items, tokens = self._items / self._records, self._tokens / self._records
        limits = self.batcher.limits
        count = min(waiting, limits.records_max / items, limits.tokens_max / max(tokens, 1e-9))
        count = max(1.0, count)
        texts = count * self._computed_texts / self._records
        computed = count * self._computed_tokens / self._records
        # While one batch is on the model, the one before it is published: the slower one counts.
        model_s = self.batcher.cost.seconds_of(texts, computed) if computed else 0.0
        published = count * items
        publish_s = self.batcher.publish_cost.seconds_of(published, published)
        return max(model_s, publish_s) / count or None
