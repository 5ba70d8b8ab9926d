"""Why a text has its score: without each of its words, and with other countries in place.

Exists for the live page's box. Pure: makes the texts that the model is asked, and reads its
answers; the texts go the same way as all others.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from service.web.countries import swapped
from service.web.score_contracts import CountryScore, Explanation, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.records import Reading

# Of tokens and of words, some of which have no token: each word is another run of the whole text,
# so the cost grows with the square of the length.
EXPLAINED_TOKENS_MAX = 64

_WORD = re.compile(r"\S+")


class Variants(NamedTuple):
    """A text, its words as (start, end) in characters, and (country, text with it in place)."""

    text: str
    words: list[tuple[int, int]]
    swaps: list[tuple[str, str]]

    def texts(self) -> list[str]:
        """What the model is asked: the text, without each of its words, with other countries."""
        without = [self.text[:start] + self.text[end:] for start, end in self.words]
        return [self.text, *without, *(other for _, other in self.swaps)]


def variants_of(text: str) -> Variants:
    """The text and all that is asked beside it; what stands without space is one word."""
    return Variants(text, [match.span() for match in _WORD.finditer(text)], swapped(text))


def explanation(variants: Variants, readings: Sequence[Reading]) -> Explanation:
    """What the readings of `variants.texts()` say, in their order."""
    text, words, swaps = variants
    original, *others = readings
    # Where the model is not confident, the label may be one that it does not have.
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
