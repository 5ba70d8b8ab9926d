"""The pure part of an explanation: words left out, countries replaced."""

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
def test_words_are_separated_by_white_space(text: str) -> None:
    """They are in order, none is empty, and they cover all other characters."""
    spans = variants_of(text).words
    assert "".join(text.split()) == "".join(text[a:b] for a, b in spans)
    assert all(a < b for a, b in spans)
    assert sorted(spans) == spans


@given(st.text(), st.data())
def test_as_many_readings_as_variants(text: str, data: st.DataObject) -> None:
    """One for each word and country; weights are differences to the text's own score."""
    variants = variants_of(text)
    texts = variants.texts()
    shares = data.draw(
        st.lists(st.floats(0, 1, width=32), min_size=len(texts), max_size=len(texts))
    )
    readings = [Reading("A", max(p, 1 - p), {"A": p, "B": 1 - p}, True) for p in shares]
    found = explanation(variants, readings)

    own = max(readings[0].scores.values())
    likeliest = "A" if shares[0] >= 0.5 else "B"
    left = [reading.scores[likeliest] for reading in readings[1:]]
    assert [own - share for share in left[: len(found.words)]] == [w.weight for w in found.words]
    assert left[len(found.words) :] == [country.score for country in found.countries]


def test_an_unsure_label_is_explained_by_the_likeliest() -> None:
    """The unsure label has no probability of its own."""
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
    """With its article, whatever its name looks like; only the first country is replaced."""
    assert ("Norway", first) == swapped(text)[0]


@pytest.mark.parametrize(
    "text",
    ["", "no country", "turkey for dinner", "tell us", "my china cup", "Franceville",
     "nonFrance", "pre-France", "Jordanian", "France-like"],
)  # fmt: skip
def test_words_that_only_look_like_a_country(text: str) -> None:
    """They are left alone."""
    assert [] == swapped(text)


def test_countries_in_the_text_are_not_used_as_replacements() -> None:
    """There are twenty of them; those that the text names are left out."""
    assert len(set(OTHERS)) == len(OTHERS) == 20
    names = [name for name, _ in swapped("From Kenya to japan")]
    assert [name for name in OTHERS if name not in ("Kenya", "Japan")] == names


@given(st.text(st.sampled_from("the USA.Cônguia-'s ")))
def test_a_variant_holds_its_country(text: str) -> None:
    """For any text."""
    for name, other in swapped(text):
        assert name.lower() in other.lower()
