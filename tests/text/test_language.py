"""The language of a text is detected, and the settings say what becomes of other languages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from service.records import Document, Item, Reason, Rejected, TextStats, Unscored
from service.text.encoder import TextEncoder
from service.text.language import CHARACTERS_MAX, Languages, plain_words
from service.text.prepare import prepared
from tools.decoding import decoder
from tools.values import record

if TYPE_CHECKING:
    from service.text.language import Policy

ROOT = Path(__file__).resolve().parents[2]
POSTS = ROOT / "tests" / "bench" / "texts" / "languages.tsv"
TOKENIZER = ROOT / "service" / "model" / "tokenizer.json"
LANGUAGES = Languages({"en", "de"}, "pass")
ENCODER = TextEncoder(Tokenizer.from_file(str(TOKENIZER)), 512)
DECODER = decoder(form="text")
TEXTS = (
    "The new release fixed my sync problem, thank you!",
    "Le service client ne répond jamais au téléphone",
    "Kundenservice geht seit drei Tagen nicht ans Telefon",
    "ok 👍",
)


def _items(policy: Policy, known: set[str]) -> list[Item]:
    records = [record(offset, text.encode()) for offset, text in enumerate(TEXTS)]
    items = prepared(DECODER, ENCODER, Languages(known, policy), records)
    assert records == [item.record for item in items]
    return items


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (TEXTS[0], "en"),
        ("THE NEW RELEASE FIXED MY SYNC PROBLEM, THANK YOU!!", "en"),
        (TEXTS[1], "fr"),
        ("映画すごく良かった、みんな見て", "ja"),
        ("Фильм просто отличный, всем советую", "ru"),
        ("@anna https://x.org/wirklich-sehr-gut I really love this new song", "en"),
        ("line one of it\nand line two of the text", "en"),
        ("ok 👍", None),
        ("lol", None),
        ("😂😂😂 12345 :) @someone #hashtag https://x.org", None),
        ("", None),
    ],
)
def test_language_of_a_text(text: str, language: str | None) -> None:
    """A few words are enough; symbols, handles and single words are not."""
    assert language == LANGUAGES.detect(text)


def test_posts_of_many_languages() -> None:
    """The shares of right and wrong detections are those in service/bench/README.md."""
    rows = [row.split("\t") for row in POSTS.read_text(encoding="utf-8").splitlines()]
    detected = [(language, LANGUAGES.detect(post)) for language, post in rows]
    right = sum(language == found for language, found in detected)
    assert right >= 0.94 * len(rows)
    assert len(rows) - right - sum(found is None for _, found in detected) <= 0.02 * len(rows)
    assert "en" not in {found for _, found in detected}


def test_english_posts(shared_data: Path) -> None:
    """Very few are detected as another language."""
    lines = (shared_data / "tweets" / "vader_tweets.tsv").read_text(encoding="utf-8").splitlines()
    detected = [LANGUAGES.detect(line.split("\t")[2]) for line in lines]
    assert detected.count("en") >= 0.88 * len(detected)
    assert len(detected) - detected.count("en") - detected.count(None) <= 0.01 * len(detected)


@given(st.text(max_size=600))
def test_any_text_is_taken(text: str) -> None:
    """Only its beginning is used; a text without a language is scored."""
    assert len(plain_words(text)) <= 2 * CHARACTERS_MAX
    language = LANGUAGES.detect(text)
    assert language is None or 2 <= len(language) <= 3
    assert LANGUAGES.policy(None) == "score"


def test_others_are_scored_and_named_by_default() -> None:
    """Every document has its windows and its language."""
    items = _items("score", {"en"})
    found = [(item.language, len(item.windows)) for item in items if isinstance(item, Document)]
    assert [("en", 1), ("fr", 1), ("de", 1), (None, 1)] == found


def test_others_become_dead_letters() -> None:
    """With their own reason, and without the text."""
    first, french, german, short = _items("dead_letter", {"en", "de"})
    assert isinstance(french, Rejected)
    assert (Reason.OTHER_LANGUAGE, "decode") == (french.reason, french.stage)
    assert "the text is in the language fr, which the model is not for" == french.detail
    assert [Document] * 3 == [type(item) for item in (first, german, short)]


def test_others_are_passed_on() -> None:
    """As items without windows or tokens, so that the model gets none of them."""
    items = _items("pass", {"en"})
    assert [Document, Unscored, Unscored, Document] == [type(item) for item in items]
    passed = [item for item in items if isinstance(item, Unscored)]
    assert ["fr", "de"] == [item.language for item in passed]
    assert {TextStats(0, truncated=True, windows=0, unknown_share=0.0)} == {i.stats for i in passed}
