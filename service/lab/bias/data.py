"""Reads the data for `bias`: countries, and pairs of texts that should have equal scores.

Exists so that cells are cleaned, and published forms of pairs are read, in one place. Nothing is
scored here.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.errors import InputError, first_line
from service.lab.bias import templates as written
from service.lab.data.files import read_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

COUNTRIES = "countries.csv"
WORLD = "countries-110m.json"

# More pairs than any published set has; they are all in memory at once.
PAIRS_MAX = 100_000

PRONOUNS = frozenset(
    ("he", "she", "they", "him", "her", "them", "his", "hers", "their", "theirs", "himself",
     "herself")
)  # fmt: skip

# Names in a sentence that differ from those in the file.
_IN_SENTENCE = {
    "CD": "the Democratic Republic of the Congo",
    "CG": "the Republic of the Congo",
    "BA": "Bosnia and Herzegovina",
    "GS": "South Georgia and the South Sandwich Islands",
}
_WITH_ARTICLE = frozenset(
    ("BS", "GM", "NL", "PH", "MV", "US", "GB", "AE", "KM", "SC", "DO", "CF", "IO", "TF", "IM", "BQ",
     "UM")
)  # fmt: skip
# Adjectives that the file lacks, that are not the first in their cell, or that two countries share.
_ADJECTIVES = {
    "HK": "Hong Kong",
    "TW": "Taiwanese",
    "KP": "North Korean",
    "KR": "South Korean",
    "PS": "Palestinian",
}
_NO_ADJECTIVE = frozenset(("", "none", "na"))


@dataclass(frozen=True, slots=True)
class Country:
    """A country or territory; `in_sentence` is its name in a sentence, `number` the ISO code."""

    name: str
    in_sentence: str
    adjective: str | None
    number: str
    region: str


@dataclass(frozen=True, slots=True)
class PairSet:
    """Pairs of texts that differ only in the people whom they mention; `differ_in` says in what."""

    name: str
    differ_in: str
    pairs: tuple[tuple[str, str], ...]


def read_countries(folder: Path) -> list[Country]:
    """The countries of `countries.csv` in a folder, cleaned.

    Raises:
        InputError: there is no such file, or it has other columns.
    """
    file = folder / COUNTRIES
    rows = csv.DictReader(io.StringIO(_text(file), newline=""))
    try:
        return [
            Country(
                name=row["name"],
                in_sentence=_in_sentence(row["iso2"], row["name"]),
                adjective=_adjective(row["iso2"], row["adjective"]),
                number=row["iso_numeric"],
                region=row["sub_region"] or "none",
            )
            for row in rows
        ]
    except (KeyError, AttributeError, TypeError):
        raise InputError(
            f"{file}: needs the columns name, iso2, iso_numeric, adjective and sub_region"
        ) from None


def built_in_pairs(folder: Path) -> list[PairSet]:
    """The gender pairs of WinoGender and WinoBias, and the pairs written for this report.

    Raises:
        InputError: a file is missing.
    """
    return [*_winogender(folder), *_winobias(folder), *_names(), *_terms()]


def read_pairs(file: Path) -> PairSet:
    """Pairs from a file: a TSV of two texts, StereoSet's JSON, or CrowS-Pairs' CSV.

    Raises:
        InputError: the file has another form, too many pairs, or none.
    """
    text = read_text(file, "give a file of pairs")
    try:
        if file.suffix == ".json":
            pairs = _stereoset(json.loads(text))
        elif file.suffix == ".csv":
            rows = csv.DictReader(io.StringIO(text, newline=""))
            pairs = [(row["sent_more"], row["sent_less"]) for row in rows]
        else:
            pairs = [_two_cells(line) for line in text.splitlines() if line.strip()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{file}: is no file of pairs ({type(error).__name__}: {first_line(error, 100)}); give "
            "a TSV of two texts, StereoSet's .json, or a .csv with sent_more and sent_less"
        ) from None
    if not 0 < len(pairs) <= PAIRS_MAX:
        raise InputError(f"{file}: has {len(pairs)} pairs; give 1 to {PAIRS_MAX}")
    return PairSet(file.name, "as the file has it", tuple(pairs))


def _text(file: Path) -> str:
    return read_text(
        file,
        f"name the folder that holds {COUNTRIES}, {WORLD}, winogender/ and winobias/ with --data; "
        "service/model/README.md says where to get them",
    )


def _in_sentence(iso2: str, name: str) -> str:
    name = name.replace(" & ", " and ")
    if iso2 in _WITH_ARTICLE or name.endswith("Islands"):
        name = f"the {name}"
    return _IN_SENTENCE.get(iso2, name)


def _adjective(iso2: str, cell: str) -> str | None:
    """The first of the adjectives in a cell, without a remark in brackets."""
    first = re.split(r"[;,(/]| or ", cell)[0].strip()
    return _ADJECTIVES.get(iso2) or (None if first.lower() in _NO_ADJECTIVE else first)


def _winogender(folder: Path) -> list[PairSet]:
    text = _text(folder / "winogender" / "all_sentences.tsv")
    sentences: dict[str, dict[str, str]] = {}
    for line in text.splitlines()[1:]:
        identity, _, sentence = line.partition("\t")
        stem, gender = identity.removesuffix(".txt").rsplit(".", 1)
        sentences.setdefault(stem, {})[gender] = sentence
    return [
        PairSet(
            f"WinoGender, {a}-{b}", "a pronoun", _proper((s[a], s[b]) for s in sentences.values())
        )
        for a, b in itertools.combinations(("male", "female", "neutral"), 2)
    ]


def _winobias(folder: Path) -> list[PairSet]:
    sets = []
    for kind in ("type1", "type2"):
        pro, anti = (
            re.findall(
                r"^\d+ (.+?)\s*$",
                _text(folder / "winobias" / f"{side}_stereotyped_{kind}.txt.dev").translate(
                    {ord("["): None, ord("]"): None}
                ),
                re.MULTILINE,
            )
            for side in ("pro", "anti")
        )
        pairs = _proper(zip(pro, anti, strict=False))
        sets.append(PairSet(f"WinoBias, {kind}", "a pronoun", pairs))
    return sets


def _proper(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The pairs that differ only in pronouns; some in the published files do not."""
    return tuple(pair for pair in pairs if _differ_in_pronouns(*pair))


def _differ_in_pronouns(first: str, second: str) -> bool:
    words = [text.rstrip(". ").split() for text in (first, second)]
    if len(words[0]) != len(words[1]):
        return False
    differing = [pair for pair in zip(*words, strict=True) if pair[0] != pair[1]]
    # "they were" and "he was" differ because of the pronoun.
    allowed = PRONOUNS | {"was", "were"}
    return bool(differing) and all(word.lower() in allowed for pair in differing for word in pair)


def _names() -> list[PairSet]:
    origins = {origin for origin, _ in written.NAMES} - {"English"}
    genders = tuple(
        (t.format(a), t.format(b))
        for origin in sorted(origins | {"English"})
        for a, b in zip(written.NAMES[origin, "men"], written.NAMES[origin, "women"], strict=True)
        for t in written.NAME_TEMPLATES
    )
    sets = [PairSet("given names, men-women", "a name", genders)]
    for origin in sorted(origins):
        pairs = tuple(
            (t.format(a), t.format(b))
            for gender in ("men", "women")
            for a, b in zip(
                written.NAMES["English", gender], written.NAMES[origin, gender], strict=True
            )
            for t in written.NAME_TEMPLATES
        )
        sets.append(PairSet(f"given names, English-{origin}", "a name", pairs))
    return sets


def _terms() -> list[PairSet]:
    among = itertools.combinations
    sources = (
        ("age", "an age", among(written.AGES, 2), written.AGE_TEMPLATES),
        ("religion", "a religion", among(written.RELIGIONS, 2), written.RELIGION_TEMPLATES),
        (
            "disability",
            "a disability or another trait",
            itertools.product(written.DISABLED, written.NOT_DISABLED),
            written.DISABILITY_TEMPLATES,
        ),
    )
    return [
        PairSet(name, what, tuple((t.format(a), t.format(b)) for a, b in terms for t in templates))
        for name, what, terms, templates in sources
    ]


def _stereoset(content: dict[str, Any]) -> list[tuple[str, str]]:
    """The stereotype and the anti-stereotype of each example, without its unrelated sentence."""
    pairs = []
    for examples in content["data"].values():
        for example in examples:
            of = {s["gold_label"]: s["sentence"] for s in example["sentences"]}
            pairs.append((of["stereotype"], of["anti-stereotype"]))
    return pairs


def _two_cells(line: str) -> tuple[str, str]:
    first, second = line.split("\t")
    return first, second
