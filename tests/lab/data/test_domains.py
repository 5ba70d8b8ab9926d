"""Domains of three labels: rows for training, for selection, and reserved; no row is in two."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from service.errors import InputError
from service.lab.data.domains import NEGATIVE, NEUTRAL, POSITIVE, RESERVED, key, read_domains
from service.lab.data.glue import Example
from service.lab.teaching.mixture import read_mixture
from service.lab.teaching.mixture_three import balanced
from service.lab.teaching.recipe import Recipe
from tools.domain_files import sources, write_domains

if TYPE_CHECKING:
    from pathlib import Path


def test_every_row_is_in_exactly_one_part(tmp_path: Path) -> None:
    """Reserved tweets are in no other part."""
    domains = read_domains(write_domains(tmp_path, tweets=3 * RESERVED))
    for name, (train, held_out, reserved) in domains.items():
        parts = [{key(row.text) for row in part} for part in (train, held_out, reserved)]
        assert sum(map(len, parts)) == len(set.union(*parts)), name
        assert train, name
        assert held_out, name
    assert len(domains["semeval"].reserved) == RESERVED
    assert not any(domain.reserved for name, domain in domains.items() if name != "semeval")


def test_a_part_does_not_depend_on_the_order_of_the_file(tmp_path: Path) -> None:
    """Nor on duplicates; a text with two labels is in no part."""
    folder = write_domains(tmp_path)
    before = read_domains(folder)["kaggle"]
    file = folder / "tweets_kaggle.tsv"
    header, *rows = file.read_text().splitlines()
    odd = [
        "Torn both ways\tpositive",
        "torn, both ways!\tnegative",
        rows[0].replace("status", "STATUS,"),
    ]
    file.write_text("\n".join([header, *reversed(rows), *odd]) + "\n")
    after = read_domains(folder)["kaggle"]
    assert [key(e.text) for e in after.held_out] == [key(e.text) for e in before.held_out]
    assert len(after.train) == len(before.train)


@pytest.mark.parametrize(
    ("emotions", "label"),
    [
        ("joy", POSITIVE), ("anger,sadness", NEGATIVE), ("desire", NEUTRAL), ("caring", NEUTRAL),
        ("neutral,love", POSITIVE), ("anger,joy", None), ("approval", None), ("joy,surprise", None),
    ],
)  # fmt: skip
def test_wishes_and_care_are_no_opinions(tmp_path: Path, emotions: str, label: int | None) -> None:
    """A comment has the only pole of its emotions; some emotions have no label."""
    folder = write_domains(tmp_path)
    rows = "".join(f"remark {i}\t{emotions}\n" for i in range(12))
    (folder / "goemotions28.tsv").write_text("text\tlabel\n" + rows)
    domain = read_domains(folder)["goemotions"]
    found = {row.label for row in domain.train + domain.held_out}
    assert found == (set() if label is None else {label})


@pytest.mark.parametrize(
    ("content", "message"),
    [("text,label\n", "first line"), ("text\tlabel\nalone\n", ":2: has no tab")],
)
def test_another_form_is_refused(tmp_path: Path, content: str, message: str) -> None:
    """With the file, the line and the form."""
    folder = write_domains(tmp_path)
    (folder / "sst5.tsv").write_text(content)
    with pytest.raises(InputError, match=message):
        read_domains(folder)


def test_an_unknown_domain_cannot_be_left_out(tmp_path: Path) -> None:
    """The error names all domains."""
    with pytest.raises(InputError, match="films: no such domain; there are semeval, kaggle"):
        read_domains(write_domains(tmp_path), ("films",))


RECIPE = Recipe(held_out=4, lessons=30, balance=1.0, normaliser=2)


def test_a_left_out_domain_is_not_trained_on(tmp_path: Path) -> None:
    """The other domains are the same with it and without it."""
    all_of = read_mixture(sources(tmp_path), RECIPE)
    without = read_mixture(replace(sources(tmp_path), leave_out=("kaggle",)), RECIPE)
    assert all_of.labels == ("NEGATIVE", "NEUTRAL", "POSITIVE")
    assert any(e.text.startswith("status") for e in all_of.train)
    assert not any(e.text.startswith("status") for e in without.train)
    assert all_of.held_out == without.held_out
    assert set(all_of.held_out) == {
        tmp_path.name, "semeval", "kaggle", "sst5", "customer_reviews", "goemotions", "tweets",
    }  # fmt: skip


def test_no_held_out_text_is_in_a_training_text(tmp_path: Path) -> None:
    """Nor in an altered one, which has most of the words."""
    mixture = read_mixture(sources(tmp_path), replace(RECIPE, altered_share=1.0))
    held = {key(e.text) for name, rows in mixture.held_out.items() for e in rows if name != "sst5"}
    for example in mixture.train:
        assert not any(text in key(example.text) for text in held if not text[-1].isdigit())
    assert not held & {key(e.text) for e in mixture.train}


def test_reviews_are_of_poles_only(tmp_path: Path) -> None:
    """Their annotators had no neutral label; teachers get the texts without alterations."""
    mixture = read_mixture(sources(tmp_path), replace(RECIPE, altered_share=0.5))
    reviews = [e for e in mixture.train if e.poles_only]
    assert {e.label for e in reviews} == {NEGATIVE, POSITIVE}
    assert len(mixture.teacher_texts) == len(reviews)
    sentences = set(mixture.teacher_texts)
    assert 0 < sum(e.text in sentences for e in reviews) < len(reviews)
    assert all(e.poles_only for e in mixture.held_out[tmp_path.name])


def test_rare_labels_weigh_more() -> None:
    """With the power 1 all labels have the same weight, with 0 all texts; the mean stays 1."""
    rows = [Example("a", NEGATIVE)] + [Example("b", POSITIVE)] * 3
    for power, shares in ((0.0, (1, 3)), (1.0, (2, 2))):
        weighed = balanced(rows, power)
        by_label = [sum(r.weight for r in weighed if r.label == n) for n in (NEGATIVE, POSITIVE)]
        assert by_label == pytest.approx(shares)
