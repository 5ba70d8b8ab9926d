"""Markup is taken out before a text's language is detected and its words are read."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from service.records import Document, Reason, Rejected, Skipped, SkipReason, TextStats
from service.text import prepare
from service.text.language import Languages
from service.text.prepare import AT_ONCE_RECORDS, PrepareThread, prepared
from tools.decoding import decoder
from tools.pipeline_tools import DECODER
from tools.values import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.records import Item, TextFormat
    from service.text.encoder import Windows
    from service.wire import Decoder

STYLE = "<style>" + "p.MsoNormal {margin: 0cm; font-family: Calibri;} " * 14 + "</style>"
GERMAN = "<p>Das Paket ist nie angekommen und niemand antwortet mir, sehr schade.</p>"
QUOTE = "On Mon, 3 Mar 2025 at 10:15, Ann <ann@example.org> wrote:\n> I love it"


class NotedEncoder:
    """Keeps the texts that it is given."""

    def __init__(self) -> None:
        """Without texts."""
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str]) -> list[tuple[Windows, TextStats]]:
        """See `TextEncoder.encode`."""
        self.texts += texts
        return [(([0],), TextStats(1, False, 1, 0.0)) for _ in texts]


def _prepared(
    text: str, form: TextFormat, others: str = "score", by: Decoder = DECODER
) -> tuple[Item, list[str]]:
    encoder = NotedEncoder()
    value = json.dumps({"text": text}).encode()
    languages = Languages(("en",), others)  # type: ignore[arg-type] # a policy
    (item,) = prepared(by, encoder, languages, [record(0, value)], form)  # type: ignore[arg-type] # a stand-in
    return item, encoder.texts


def test_the_text_is_published_as_it_came_and_scored_without_markup() -> None:
    """The counts say what the reader of an event does not see of the score's text."""
    text = f"It never came.\n\nRegards,\nAnn\n\n{QUOTE}"

    item, texts = _prepared(text, "mail")

    assert isinstance(item, Document)
    assert (item.message.text, texts) == (text, ["It never came."])
    stats = item.stats
    assert (stats.quoted_chars, stats.signature_chars, stats.code_chars) == (68, 11, 0)


def test_without_a_format_nothing_is_taken_out() -> None:
    """The default leaves texts and figures as they were."""
    item, texts = _prepared(GERMAN, "plain")

    assert isinstance(item, Document)
    assert texts == [GERMAN]
    assert (item.stats.quoted_chars, item.stats.signature_chars, item.stats.code_chars) == (0, 0, 0)


@pytest.mark.parametrize("form", ["html", "mail"])
def test_the_language_is_that_of_what_is_left(form: TextFormat) -> None:
    """A style sheet in front of a text had hidden it."""
    hidden, _ = _prepared(STYLE + GERMAN, "plain", "dead_letter")
    found, _ = _prepared(STYLE + GERMAN, form, "dead_letter")

    assert not isinstance(hidden, Rejected) or "language de" not in hidden.detail
    assert isinstance(found, Rejected)
    assert found.reason is Reason.OTHER_LANGUAGE
    assert "language de" in found.detail


@pytest.mark.parametrize(
    ("text", "form", "what"),
    [
        (QUOTE, "mail", "68 characters are quoted"),
        ("> great", "markdown", "5 characters are quoted"),
        ("```x = 1```", "slack", "5 of code"),
        ("<p><img src='x.png'></p>", "html", "it is markup alone"),
        ("<#C024BE7LR>", "slack", "it is markup alone"),
    ],
)
def test_a_text_of_which_nothing_is_left_is_a_dead_letter(
    text: str, form: TextFormat, what: str
) -> None:
    """Nothing is lost, and the letter says what was cut and which setting scores it."""
    item, _ = _prepared(text, form)

    assert isinstance(item, Rejected)
    assert item.reason is Reason.TEXT_EMPTY
    assert what in item.detail
    assert "SENTIMENT_KAFKA__TEXT_FORMAT=plain" in item.detail


def test_where_what_has_no_text_is_skipped_so_is_a_text_of_which_nothing_is_left() -> None:
    """Code alone in a chat is no error of the feed."""
    item, texts = _prepared("```\nprint(1)\n```", "slack", by=decoder(skip="!"))

    assert isinstance(item, Skipped)
    assert (item.reason, texts) == (SkipReason.NO_TEXT, [])


@pytest.mark.parametrize(("form", "count"), [("plain", AT_ONCE_RECORDS), ("html", 16)])
async def test_fewer_records_are_prepared_at_once(form: TextFormat, count: int) -> None:
    """To take markup out takes as long as all else, and the event loop has heartbeats to send."""
    threads: list[str] = []

    class Noting(NotedEncoder):
        def encode(self, texts: Sequence[str]) -> list[tuple[Windows, TextStats]]:
            threads.append(threading.current_thread().name)
            return super().encode(texts)

    thread = PrepareThread(DECODER, Noting(), Languages((), "score"), form)  # type: ignore[arg-type] # a stand-in

    await thread([record(offset) for offset in range(count)])
    await thread([record(offset) for offset in range(count + 1)])
    thread.close()

    assert threads == ["MainThread", "prepare_0"]


def test_a_text_that_a_parser_fails_on_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """It becomes a dead letter; the error's own words may hold text of it, and are not shown."""

    def failing(_text: str, _form: str) -> None:
        raise IndexError("secret words")

    monkeypatch.setattr(prepare, "plain_text", failing)

    item, _ = _prepared("anything", "markdown")

    assert isinstance(item, Rejected)
    assert item.reason is Reason.WRONG_TYPE
    assert "markdown (IndexError)" in item.detail
    assert "secret" not in item.detail
