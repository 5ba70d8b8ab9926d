"""Builds the cases of `evaluate --behaviour`: fills frames and changes texts, always the same way.

Exists so that the cases are separate from their evaluation. The kinds of test and the rule for
invariance are from CheckList (Ribeiro et al. 2020, arXiv:2005.04118); the sentences were written
for this project. Every test has its own seed, so that a new test does not change the others. No
model here.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from service.lab.behaviour import changes, feedback, meanings, texts
from service.lab.bias.templates import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from service.lab.behaviour.meanings import Expected

# Invariance: a change must not change the label. Complaint: a change must not make a negative text
# anything else. Meaning: the correct label is known.
Kind = Literal["invariance", "complaint", "meaning"]

SEED = 2005
# Cases of a test, if its frames have enough fillers: 1 % is three cases, and all tests together
# take about a minute on one core.
CASES = 300
# Texts to draw from a file, which also take less than a minute.
DATA_CASES_MAX = 600
# The numbers of sentences of praise in long texts.
LONG_SENTENCES = (10, 25, 60)
# Attempts for each case, because frames with few fillers repeat sentences.
_DRAWS = 20

FILLERS = {
    **texts.FILLERS,
    **meanings.FILLERS,
    "name": tuple(name for names in NAMES.values() for name in names),
}
MEANINGS = (*meanings.NEGATION, *meanings.ORDER, *feedback.FEEDBACK, *feedback.INFORMAL)
_ARTICLE = re.compile(r"\b([Aa]) (?=[aeiou])")


class Pair(NamedTuple):
    """A text before and after a change that must not change its label."""

    text: str
    altered: str


class Known(NamedTuple):
    """A text, and its correct label."""

    text: str
    expected: Expected


class Behaviour(NamedTuple):
    """A test: cases of one kind; the report shows its name, description and note."""

    name: str
    kind: Kind
    description: str
    cases: Sequence[Pair] | Sequence[Known]
    note: str = ""


def written_tests() -> list[Behaviour]:
    """All tests on the sentences of this project, in the order of the report."""
    base = base_texts()
    plain = [text for _, some in base for text in some]
    return [
        *(_changed(change, plain) for change in changes.CHANGES),
        _swapped("names_swapped", "another name", "name", texts.WITH_NAME),
        _swapped("places_swapped", "another place", "place", texts.WITH_PLACE),
        *(_quoted(base, above=above) for above in (True, False)),
        # Half as many more, because complaints that the model does not find negative do not count.
        *complaint_tests(fill(texts.COMPLAINTS, CASES * 3 // 2, _random("complaints"))),
        *(_meaning(one) for one in MEANINGS),
        _long_praise(),
        *_neutral(),
    ]


def data_tests(all_texts: Sequence[str], complaints: Sequence[str]) -> list[Behaviour]:
    """Tests with the same changes on texts of a file; `complaints` are its negative texts.

    Names and places are not swapped, because they cannot be found reliably in any text.
    """
    rng = _random("data")
    drawn = rng.sample(list(all_texts), min(DATA_CASES_MAX, len(all_texts)))
    blamed = rng.sample(list(complaints), min(DATA_CASES_MAX, len(complaints)))
    return [*(_changed(change, drawn) for change in changes.CHANGES), *complaint_tests(blamed)]


def complaint_tests(complaints: Sequence[str]) -> list[Behaviour]:
    """Tests whether complaints stay negative with a greeting, a sign-off, or both."""
    return [
        Behaviour(
            f"complaint_{change.name}", "complaint", f"complaint, {change.description}", pairs
        )
        for change in changes.FORMULAS
        for pairs in [_pairs(complaints, change.alter, _random(f"complaint {change.name}"))]
    ]


def base_texts() -> tuple[tuple[str, list[str]], ...]:
    """The sentences to change, by the opinion opposite to theirs.

    Two fifths are complaints (the opposite is "positive"), two fifths praise, and a fifth facts.
    """
    rng = _random("base")
    return (
        ("positive", fill(texts.COMPLAINTS, CASES * 2 // 5, rng)),
        ("negative", fill(texts.PRAISE, CASES * 2 // 5, rng)),
        ("", fill(texts.FACTS, CASES // 5, rng)),
    )


def fill(frames: Sequence[str], count: int, rng: random.Random) -> list[str]:
    """Up to `count` different sentences, an equal number of each frame if its fillers suffice."""
    made: dict[str, None] = {}
    for turn in range(count * _DRAWS):
        if len(made) == count:
            break
        made[_sentence(frames[turn % len(frames)], rng)] = None
    return list(made)


def _sentence(frame: str, rng: random.Random) -> str:
    drawn = {name: rng.choice(values) for name, values in FILLERS.items() if f"{{{name}}}" in frame}
    filled = _ARTICLE.sub(r"\1n ", frame.format(**drawn))
    # A frame in lower case is meant so; a filler at the start of a frame gets a capital.
    return filled[0].upper() + filled[1:] if frame[0] == "{" else filled


def _random(name: str) -> random.Random:
    return random.Random(f"{SEED} {name}")


def _changed(change: changes.Change, base: Sequence[str]) -> Behaviour:
    pairs = _pairs(base, change.alter, _random(change.name))
    return Behaviour(change.name, "invariance", change.description, pairs)


def _pairs(
    base: Sequence[str], alter: Callable[[str, random.Random], str | None], rng: random.Random
) -> list[Pair]:
    altered = ((text, alter(text, rng)) for text in base)
    return [Pair(text, other) for text, other in altered if other is not None and other != text]


def _swapped(name: str, description: str, slot: str, frames: Sequence[str]) -> Behaviour:
    rng = _random(name)
    left_open = [frame.replace(f"{{{slot}}}", f"{{{{{slot}}}}}") for frame in frames]
    pairs: dict[Pair, None] = {}
    for turn in range(CASES * _DRAWS):
        if len(pairs) == CASES:
            break
        frame = _sentence(left_open[turn % len(left_open)], rng)
        one, other = rng.sample(FILLERS[slot], 2)
        pairs[Pair(frame.format(**{slot: one}), frame.format(**{slot: other}))] = None
    return Behaviour(name, "invariance", description, list(pairs))


def _quoted(base: Sequence[tuple[str, list[str]]], *, above: bool) -> Behaviour:
    where = "above" if above else "below"
    rng = _random(f"quote {where}")
    pairs = [
        Pair(text, changes.quoted(text, opposite or rng.choice(("positive", "negative")), rng,
                                  above=above))
        for opposite, some in base
        for text in some
    ]  # fmt: skip
    return Behaviour(f"quote_{where}", "invariance", f"an opposite opinion quoted {where}", pairs,
                "quoted text is not yet cut")  # fmt: skip


def _meaning(meaning: meanings.Meaning) -> Behaviour:
    rng = _random(meaning.name)
    # Each group has cases in proportion to its frames.
    total = sum(len(group.frames) for group in meaning.groups)
    cases = [
        Known(text, group.expected)
        for group in meaning.groups
        for text in fill(group.frames, CASES * len(group.frames) // total, rng)
    ]
    return Behaviour(meaning.name, "meaning", meaning.description, cases)


def _long_praise() -> Behaviour:
    rng = _random("long praise")
    cases = []
    # A third of the usual number, because a long text takes as long as twenty short ones.
    for number in range(CASES // 3):
        count = LONG_SENTENCES[number % len(LONG_SENTENCES)]
        praise = [_sentence(rng.choice(texts.PRAISE), rng) for _ in range(count)]
        cases.append(Known(" ".join([*praise, rng.choice(feedback.LAST_WORDS)]), "not positive"))
    return Behaviour("long_praise_then_complaint", "meaning",
                "long praise with a complaint at its end is not POSITIVE", cases)  # fmt: skip


def _neutral() -> list[Behaviour]:
    rng = _random("neutral")
    facts = fill(texts.FACTS, CASES, rng)
    bare: dict[str, None] = dict.fromkeys(feedback.BARE_WORDS)
    for _ in range(CASES // 5):
        # Only the address, and only the handle.
        bare[changes.add_address("", rng).strip()] = None
        bare[changes.add_handle("", rng).strip()] = None
    return [
        Behaviour("fact_is_neutral", "meaning", "a fact is NEUTRAL",
             [Known(text, "neutral") for text in facts]),
        Behaviour("fact_not_called", "meaning", "a fact is not surely a pole",
             [Known(text, "no sure pole") for text in facts]),
        Behaviour("bare_not_called", "meaning", "a bare word or address is not surely a pole",
             [Known(text, "no sure pole") for text in bare]),
    ]  # fmt: skip
