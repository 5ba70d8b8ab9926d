"""Data drift: how recent records differ from the data that the model was calibrated on.

Pure: counts over a sliding window of records, compared with the reference stored with the model.
Counting a record costs a few additions; the comparison runs only when somebody asks for it. No
metrics and no model here.
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
# Upper edges of the bins of `calibration.Reference.tokens`; a last bin holds longer texts.
TOKEN_EDGES = (8, 16, 32, 64, 128)
# One at each end of a text; these are never unknown tokens.
SPECIAL_TOKENS = 2
# The window moves block by block, so that it stores counts and not records. It covers the last
# 4,500 to 5,000 records.
BLOCK_RECORDS = 500
BLOCKS_MAX = 10
# With fewer records an index is mostly noise. At 500 records and ten bins its expected value
# without any drift is 9 / 500 = 0.018.
RECORDS_MIN = BLOCK_RECORDS
# Lower bound for shares: a share of 0 would make an index infinite, and differences below 1 in
# 1,000 mean nothing.
SHARE_MIN = 0.001
# Languages counted separately in one block; the rest is counted as OTHER. Bounds the memory.
LANGUAGES_MAX = 50
# Languages reported by name. Each is a time series of a metric; a stream has few.
LANGUAGES_REPORTED = 10
OTHER = "other"
# The ISO 639-2 code for a language that cannot be determined.
UNDETERMINED = "und"


@dataclass(frozen=True, slots=True)
class Drift:
    """A summary of the window; shares are from 0 to 1.

    `indices` are population stability indices by the feature that they compare: under 0.1 the
    distribution has hardly changed, over 0.25 it has changed much. It is empty if the model has no
    reference or too few records were counted. `unknown` is the share of unknown tokens, `long` the
    share of texts that need more than one window. `languages` holds the most frequent ones by
    share, and all others together as OTHER.
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
    # The most likely label of each text. No larger than `records`, however many a model has.
    labels: Counter[str] = field(default_factory=Counter)


class DriftWindow:
    """Counts over a sliding window of the last published records."""

    def __init__(self, reference: Reference | None = None) -> None:
        """Start empty; without a reference there are shares but no indices."""
        self._reference = reference
        self._blocks: deque[_Counts] = deque([_Counts()], maxlen=BLOCKS_MAX)

    def record(self, outcome: Verdict | Unscored) -> None:
        """Count one published text; an unscored one counts for the input features only."""
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
            # Not the reading's label, which also depends on the setting for unsure texts.
            block.labels[max(scores, key=scores.__getitem__)] += 1
        block.tokens[bisect_left(TOKEN_EDGES, stats.tokens)] += 1
        language = outcome.language or UNDETERMINED
        if language not in block.languages and len(block.languages) >= LANGUAGES_MAX:
            language = OTHER
        block.languages[language] += 1

    def drift(self) -> Drift:
        """Summarise the window and compare it with the reference."""
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
    """The population stability index of two distributions over the same bins; 0 or more.

    Both are counts or shares with a sum above 0. The index is 0 if all shares are the same.
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
    shares = {name: count / records for name, count in ordered[:LANGUAGES_REPORTED]}
    rest = sum(count for _, count in ordered[LANGUAGES_REPORTED:]) / records
    return shares | ({OTHER: shares.get(OTHER, 0.0) + rest} if rest else {})
