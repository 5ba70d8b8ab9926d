"""Groups of texts that must have equal scores, since they differ in a country, name or the like.

Exists so that training can penalise the effect of such words. About a fifth of the countries is
never used, so that the report on bias can measure names that were not trained on. A group depends
only on the seed and the step, so a resumed run continues exactly. No model code here.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from service.lab.teaching import swaps
from service.lab.teaching.around import normalised_with_formulas
from service.lab.teaching.lessons import altered
from service.text.normalise import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from service.lab.bias.data import Country

# Every fifth country, in the order of names, is held out.
HELD_OUT_EVERY = 5
# Longer real texts are not used, so that batches stay small.
TEXT_WORDS_MAX = 30
# The weight of groups with something around a text, about that of three other kinds together.
AROUND_WEIGHT = 14
# Words that occur in the names of several countries.
_COMMON_WORDS = frozenset(
    (
        "island",
        "islands",
        "saint",
        "st",
        "the",
        "and",
        "of",
        "new",
        "south",
        "north",
        "republic",
        "french",
        "british",
    )
)
_NOUN = re.compile(rf"\b({'|'.join(swaps.NOUNS)})\b")
_WORD = re.compile(r"\w+|\W+")
_TO_FEMALE = swaps.GENDER_SWAPS
_TO_MALE = {female: male for male, female in swaps.GENDER_SWAPS.items()} | {"girls": "boys"}
# Before these words "her" becomes "him", otherwise "his".
_AFTER_HER_ALONE = re.compile(
    r"\s*($|[^\w\s]|(to|and|in|on|at|for|with|by|as|but|or|from|is|that|so|a|an|the|his|my)\b)"
)


def split_countries(countries: Sequence[Country]) -> tuple[list[Country], list[Country]]:
    """Split countries into (trained, held out).

    A country that shares a word of its name or adjective with a held-out one is in neither part:
    training on `Guinea` would also train `Guinea-Bissau`.
    """
    ordered = sorted(countries, key=lambda country: country.name)
    held = ordered[HELD_OUT_EVERY // 2 :: HELD_OUT_EVERY]
    words = {word for country in held for word in _words(country)}
    trained = [c for c in ordered if c not in held and not words & _words(c)]
    return trained, held


def _words(country: Country) -> set[str]:
    text = f"{country.name} {country.adjective or ''}".lower()
    return set(re.findall(r"\w+", text)) - _COMMON_WORDS


def swap_gender(text: str) -> str:
    """The text with all its words for men and for women exchanged; unchanged if it has none."""
    parts = _WORD.findall(text)
    swapped = []
    for index, part in enumerate(parts):
        lower = part.lower()
        if lower in ("her", "hers"):
            rest = "".join(parts[index + 1 : index + 3])
            new = "him" if lower == "her" and _AFTER_HER_ALONE.match(rest) else "his"
        else:
            new = _TO_FEMALE.get(lower) or _TO_MALE.get(lower) or part
        swapped.append(new.capitalize() if part[:1].isupper() and new != part else new)
    return "".join(swapped)


class Counterfactuals:
    """Generates groups of texts that must have equal scores."""

    def __init__(
        self,
        trained: Sequence[Country],
        texts: Sequence[str],
        seed: int,
        normaliser: int = 0,
        *,
        around: bool = False,
    ) -> None:
        """Prepare the words and texts for groups.

        Args:
            trained: the countries to use.
            texts: real texts to use.
            seed: the seed of all groups.
            normaliser: the version of the normaliser for the texts of a group.
            around: whether some groups are a real text without and with a greeting, a handle, a
                typo or the like.
        """
        self._normaliser = normaliser
        self._around = around
        self._countries = [n for country in trained for n in (country.name, country.in_sentence)]
        self._adjectives = [c.adjective for c in trained if c.adjective is not None]
        self._texts = [t for t in texts if len(t.split()) <= TEXT_WORDS_MAX]
        self._with_nouns = [t for t in self._texts if _NOUN.search(t)]
        self._gendered = [t for t in self._texts if swap_gender(t) != t]
        self._seed = seed

    def groups(self, step: int, count: int, copies: int) -> list[list[str]]:
        """`count` groups of two to `copies` texts each; the same for the same step."""
        order = random.Random(f"{self._seed}/{step}")
        return [self._normalised(order, self._group(order, copies)) for _ in range(count)]

    def _normalised(self, order: random.Random, group: list[str]) -> list[str]:
        # Half of the groups keep their greetings, because the normaliser does not know all of
        # them, and those that it does not know must not change a score either.
        kept = self._around and order.random() < 0.5
        form = normalised_with_formulas if kept else normalise
        return [form(text, self._normaliser) for text in group]

    def _group(self, order: random.Random, copies: int) -> list[str]:
        # Pronouns have a high weight because they are frequent in texts, countries because there
        # are many and their scores differ most.
        kind = order.choices(
            (self._country, self._adjective, self._name, self._pronoun, self._swapped,
             self._group_of_people, self._trait, self._clause, self._with_something_around),
            (4, 4, 3, 5, 2, 3, 5, 7, AROUND_WEIGHT if self._around else 0),
        )[0]  # fmt: skip
        return kind(order, copies)

    def _country(self, order: random.Random, copies: int) -> list[str]:
        template = self._template(order, swaps.COUNTRY_TEMPLATES, swaps.COUNTRY_FRAMES)
        return _filled(order, copies, template, "{country}", self._countries)

    def _adjective(self, order: random.Random, copies: int) -> list[str]:
        if self._with_nouns and order.random() < 0.3:
            text = order.choice(self._with_nouns)
            template = _NOUN.sub(r"{adjective} \1", text, count=1)
        else:
            template = self._template(order, swaps.ADJECTIVE_TEMPLATES, swaps.ADJECTIVE_FRAMES)
        return _filled(order, copies, template, "{adjective}", self._adjectives)

    def _name(self, order: random.Random, copies: int) -> list[str]:
        template = self._template(order, swaps.NAME_TEMPLATES, swaps.NAME_FRAMES)
        return _filled(order, copies, template, "{name}", swaps.NAMES)

    def _group_of_people(self, order: random.Random, copies: int) -> list[str]:
        template = self._template(order, swaps.GROUP_TEMPLATES, swaps.GROUP_FRAMES)
        return _filled(order, copies, template, "{group}", swaps.GROUPS)

    def _trait(self, order: random.Random, copies: int) -> list[str]:
        template = order.choice(swaps.TRAIT_TEMPLATES)
        return _filled(order, copies, template, "{trait}", swaps.TRAITS)

    def _clause(self, order: random.Random, copies: int) -> list[str]:
        template = order.choice(swaps.CLAUSE_TEMPLATES)
        return _filled(order, copies, template, "{clause}", swaps.CLAUSES)

    def _pronoun(self, order: random.Random, copies: int) -> list[str]:
        template = order.choice(swaps.PERSON_TEMPLATES)
        text = template.replace("{occupation}", order.choice(swaps.OCCUPATIONS))
        return [
            text.replace("{they}", they).replace("{their}", their)
            for they, their in swaps.PRONOUNS[:copies]
        ]

    def _swapped(self, order: random.Random, copies: int) -> list[str]:
        if not self._gendered:
            return self._pronoun(order, copies)
        text = order.choice(self._gendered)
        return [text, swap_gender(text)]

    def _with_something_around(self, order: random.Random, copies: int) -> list[str]:
        text = order.choice(self._texts)
        return [text, *(altered(order, text) for _ in range(copies - 1))]

    def _template(
        self, order: random.Random, templates: Sequence[str], frames: Sequence[str]
    ) -> str:
        if not self._texts or order.random() < 0.6:
            return order.choice(templates)
        return order.choice(frames).replace("{text}", order.choice(self._texts))


def _filled(
    order: random.Random, copies: int, template: str, place: str, values: Sequence[str]
) -> list[str]:
    change: Callable[[str], str] = str
    # Some people write without capitals.
    if order.random() < 0.2:
        change = str.lower
    chosen = order.sample(values, min(copies, len(values)))
    return [change(template.replace(place, value)) for value in chosen]
