"""Texts that must have equal scores: the exchanged words, and none from the report on bias."""

from __future__ import annotations

import itertools

import pytest

from service.lab.bias import templates as bias_templates
from service.lab.bias.data import Country
from service.lab.teaching import swaps
from service.lab.teaching.counterfactual import Counterfactuals, split_countries, swap_gender

COUNTRIES = [
    Country(name, name, adjective, "000", "Everywhere")
    for name, adjective in (
        ("Aland", "Alandic"), ("Borduria", "Bordurian"), ("Syldavia", "Syldavian"),
        ("Syldavia-Sud", None), ("Zubrowka", "Zubrowkan"), ("Freedonia", "Syldavian"),
    )
]  # fmt: skip
TEXTS = ["a fine film about his father", "she hates this restaurant", "what a day"]


def words(text: str) -> set[str]:
    """The words in lower case, to compare a sentence with a template."""
    return set("".join(c if c.isalnum() else " " for c in text.lower()).split())


def test_no_name_and_no_template_of_the_report_is_trained_on() -> None:
    """Nor a template that differs from one of the report only in its slot and punctuation."""
    names = {name for names in bias_templates.NAMES.values() for name in names}
    assert set() == names & set(swaps.NAMES)
    asked = [
        t.text for t in (bias_templates.CARD, *bias_templates.BY_NAME, *bias_templates.BY_ADJECTIVE)
    ]
    asked += [
        *bias_templates.NAME_TEMPLATES, *bias_templates.AGE_TEMPLATES,
        *bias_templates.RELIGION_TEMPLATES, *bias_templates.DISABILITY_TEMPLATES,
    ]  # fmt: skip
    taught = [
        *swaps.COUNTRY_TEMPLATES, *swaps.ADJECTIVE_TEMPLATES, *swaps.NAME_TEMPLATES,
        *swaps.PERSON_TEMPLATES, *swaps.GROUP_TEMPLATES, *swaps.TRAIT_TEMPLATES,
        *swaps.CLAUSE_TEMPLATES, *swaps.COUNTRY_FRAMES, *swaps.ADJECTIVE_FRAMES,
        *swaps.NAME_FRAMES, *swaps.GROUP_FRAMES,
    ]  # fmt: skip
    slots = {"country", "adjective", "name", "group", "trait", "clause"}
    for mine, theirs in itertools.product(taught, asked):
        assert words(mine) - slots != words(theirs.replace("{}", "")), mine
    assert not any("filmed" in words(template) for template in taught)


def test_held_out_countries_share_no_word_with_those_trained_on() -> None:
    """Countries with the same adjective are never in both parts; some are in neither."""
    trained, held = split_countries(COUNTRIES)
    assert ["Freedonia"] == [country.name for country in held]
    assert ["Aland", "Borduria", "Syldavia-Sud", "Zubrowka"] == [c.name for c in trained]


def test_groups_differ_within_and_are_the_same_for_a_step() -> None:
    """A group has at least two different texts; no held-out country is among them."""
    trained, held = split_countries(COUNTRIES)
    alike = Counterfactuals(trained, TEXTS, seed=1)
    again = Counterfactuals(trained, TEXTS, seed=1)
    seen = ""
    for step in range(60):
        groups = alike.groups(step, count=5, copies=3)
        assert groups == again.groups(step, count=5, copies=3)
        for group in groups:
            assert 2 <= len(group) <= 3
            assert len(set(group)) >= 2
            assert not any(place in text for text in group for place in "{}")
        seen += " ".join(itertools.chain(*groups))
    assert all(country.name in seen for country in trained)
    assert not any(country.name in seen for country in held)


def test_groups_without_real_texts() -> None:
    """Templates are enough."""
    trained, _ = split_countries(COUNTRIES)
    groups = Counterfactuals(trained, [], seed=1).groups(step=0, count=40, copies=4)
    assert all(len(set(group)) >= 2 for group in groups)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He gave her his keys.", "She gave him her keys."),
        ("I told her twice", "I told his twice"),
        ("I like her.", "I like him."),
        ("Mr. Brown and her actor", "Mrs. Brown and his actress"),
        ("nothing to see", "nothing to see"),
        ("the heroine's men", "the hero's women"),
    ],
)
def test_gender_is_exchanged(text: str, expected: str) -> None:
    """Words of both genders change places; "her" is "him" where nothing it could own follows.

    What cannot be known without a parser comes out as "his": the copy is trained on, not read.
    """
    assert expected == swap_gender(text)
