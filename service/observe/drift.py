"""Whether what is scored now still looks like what the model was made for.

Pure: counts of a sliding window of records, compared with the reference kept with the model. A
record costs a few additions; comparing is for whoever looks, seldom. No metrics, no model here.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.records import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from service.checkpoint.calibration import Reference
    from service.records import Unscored

SCORE_BINS = 10
# The upper edges of `calibration.Reference.tokens`; the last share is of what is longer.
TOKEN_EDGES = (8, 16, 32, 64, 128)
# At the beginning and the end of a text; never unknown.
SPECIAL_TOKENS = 2
# The window moves by blocks, so that it holds counts and no records: 4,500 to 5,000 of them.
BLOCK_RECORDS = 500
BLOCKS_MAX = 10
# An index of fewer records would be mostly chance: 9 / 500 = 0.018 of 500 is.
RECORDS_MIN = BLOCK_RECORDS
# A share of 0 would make an index infinite; under 1 in 1,000 a difference says nothing.
SHARE_MIN = 0.001
# Languages told apart in a block, whatever a detector comes up with; the rest counts as other.
LANGUAGES_MAX = 50
# Languages that are told; a stream has few, and each is a series of a metric.
LANGUAGES_TOLD = 10
OTHER = "other"
# ISO 639-2's word for a text that does not show its language.
UNDETERMINED = "und"


@dataclass(frozen=True, slots=True)
class Drift:
    """What the window holds; shares from 0 to 1.

    `indices` are population stability indices by what they are of: under 0.1 nothing has changed,
    over 0.25 much has. Empty where the model has no reference, or too few records were seen. Of
    `languages` the largest, and all others as one.
    """

    records: int
    indices: dict[str, float]
    unknown: float
    long: float
    languages: dict[str, float]


@dataclass(slots=True)
class _Counts:
    records: int = 0
    long: int = 0
    words: int = 0
    unknown: float = 0.0
    scores: list[int] = field(default_factory=lambda: [0] * SCORE_BINS)
    tokens: list[int] = field(default_factory=lambda: [0] * (len(TOKEN_EDGES) + 1))
    languages: Counter[str] = field(default_factory=Counter)
    # The likeliest ones: no more than records, whatever a model has.
    labels: Counter[str] = field(default_factory=Counter)


class DriftWindow:
    """The last records, in counts."""

    def __init__(self, reference: Reference | None = None) -> None:
        """Begin empty; without a reference there are shares and no indices."""
        self._reference = reference
        self._blocks: deque[_Counts] = deque([_Counts()], maxlen=BLOCKS_MAX)

    def record(self, outcome: Verdict | Unscored) -> None:
        """Count one text that is published; without a reading it counts as input alone."""
        block = self._blocks[-1]
        if block.records >= BLOCK_RECORDS:
            block = _Counts()
            self._blocks.append(block)
        stats = outcome.stats
        block.records += 1
        block.long += stats.truncated or stats.windows > 1
        words = max(0, stats.tokens - SPECIAL_TOKENS)
        block.words += words
        block.unknown += stats.unknown_share * words
        if isinstance(outcome, Verdict):
            scores = outcome.reading.scores
            *_, score = scores.values()
            block.scores[min(int(score * SCORE_BINS), SCORE_BINS - 1)] += 1
            # Not the reading's label: that also depends on the setting for unsure texts.
            block.labels[max(scores, key=scores.__getitem__)] += 1
        block.tokens[bisect_left(TOKEN_EDGES, stats.tokens)] += 1
        language = outcome.language or UNDETERMINED
        if language not in block.languages and len(block.languages) >= LANGUAGES_MAX:
            language = OTHER
        block.languages[language] += 1

    def drift(self) -> Drift:
        """Compare what was counted with the reference."""
        counts = _sum(self._blocks)
        unknown = counts.unknown / counts.words if counts.words else 0.0
        seen = counts.records or 1
        return Drift(
            records=counts.records,
            indices=self._indices(counts, unknown),
            unknown=unknown,
            long=counts.long / seen,
            languages=_largest(counts.languages, seen),
        )

    def _indices(self, counts: _Counts, unknown: float) -> dict[str, float]:
        reference = self._reference
        if reference is None or counts.records < RECORDS_MIN:
            return {}
        indices = {
            "tokens": stability_index(reference.tokens, counts.tokens),
            "unknown": stability_index(
                (reference.unknown, 1 - reference.unknown), (unknown, 1 - unknown)
            ),
        }
        if sum(counts.scores) >= RECORDS_MIN:
            indices["scores"] = stability_index(reference.scores, counts.scores)
            if reference.labels:
                indices["labels"] = _index_of_names(reference.labels, counts.labels)
        if reference.languages:
            indices["languages"] = _index_of_names(reference.languages, counts.languages)
        return indices


def _index_of_names(expected: Mapping[str, float], found: Counter[str]) -> float:
    names = sorted({*expected, *found})
    return stability_index(
        [expected.get(name, 0.0) for name in names], [found[name] for name in names]
    )


def stability_index(expected: Sequence[float], found: Sequence[float]) -> float:
    """The population stability index of two distributions over the same bins, of any sum above 0.

    It is 0 where both have the same shares, and never below.
    """
    return sum(
        (b - a) * math.log(b / a) for a, b in zip(_shares(expected), _shares(found), strict=True)
    )


def _shares(values: Sequence[float]) -> list[float]:
    total = sum(values)
    return [max(value / total, SHARE_MIN) for value in values]


def _sum(blocks: Iterable[_Counts]) -> _Counts:
    total = _Counts()
    for block in blocks:
        total.records += block.records
        total.long += block.long
        total.words += block.words
        total.unknown += block.unknown
        total.scores = [a + b for a, b in zip(total.scores, block.scores, strict=True)]
        total.tokens = [a + b for a, b in zip(total.tokens, block.tokens, strict=True)]
        total.languages.update(block.languages)
        total.labels.update(block.labels)
    return total


def _largest(counts: Counter[str], records: int) -> dict[str, float]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shares = {name: count / records for name, count in ordered[:LANGUAGES_TOLD]}
    rest = sum(count for _, count in ordered[LANGUAGES_TOLD:]) / records
    return shares | ({OTHER: shares.get(OTHER, 0.0) + rest} if rest else {})
