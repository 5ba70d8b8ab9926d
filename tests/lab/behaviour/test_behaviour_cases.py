"""The cases of `evaluate --behaviour`: reproducible, changed as described, not trained on."""

from __future__ import annotations

import hashlib
import importlib
import re
import subprocess
import sys
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import pytest

from service import lab
from service.lab.behaviour import cases as built
from service.lab.behaviour import changes
from service.lab.behaviour import feedback as behaviour_feedback
from service.lab.behaviour import meanings as behaviour_meanings
from service.lab.behaviour import texts as behaviour_texts
from service.lab.behaviour.cases import Behaviour, Known, Pair, data_tests, written_tests
from service.lab.teaching import swaps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

WRITTEN = written_tests()
BY_NAME = {test.name: test for test in WRITTEN}
TAUGHT = [
    importlib.import_module(f"service.lab.{module.name}")
    for module in iter_modules(lab.__path__)
    if module.name.startswith("lessons")
]
# A frame with fewer words besides its slots ("{noun} {cross}") is no sentence to recognise.
FRAME_WORDS_MIN = 3
_PRINT = (
    "import hashlib; from service.lab.behaviour.cases import written_tests; "
    "print(hashlib.sha256(repr(written_tests()).encode()).hexdigest())"
)


def _pairs(name: str) -> list[Pair]:
    pairs = [case for case in BY_NAME[name].cases if isinstance(case, Pair)]
    assert pairs
    return pairs


@pytest.mark.parametrize("test", WRITTEN, ids=lambda test: test.name)
def test_size(test: Behaviour) -> None:
    """100 to 600 different cases without open slots; enough complaints for a tenth of 1 %."""
    assert 100 <= len(test.cases) <= 600
    assert len(test.cases) == len(set(test.cases))
    assert test.kind != "complaint" or len(test.cases) >= 300
    for case in test.cases:
        assert not re.search(r"[{}]|\ba [aeiou]", case.text)
        assert isinstance(case, Known) or case.text != case.altered


def test_each_has_a_name_of_its_own() -> None:
    """The figures are looked up by it."""
    assert len(WRITTEN) == len(BY_NAME)


def test_the_same_cases_each_time() -> None:
    """In every process, whatever its hash seed."""
    assert WRITTEN == written_tests()
    told = subprocess.run(  # noqa: S603 - the tests' own code
        [sys.executable, "-c", _PRINT], env={"PYTHONHASHSEED": "1"}, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    assert hashlib.sha256(repr(WRITTEN).encode()).hexdigest() == told.stdout.strip()


def test_a_change_does_what_its_description_says() -> None:
    """And nothing else: letters, words or punctuation stay, or something is added to them."""
    for text, altered in _pairs("typo_added"):
        different = [at for at, (a, b) in enumerate(zip(text, altered, strict=True)) if a != b]
        assert 2 == len(different)
        assert 1 == different[1] - different[0]
        assert sorted(text) == sorted(altered)
    for text, altered in _pairs("case_changed"):
        assert text.casefold() == altered.casefold()
    for text, altered in _pairs("punctuation_changed"):
        assert re.findall(r"\w+", text) == re.findall(r"\w+", altered)
    for text, altered in _pairs("spaces_changed"):
        assert text.split() == altered.strip(' "\u201c\u201d\n').split()
    for name in ("address_added", "handle_added", "neutral_words_added", "greeting_added"):
        assert all(text in altered for text, altered in _pairs(name))
    assert all(altered.startswith(text) for text, altered in _pairs("sign_off_added"))
    for name in ("neutral_words_changed", "names_swapped", "places_swapped"):
        for text, altered in _pairs(name):
            ours, others = re.findall(r"[\w'-]+|&", text), re.findall(r"[\w'-]+|&", altered)
            assert len(set(ours) ^ set(others)) <= 3


def test_a_quote_says_the_opposite() -> None:
    """A complaint quotes praise, praise a complaint; each quoted line starts with `>`."""
    *opposed, (_, facts) = built.base_texts()
    opposites = dict(opposed)
    for name, place in (("quote_above", 0), ("quote_below", 1)):
        for text, altered in _pairs(name):
            quote = altered.split(text)[place]
            marked = ", ".join(re.findall(r"^> (.+)$", quote, re.MULTILINE))
            said = [opinion for opinion, some in changes.QUOTED.items() if marked in some]
            (opinion,) = said
            assert text in (*opposites[opinion], *facts)
        assert BY_NAME[name].note == "quoted text is not yet cut"


def test_texts_that_cannot_be_changed_are_left_out() -> None:
    """A text without letters has no typo and no case; a question keeps its mark."""
    found = {test.name: test.cases for test in data_tests(["12!", "Is it?"], [])}
    assert ["Is it?"] == [case.text for case in found["case_changed"]]
    assert [] == found["typo_added"]
    assert ["12!"] == [case.text for case in found["punctuation_changed"]]
    assert 2 == len(found["address_added"])
    assert [] == found["complaint_sign_off_added"]


def test_a_limited_number_of_texts_is_drawn_from_a_file() -> None:
    """All of a small file, and always the same ones of a large file."""
    many = [f"text number {number}" for number in range(5000)]
    tests = data_tests(many, many[:2000])
    assert tests == data_tests(many, many[:2000])
    for test in tests:
        assert len(test.cases) <= built.DATA_CASES_MAX
    found = {test.name: test for test in tests}
    assert built.DATA_CASES_MAX == len(found["sign_off_added"].cases)
    assert {case.text for case in found["complaint_sign_off_added"].cases} <= set(many[:2000])


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings(key)
            yield from _strings(inner)
    elif isinstance(value, tuple | list | set | frozenset):
        for inner in value:
            yield from _strings(inner)


def _of(modules: Iterable[ModuleType]) -> set[str]:
    """All strings of modules, reduced to their words, with `_` for slots."""
    return {
        _plain(line)
        for module in modules
        for name, value in vars(module).items()
        # Fillers are common words; only frames are sentences.
        if not name.startswith("__") and name != "FILLERS"
        for text in _strings(value)
        for line in (text, *text.splitlines())
    }


def _plain(text: str) -> str:
    opened = re.sub(r"\{\w*\}", "_", text.casefold())
    return " ".join(re.findall(r"[^\W_]+(?:'[^\W_]+)?|_|[^\w\s,.!;:?-]+", opened))


def _spoken(text: str) -> int:
    return sum(word[0].isalpha() for word in text.split())


def test_no_frame_is_trained_on() -> None:
    """Nor is a frame part of a training text; templates for countries and names count too."""
    taught = _of([*TAUGHT, swaps])
    asked = _of([behaviour_feedback, behaviour_meanings, behaviour_texts])
    frames = {frame for frame in asked if _spoken(frame) >= FRAME_WORDS_MIN}
    assert len(frames) > 200
    whole = f"\n{chr(10).join(sorted(taught))}\n".replace("\n", " \n ")
    assert sorted(frame for frame in frames if f" {frame} " in whole) == []


def test_no_formula_is_trained_on() -> None:
    """Greetings, sign-offs and unrelated sentences, compared without names."""
    taught = {re.sub(r"( _)+$", "", text) for text in _of([*TAUGHT, swaps])}
    asked = {
        formula
        for text in (*changes.SIGN_OFFS, *changes.GREETINGS, *changes.UNRELATED, *changes.HANDLES)
        for formula in [re.sub(r"( _)+$", "", _plain(text.split("\n")[0]))]
        if _spoken(formula)
    }
    assert len(asked) > 35
    assert sorted(asked & taught) == []
