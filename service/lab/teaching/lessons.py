"""Lessons: labelled sentences from templates, for what public data sets lack.

Exists so that a model learns that a complaint with "thanks" in it is a complaint, that a schedule
is no opinion, and that a negated bad word is no complaint. The templates are in `templates` and
`people`; here they get labels and weights. No sentence, name or place of a measurement may be
used: see `test_lessons.py`.
"""

from __future__ import annotations

import random
import re
from typing import NamedTuple

from service.lab.data.domains import NEGATIVE, NEUTRAL, POSITIVE
from service.lab.data.glue import Example
from service.lab.teaching import people
from service.lab.teaching.around import altered
from service.lab.teaching.templates import (
    answers,
    complaints,
    denials,
    endings,
    irony,
    neutral,
    phrases,
    praise,
    reports,
    turns,
)
from service.lab.teaching.templates.words import COMMON
from service.lab.teaching.templates.words import filled as fill_slots

__all__ = ["GROUPS", "Group", "altered", "lessons"]


class Group(NamedTuple):
    """Templates of one kind and label; `weight` is relative to other groups of the same label."""

    name: str
    label: int
    weight: int
    templates: tuple[str, ...]


GROUPS = (
    Group("complaints of fact", NEGATIVE, 26, complaints.FACTS),
    Group("wishes of complaint", NEGATIVE, 14, complaints.WISHES),
    Group("mockery", NEGATIVE, 18, complaints.MOCKERY),
    Group("blame", NEGATIVE, 6, complaints.OPINIONS),
    Group("not good", NEGATIVE, 16, turns.NOT_GOOD),
    Group("worse now", NEGATIVE, 5, turns.NOW_BAD),
    Group("answers against", NEGATIVE, 6, phrases.ANSWER_NO),
    Group("low ratings", NEGATIVE, 5, phrases.RATED_LOW),
    Group("unhappy faces", NEGATIVE, 4, phrases.FACE_BAD),
    Group("slang of blame", NEGATIVE, 5, phrases.SLANG_BAD),
    Group("but bad", NEGATIVE, 7, phrases.BUT_BAD),
    Group("long with a bad end", NEGATIVE, 6, phrases.LONG_BAD),
    Group("facts", NEUTRAL, 28, neutral.FACTS),
    Group("questions", NEUTRAL, 18, neutral.QUESTIONS),
    Group("news", NEUTRAL, 12, neutral.NEWS),
    Group("short and plain", NEUTRAL, 7, neutral.SHORT),
    Group("plain denials", NEUTRAL, 12, neutral.DENIALS),
    Group("wants and stances", NEUTRAL, 24, neutral.WANTS),
    Group("not awful", NEUTRAL, 10, turns.NOT_AWFUL),
    Group("otherwise now", NEUTRAL, 3, turns.NOW_PLAIN),
    Group("plain answers", NEUTRAL, 5, phrases.ANSWER_PLAIN),
    Group("middle ratings", NEUTRAL, 4, phrases.RATED_MIDDLE),
    Group("plain faces", NEUTRAL, 4, phrases.FACE_PLAIN),
    Group("plain use of slang words", NEUTRAL, 3, phrases.SLANG_PLAIN),
    Group("long and plain", NEUTRAL, 6, phrases.LONG_PLAIN),
    Group("thanks", POSITIVE, 24, praise.THANKS),
    Group("praise", POSITIVE, 22, praise.PRAISE),
    Group("relief", POSITIVE, 6, praise.RELIEF),
    Group("bad denied", POSITIVE, 14, praise.DENIED),
    Group("not bad", POSITIVE, 13, turns.NOT_BAD),
    Group("better now", POSITIVE, 5, turns.NOW_GOOD),
    Group("answers for", POSITIVE, 6, phrases.ANSWER_YES),
    Group("high ratings", POSITIVE, 5, phrases.RATED_HIGH),
    Group("happy faces", POSITIVE, 4, phrases.FACE_GOOD),
    Group("slang of praise", POSITIVE, 6, phrases.SLANG_GOOD),
    Group("but good", POSITIVE, 7, phrases.BUT_GOOD),
    Group("long with a good end", POSITIVE, 6, phrases.LONG_GOOD),
    Group("good denied", NEGATIVE, 42, denials.UNPRAISED),
    Group("hopes turned", NEGATIVE, 21, endings.TURNED_BAD),
    Group("short answers against", NEGATIVE, 21, answers.ANSWERED_AGAINST),
    Group("irony", NEGATIVE, 42, irony.IRONY),
    Group("reports of trouble", NEGATIVE, 24, reports.TROUBLE),
    Group("thanks, then trouble", NEGATIVE, 21, reports.THANKED_BUT),
    Group("bright intensifiers", NEGATIVE, 18, irony.VERY_BAD),
    Group("diss", NEGATIVE, 18, irony.DISS),
    Group("long mails with a bad end", NEGATIVE, 21, endings.MAIL_BAD),
    Group("bad denied, no more", NEUTRAL, 12, denials.DENIED_ONLY),
    Group("reports without trouble", NEUTRAL, 18, reports.CALM),
    Group("what people did", NEUTRAL, 22, people.FACTS),
    Group("bad denied in praise", POSITIVE, 24, denials.PRAISED),
    Group("fears turned", POSITIVE, 18, endings.TURNED_GOOD),
    Group("short answers for", POSITIVE, 18, answers.ANSWERED_FOR),
    Group("trouble, then thanks", POSITIVE, 16, reports.SOLVED),
    Group("dark intensifiers", POSITIVE, 15, irony.VERY_GOOD),
    Group("hype", POSITIVE, 15, irony.HYPE),
    Group("long mails with a good end", POSITIVE, 16, endings.MAIL_GOOD),
)
WORDS = {
    name: options
    for of_module in (
        COMMON,
        complaints.WORDS,
        neutral.WORDS,
        praise.WORDS,
        turns.WORDS,
        phrases.WORDS,
        denials.WORDS,
        endings.WORDS,
        answers.WORDS,
        irony.WORDS,
        reports.WORDS,
        people.WORDS,
    )
    for name, options in of_module.items()
}

_SENTENCE_START = re.compile(r"(?:^|(?<=[.!?] ))(?!https?:|www|link\b)[a-z]")
# Before a vowel sound, in most cases: "an app", but "a one", "a user", "a used lamp".
_ARTICLE = re.compile(r"\b([Aa]) (?=(?!one|us|uni|eu)[aeiou8])")
_SHORTER = (
    (re.compile(r"\b(do|does|did|is|was|were|are|would|could|has|have|should) not\b"), r"\1n't"),
    (re.compile(r"\b([Ii]t|[Tt]hat) is (?=[a-z])"), r"\1's "),
    (re.compile(r"\bI am (?=[a-z])"), "I'm "),
    (re.compile(r"\bI have (?=been|been|called|had|never|written)"), "I've "),
    (re.compile(r"\bcannot\b"), "can't"),
)


def lessons(seed: int, count: int) -> list[Example]:
    """`count` labelled sentences, a third for each of NEGATIVE, NEUTRAL and POSITIVE.

    They are the same for the same seed. The texts are not normalised.
    """
    order = random.Random(seed)
    of_label = [[g for g in GROUPS if g.label == label] for label in (NEGATIVE, NEUTRAL, POSITIVE)]
    found = []
    for place in range(count):
        groups = of_label[place % len(of_label)]
        group = order.choices(groups, weights=[g.weight for g in groups])[0]
        found.append(Example(sample(order, group), group.label))
    order.shuffle(found)
    return found


def sample(order: random.Random, group: Group) -> str:
    """One sentence of a group, in a random style of writing."""
    return _in_style(order, filled(order, order.choice(group.templates)))


def filled(order: random.Random, template: str) -> str:
    """The template with a word in each slot, and with correct spaces, articles and capitals."""
    text = " ".join(fill_slots(order, template, WORDS).split())
    text = re.sub(r" +(?=[.,!?](?:\s|$))", "", text)
    text = re.sub(r"([!?])\.(?!\.)", r"\1", text)
    text = _ARTICLE.sub(r"\1n ", text)
    return _SENTENCE_START.sub(lambda m: m[0].upper(), text)


def _in_style(order: random.Random, text: str) -> str:
    """The text with or without contractions, capitals and a full stop."""
    if order.random() < 0.5:
        for pattern, shorter in _SHORTER:
            text = pattern.sub(shorter, text)
        if order.random() < 0.15:
            text = text.replace("n't", "nt")
    if order.random() < 0.3 and len(text) > 1:
        text = text.removesuffix(".")
    if text[-1].isalnum() and order.random() < 0.3:
        text += "."
    dice = order.random()
    if dice < 0.28:
        return text.lower()
    return text.upper() if dice > 0.97 else text
