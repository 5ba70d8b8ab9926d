"""Explains a score by the scores of the text without each word, and with other countries.

Exists for `POST /explain`. Pure: makes the variants of a text to score, and an explanation from
their readings.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from service.web.countries import swapped
from service.web.score_contracts import CountryScore, Explanation, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.records import Reading

# Most tokens, and most words (a word may have no token). The whole text is scored once for each
# word, so the cost grows with the square of the length.
EXPLAINED_TOKENS_MAX = 64

_WORD = re.compile(r"\S+")


class Variants(NamedTuple):
    """A text, its words as (start, end) in characters, and (country, text with it) pairs."""

    text: str
    words: list[tuple[int, int]]
    swaps: list[tuple[str, str]]

    def texts(self) -> list[str]:
        """The texts to score: the text, then without each word, then with each other country."""
        without = [self.text[:start] + self.text[end:] for start, end in self.words]
        return [self.text, *without, *(other for _, other in self.swaps)]


def variants_of(text: str) -> Variants:
    """The variants of a text; words are separated by white space."""
    return Variants(text, [match.span() for match in _WORD.finditer(text)], swapped(text))


def explanation(variants: Variants, readings: Sequence[Reading]) -> Explanation:
    """The explanation from the readings of `variants.texts()`, in the same order."""
    text, words, swaps = variants
    original, *others = readings
    # The label may be none of the model's labels where the model is not confident.
    likeliest = max(original.scores, key=original.scores.__getitem__)
    shares = [other.scores[likeliest] for other in others]
    score = original.scores[likeliest]
    return Explanation(
        label=original.label,
        score=original.score,
        confident=original.confident,
        scores=original.scores,
        words=[
            Word(text=text[start:end], start=start, end=end, weight=score - share)
            for (start, end), share in zip(words, shares[: len(words)], strict=True)
        ],
        countries=[
            CountryScore(name=name, score=share)
            for (name, _), share in zip(swaps, shares[len(words) :], strict=True)
        ],
    )
