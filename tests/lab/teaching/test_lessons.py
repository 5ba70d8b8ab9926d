"""Lessons: what they contain, and above all what they must not contain."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from service.lab.bias import templates as bias_templates
from service.lab.teaching import around as lessons_around
from service.lab.teaching.around import ADDED_MAX
from service.lab.teaching.lessons import GROUPS, WORDS, Group, altered, lessons, sample

COUNT = 8000
TEXTS = [e.text for e in lessons(7, COUNT)]

# Examples of measured texts; lessons have the same kinds in other words.
MEASURED = (
    "two left shoes",
    "charged twice",
    "bedbug",
    "room 204",
    "amazingly creepy",
    "creepy service",
    "headphone jack",
    "thanks for nothing",
    "great, another delay",
    "nothing to complain about",
    "it could have been worse",
    "this song is sick",
    "example.com",
    "samsung",
    "the new update is here",
    "i thought it would be good, but it was not",
    "in denver",
)
MEASURED_NAMES = {
    name for names in bias_templates.NAMES.values() for name in (*names, "Alex", "Denver")
}
UNSEEN = ("warm wishes", "respectfully", "howdy", "folks", "cordially", "ciao", "salutations")


def test_the_same_seed_gives_the_same_lessons() -> None:
    """And another seed gives others."""
    assert lessons(3, 50) == lessons(3, 50)
    assert lessons(3, 50) != lessons(4, 50)
    assert lessons(3, 0) == []


def test_labels_are_equally_frequent() -> None:
    """So the model learns no label as the default."""
    counts = Counter(e.label for e in lessons(7, 999))
    assert counts == {0: 333, 1: 333, 2: 333}


def test_few_lessons_are_the_same() -> None:
    """The model would memorise a template without variety."""
    assert len(set(TEXTS)) >= 0.9 * COUNT
    assert max(len(text.split()) for text in TEXTS) <= 200


def test_no_text_is_taught_with_two_labels() -> None:
    """The labels of such a text would cancel out."""
    labels: dict[str, set[int]] = {}
    for example in lessons(11, COUNT):
        labels.setdefault(example.text.lower().strip(". "), set()).add(example.label)
    assert [text for text, found in labels.items() if len(found) > 1] == []


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_every_slot_of_a_group_is_filled(group: Group) -> None:
    """By a known word, with no brace or bar left over."""
    order = random.Random(5)
    for _ in range(200):
        text = sample(order, group)
        assert text.strip()
        assert not re.search(r"[{}|]|  | [.,!?](?:\s|$)", text), text


def test_every_list_of_words_is_used() -> None:
    """A list without a template that uses it would be dead."""
    written = [t for g in GROUPS for t in g.templates] + [w for ws in WORDS.values() for w in ws]
    named = {name for text in written for name in re.findall(r"\{(\w+)\}", text)}
    assert set(WORDS) - named == set()


def test_no_measured_text_is_taught() -> None:
    """No phrase of the examples, and no name of `bias`."""
    seen = "\n".join(TEXTS).lower()
    assert [phrase for phrase in MEASURED if phrase in seen] == []
    found = set(re.findall(r"\w+", "\n".join(t for words in WORDS.values() for t in words)))
    assert found & MEASURED_NAMES == set()


def test_no_bare_rating_of_the_examples_is_taught() -> None:
    """`2/10` occurs only within sentences."""
    assert not {"2/10", "rated 2 out of 10", "2/10."} & {text.lower() for text in TEXTS}


def test_some_greetings_and_sign_offs_are_left_unseen() -> None:
    """There are many kinds, and some are only for measurements."""
    assert len(lessons_around.GREETINGS) >= 30
    assert len(lessons_around.FAREWELLS) >= 40
    known = "|".join((*lessons_around.GREETINGS, *lessons_around.FAREWELLS)).lower()
    assert [unseen for unseen in UNSEEN if unseen in known] == []


def test_altered_text_is_never_empty_nor_much_longer() -> None:
    """Also for a text of a single punctuation mark."""
    order = random.Random(9)
    for text in ["?", "no", "...", *TEXTS[:1500]]:
        found = altered(order, text)
        assert found.strip()
        # Shorter only by punctuation (`...` or a comma), or by one letter of a typo.
        assert len(text) - 6 <= len(found) <= len(text) + 2 * ADDED_MAX, found


def test_altered_is_the_same_for_the_same_order() -> None:
    """All randomness comes from `order`."""
    texts = TEXTS[:100]
    one, two = random.Random(1), random.Random(1)
    assert [altered(one, t) for t in texts] == [altered(two, t) for t in texts]


@pytest.mark.parametrize("edit", lessons_around.EDITS, ids=lambda edit: edit.__name__)
def test_every_edit_changes_most_texts(edit: lessons_around.Edit) -> None:
    """An edit without an effect would teach nothing."""
    order = random.Random(2)
    changed = [(text, edit(order, text)) for text in TEXTS[:200]]
    assert sum(text != other for text, other in changed) >= 100
