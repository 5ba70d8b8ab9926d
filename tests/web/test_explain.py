"""The pure part of an explanation: words left out, countries put in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.records import Reading
from service.web.countries import OTHERS, swapped
from service.web.explain import explanation, variants_of


def test_each_word_is_left_out_once() -> None:
    """The text itself first, then without each word, then with other countries."""
    assert ["Not bad", " bad", "Not "] == variants_of("Not bad").texts()
    assert 1 + 3 + len(OTHERS) == len(variants_of("Not bad, Peru").texts())


@given(st.text())
def test_words_are_all_that_is_no_space(text: str) -> None:
    """In order, none empty, by places in the text."""
    spans = variants_of(text).words
    assert "".join(text.split()) == "".join(text[a:b] for a, b in spans)
    assert all(a < b for a, b in spans)
    assert sorted(spans) == spans


@given(st.text(), st.data())
def test_as_many_readings_as_variants(text: str, data: st.DataObject) -> None:
    """Each word and country has its own; weights are differences to the text's own share."""
    variants = variants_of(text)
    asked = variants.texts()
    shares = data.draw(
        st.lists(st.floats(0, 1, width=32), min_size=len(asked), max_size=len(asked))
    )
    readings = [Reading("A", max(p, 1 - p), {"A": p, "B": 1 - p}, True) for p in shares]
    found = explanation(variants, readings)

    own = max(readings[0].scores.values())
    likeliest = "A" if shares[0] >= 0.5 else "B"
    left = [reading.scores[likeliest] for reading in readings[1:]]
    assert [own - share for share in left[: len(found.words)]] == [w.weight for w in found.words]
    assert left[len(found.words) :] == [country.score for country in found.countries]


def test_an_unsure_label_is_explained_by_the_likeliest() -> None:
    """The model has no share for what is only called so."""
    readings = [Reading("NEUTRAL", p, {"A": p, "B": 1 - p}, False) for p in (0.6, 0.25)]
    found = explanation(variants_of("word"), readings)
    assert ("NEUTRAL", 0.6, 0.35) == (found.label, found.score, round(found.words[0].weight, 6))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("This film was filmed in France.", "This film was filmed in Norway."),
        ("we went to france", "we went to norway"),
        ("FRANCE!", "Norway!"),
        ("France's best, France, Peru", "Norway's best, Norway, Peru"),
        ("in the Netherlands", "in Norway"),
        ("The USA is far", "Norway is far"),
        ("the U.S. is far", "Norway is far"),
        ("the united states", "norway"),
        ("South Sudan, not Sudan", "Norway, not Sudan"),
        ("Guinea-Bissau", "Norway"),
        ("Côte d'Ivoire", "Norway"),
        ("I love Turkey", "I love Norway"),
    ],
)
def test_a_country_gives_way_to_others(text: str, first: str) -> None:
    """Whatever its name is made of, its article included; only the first that is named."""
    assert ("Norway", first) == swapped(text)[0]


@pytest.mark.parametrize(
    "text",
    ["", "no country", "turkey for dinner", "tell us", "my china cup", "Franceville",
     "nonFrance", "pre-France", "Jordanian", "France-like"],
)  # fmt: skip
def test_what_is_no_country(text: str) -> None:
    """Words that only look like one are left alone."""
    assert [] == swapped(text)


def test_a_country_that_is_named_is_not_put_in() -> None:
    """The others are twenty, across the world, and none of them is there already."""
    assert len(set(OTHERS)) == len(OTHERS) == 20
    names = [name for name, _ in swapped("From Kenya to japan")]
    assert [name for name in OTHERS if name not in ("Kenya", "Japan")] == names


@given(st.text(st.sampled_from("the USA.Cônguia-'s ")))
def test_any_text_can_be_asked(text: str) -> None:
    """All but the country stays as it is."""
    for name, other in swapped(text):
        assert name.lower() in other.lower()
