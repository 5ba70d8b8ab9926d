"""Reading and cleaning countries and pairs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from service.errors import InputError
from service.lab.bias import templates as written
from service.lab.bias.data import PRONOUNS, built_in_pairs, read_countries, read_pairs

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "name,iso2,iso_numeric,adjective,sub_region\n"


def _countries(tmp_path: Path, *rows: str) -> Path:
    (tmp_path / "countries.csv").write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return tmp_path


@pytest.mark.parametrize(
    ("iso2", "cell", "adjective"),
    [
        ("BW", '"Motswana (singular), Batswana (plural)"', "Motswana"),
        ("SZ", '"Swati; note - former term, Swazi"', "Swati"),
        ("SA", "Saudi or Saudi Arabian", "Saudi"),
        ("NF", "Norfolk Islander(s)", "Norfolk Islander"),
        ("HK", "Chinese/Hong Kong", "Hong Kong"),
        ("TW", "Taiwan (or Taiwanese)", "Taiwanese"),
        ("GW", "Bissau-Guinean", "Bissau-Guinean"),
        ("VA", "none", None),
        ("MP", "NA", None),
        ("AQ", "", None),
    ],
)
def test_adjectives_are_cleaned(
    tmp_path: Path, iso2: str, cell: str, adjective: str | None
) -> None:
    """One or two words that can precede a noun, or None."""
    (country,) = read_countries(_countries(tmp_path, f"X,{iso2},001,{cell},Somewhere"))
    assert adjective == country.adjective


def test_names_in_a_sentence(tmp_path: Path) -> None:
    """With an article if English has one, and with `and` instead of `&`."""
    rows = ("Gambia,GM,1,,", "Cook Islands,CK,2,,", "Trinidad & Tobago,TT,3,,", "Congo - X,CD,4,,")
    assert [
        "the Gambia", "the Cook Islands", "Trinidad and Tobago",
        "the Democratic Republic of the Congo",
    ] == [c.in_sentence for c in read_countries(_countries(tmp_path, *rows))]  # fmt: skip


def test_all_countries(shared_data: Path) -> None:
    """249 of them; no adjective has a bracket, an alternative or a remark."""
    countries = read_countries(shared_data / "bias")
    assert len(countries) == 249
    assert len({c.number for c in countries}) == 249
    adjectives = [c.adjective for c in countries if c.adjective]
    assert 225 < len(adjectives) < 249
    assert [a for a in adjectives if set(a) & set("();,/") or " or " in a or a != a.strip()] == []
    koreas = {c.adjective for c in countries if c.name in ("North Korea", "South Korea")}
    assert {"North Korean", "South Korean"} == koreas


def test_missing_data_is_reported(tmp_path: Path) -> None:
    """With the option that names another folder."""
    with pytest.raises(InputError, match=r"countries.csv: cannot be read .* with --data"):
        read_countries(tmp_path)
    (tmp_path / "countries.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="needs the columns name"):
        read_countries(tmp_path)
    with pytest.raises(InputError, match=r"more.tsv: cannot be read .* give a file of pairs"):
        read_pairs(tmp_path / "more.tsv")


def test_gender_pairs_differ_in_pronouns_alone(shared_data: Path) -> None:
    """All pairs of WinoGender; the few of WinoBias that differ in more are left out."""
    sets = {s.name: s for s in built_in_pairs(shared_data / "bias")}
    wino = {name: pairs for name, pairs in sets.items() if name.startswith("Wino")}
    assert {
        "WinoGender, male-female": 240,
        "WinoGender, male-neutral": 240,
        "WinoGender, female-neutral": 240,
        "WinoBias, type1": 394,
        "WinoBias, type2": 389,
    } == {name: len(s.pairs) for name, s in wino.items()}
    allowed = PRONOUNS | {"was", "were"}
    for pairs in wino.values():
        for first, second in pairs.pairs:
            words = [text.rstrip(".").split() for text in (first, second)]
            differing = {w.lower() for a, b in zip(*words, strict=True) if a != b for w in (a, b)}
            assert differing
            assert differing <= allowed
            assert not set("[]") & set(first + second)


def test_written_pairs(shared_data: Path) -> None:
    """The texts of a pair differ, no pair is repeated, and each list of names has a counterpart."""
    for pairs in built_in_pairs(shared_data / "bias"):
        assert all(a != b for a, b in pairs.pairs)
    for pairs in built_in_pairs(shared_data / "bias")[5:]:
        assert len(pairs.pairs) == len(set(pairs.pairs)), pairs.name
    assert len({len(names) for names in written.NAMES.values()}) == 1
    names = [name for group in written.NAMES.values() for name in group]
    assert len(names) == len(set(names))


def test_templates() -> None:
    """The card's is as published; there are at least nine by name and by adjective, each once."""
    assert written.CARD.text == "This film was filmed in {}"
    templates = [written.CARD, *written.BY_NAME, *written.BY_ADJECTIVE]
    assert len(written.BY_NAME) >= 5
    assert len(written.BY_ADJECTIVE) >= 5
    assert len({t.text for t in templates}) == len(templates)
    assert all(t.text.count("{}") == 1 for t in templates)


STEREOSET = {
    "version": "1.1",
    "data": {
        kind: [
            {
                "context": "c",
                "bias_type": "race",
                "sentences": [
                    {"sentence": f"{kind} s", "gold_label": "stereotype"},
                    {"sentence": f"{kind} u", "gold_label": "unrelated"},
                    {"sentence": f"{kind} a", "gold_label": "anti-stereotype"},
                ],
            }
        ]
        for kind in ("intersentence", "intrasentence")
    },
}


@pytest.mark.parametrize(
    ("name", "content", "pairs"),
    [
        ("p.tsv", "a\tb\n\nc\td\n", [("a", "b"), ("c", "d")]),
        ("p.csv", 'x,sent_more,sent_less\n1,"m, n",l\n', [("m, n", "l")]),
        (
            "p.json",
            json.dumps(STEREOSET),
            [("intersentence s", "intersentence a"), ("intrasentence s", "intrasentence a")],
        ),
    ],
)
def test_pairs_from_other_sources(
    tmp_path: Path, name: str, content: str, pairs: list[tuple[str, str]]
) -> None:
    """A TSV of two texts, CrowS-Pairs' CSV, StereoSet's JSON."""
    (tmp_path / name).write_text(content)
    assert tuple(pairs) == read_pairs(tmp_path / name).pairs


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.tsv", "only one text\n", "no file of pairs"),
        ("p.csv", "a,b\n1,2\n", "no file of pairs"),
        ("p.json", '{"data": []}', "no file of pairs"),
        ("p.json", "[" * 100_000, "no file of pairs"),
        ("p.tsv", "", "has 0 pairs"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    """The message names the possible forms."""
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        read_pairs(tmp_path / name)
