"""`SENTIMENT_KAFKA__FEED` and `sentiment-stream feed`: what a feed stands for, and what is read."""

from __future__ import annotations

import gzip
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from service.cli import main
from service.errors import ExitCode
from service.lab import feed as feed_module
from service.settings import load_settings
from service.settings.feeds import FEEDS, PRESET
from service.wire import Decoder
from tools.environment import no_settings, settings_error  # noqa: F401 - a fixture
from tools.feeds.page import examples

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

JOINED = {"kind": "commit", "commit": {"collection": "app.bsky.feed.post", "record": {"text": "a"}}}


def _feed(*arguments: str, given: str | bytes = b"") -> Result:
    return CliRunner().invoke(main, ["feed", *arguments], input=given)


def _reads(*arguments: str, given: str | bytes = b"") -> list[dict[str, object]]:
    done = _feed(*arguments, "--json", given=given)
    assert 0 == done.exit_code, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("name", FEEDS)
def test_a_feed_stands_for_its_settings(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Of the environment, and for all three settings."""
    monkeypatch.setenv("SENTIMENT_KAFKA__FEED", name)
    kafka = load_settings().kafka
    assert FEEDS[name].settings == {setting: getattr(kafka, setting) for setting in PRESET}


def test_what_is_set_itself_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a variable or a flag, and even if it is the default or empty."""
    monkeypatch.setenv("SENTIMENT_KAFKA__FEED", "slack")
    monkeypatch.setenv("SENTIMENT_KAFKA__SKIP", "")
    monkeypatch.setenv("SENTIMENT_KAFKA__TEXT_FORMAT", "plain")
    kafka = load_settings({"kafka": {"text_field": "/text"}}).kafka
    assert ("/text", "", "plain") == (kafka.text_field, kafka.skip, kafka.text_format)


def test_a_flag_names_another_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flag overrides the variable here too."""
    monkeypatch.setenv("SENTIMENT_KAFKA__FEED", "slack")
    assert "/commit/record/text" == (
        load_settings({"kafka": {"feed": "bluesky-jetstream"}}).kafka.text_field
    )


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("mastadon", "is no feed that is known (did you mean mastodon?); set it to a name that"),
        ("Slack", "(did you mean slack?)"),
        (
            "carrier-pigeon",
            "is no feed that is known; set it to a name that `sentiment-stream feed`",
        ),
        ("", "is no feed that is known; set it to"),
    ],
)
def test_an_unknown_feed_is_refused(monkeypatch: pytest.MonkeyPatch, value: str, says: str) -> None:
    """In one line, with the feed that was meant."""
    assert says in settings_error(monkeypatch, SENTIMENT_KAFKA__FEED=value)


def test_all_feeds_are_listed() -> None:
    """With what each reads and passes over."""
    done = _feed()
    assert 0 == done.exit_code
    lines = done.stdout.splitlines()
    assert ["feed", *FEEDS] == [line.partition("\t")[0] for line in lines if line]


def test_the_settings_of_a_feed_can_be_pasted_into_a_shell() -> None:
    """They are quoted."""
    done = _feed("slack", "--settings")
    assert done.stdout.startswith(
        "SENTIMENT_KAFKA__TEXT_FIELD=/event/text,/event/message/text\nSENTIMENT_KAFKA__SKIP='"
    )
    assert "\nSENTIMENT_KAFKA__TEXT_FORMAT=slack\n" in done.stdout


def test_each_message_says_what_is_read_and_why(tmp_path: Path) -> None:
    """Of JSON Lines in a file: the pointer, the condition, or the reason."""
    file = tmp_path / "messages.jsonl"
    messages = [one["message"] for one in examples("bluesky-jetstream")[:2]]
    file.write_text("".join(f"{json.dumps(one)}\n" for one in messages) + "no json\n")
    pointer, condition, reason = _reads("bluesky-jetstream", str(file))
    assert ("scored", "/commit/record/text") == (pointer["outcome"], pointer["why"])
    assert "The new tram line is a joy, ten minutes to work." == pointer["text"]
    assert ("skipped", "/commit/collection!=app.bsky.feed.post", None) == (
        condition["outcome"],
        condition["why"],
        condition["text"],
    )
    assert ("dead_letter", 3) == (reason["outcome"], reason["message"])
    assert str(reason["why"]).startswith("not_json: line 1 column 1")


def test_a_document_over_many_lines_is_one_message() -> None:
    """As one saves it from a console."""
    [read] = _reads("bluesky-jetstream", given=json.dumps(JOINED, indent=2))
    assert (1, None, "a") == (read["message"], read["element"], read["text"])
    [broken] = _reads("bluesky-jetstream", given=json.dumps(JOINED, indent=2)[:-2])
    assert "dead_letter" == broken["outcome"]


@pytest.mark.parametrize("before", ["\n", "  \n ", "\ufeff", "\ufeff\r\n"])
def test_a_document_is_one_message_whatever_white_space_is_before_it(before: str) -> None:
    """Editors leave a line break or a byte order mark."""
    [read] = _reads("-", given=f'{before}{{\n "text": "a"\n}}\n')
    assert ("scored", "a") == (read["outcome"], read["text"])


@pytest.mark.parametrize("given", ["", "\n \n", "\ufeff"])
def test_an_input_without_messages_is_an_error(given: str) -> None:
    """An empty table would look like messages that were skipped."""
    done = _feed("-", given=given)
    assert ExitCode.USAGE == done.exit_code
    assert "the input holds no messages" in done.stderr


def test_the_elements_of_a_list_are_told_apart() -> None:
    """Each with its number."""
    [example] = [e for e in examples("whatsapp") if len(e["gives"]) > 1]
    reads = _reads("whatsapp", given=json.dumps(example["message"]))
    assert [(1, 0, "scored"), (1, 1, "scored"), (1, 2, "skipped")] == [
        (read["message"], read["element"], read["outcome"]) for read in reads
    ]


def test_markup_and_quotes_are_cut() -> None:
    """The text is the one that the model reads."""
    [read] = _reads("postmark", given=json.dumps(examples("postmark")[0]["message"]))
    assert "The parcel never came and I want my money back." == read["text"]
    [read] = _reads("mastodon", given=json.dumps(examples("mastodon")[0]["message"]))
    assert "<" not in str(read["text"])


def test_own_settings_can_be_tried_without_a_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash stands for the settings as they are."""
    monkeypatch.setenv("SENTIMENT_KAFKA__TEXT_FIELD", "/a,/b")
    [read] = _reads("-", given='{"b": "fine"}')
    assert ("/b", "fine") == (read["why"], read["text"])


def test_no_broken_terminal() -> None:
    """What a message holds is printed without control characters."""
    done = _feed("-", given='{"text": "red \\u001b[31m alert"}')
    assert "\x1b" not in done.stdout


def test_a_foreign_message_is_told_by_its_fields() -> None:
    """Beside the condition that skips it."""
    [read] = _reads("x-v2", given=b'{"unrelated": {"text": "hello"}}')
    assert "skipped" == read["outcome"]
    assert "!/data/text; nothing of the feed is in it, but unrelated" == read["why"]


def test_the_decoder_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many messages a file has."""
    made = []

    class Counted(Decoder):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            made.append(self)

    monkeypatch.setattr(feed_module, "Decoder", Counted)
    assert 9 == len(_reads("-", given=b'{"text": "a"}\n' * 9))
    assert 1 == len(made)


def test_a_closed_standard_input_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a terminal is: in one line that says how messages are given."""
    monkeypatch.setattr("service.cli.feeds.sys", SimpleNamespace(stdin=None))
    result = CliRunner().invoke(main, ["feed", "slack"])
    assert "give messages: feed slack FILE" in f"{result.exception} {result.output}"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"PAR1\x15\x04\x15", "is a Parquet file; give messages, as JSON"),
        (b"PK\x03\x04\x14\0", "is a ZIP archive, as an .xlsx is; unpack it"),
        ('{"text": "a"}'.encode("utf-16"), "is UTF-16; convert it: iconv"),
        (gzip.compress(b'{"text": "a"}' * 9)[:-9], "its gzip is cut short or broken"),
        (b'\0\0\0\0\1{"text": "a"}', "is no text (it has zero bytes)"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    """By its first bytes, in a file or in a pipe; its lines would all be dead letters."""
    file = tmp_path / "messages"
    file.write_bytes(content)
    for done, name in (
        (_feed("-", str(file)), file),
        (_feed("-", given=content), "standard input"),
    ):
        assert (ExitCode.USAGE, "") == (done.exit_code, done.stdout)
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"error: {name}: {told}")


def test_a_compressed_file_is_read(tmp_path: Path) -> None:
    """As `score` does."""
    file = tmp_path / "messages.json.gz"
    file.write_bytes(gzip.compress(b'{"text": "a"}'))
    [read] = _reads("-", str(file))
    assert ("scored", "a") == (read["outcome"], read["text"])


def test_a_file_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what is in it, not by its compressed size."""
    monkeypatch.setattr(feed_module, "BYTES_MAX", 1000)
    file = tmp_path / "messages.gz"
    file.write_bytes(gzip.compress(b'{"text": "a"}\n' * 100))
    done = _feed("-", str(file))
    assert ExitCode.USAGE == done.exit_code
    assert "the input is over 1000 bytes; give some messages of it" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--settings"], "error: --settings: give a NAME, like feed slack --settings"),
        (["slack", "a.json", "--settings"], "error: --settings reads no messages; leave FILE or"),
        (["slack", "none.json"], "error: none.json: cannot be read (No such file or directory)"),
        (["slack", ""], "error: invalid value for '[FILE]': is empty; give a path"),
    ],
)
def test_wrong_arguments_are_refused(arguments: list[str], told: str) -> None:
    """In one line; no flag is passed over."""
    done = _feed(*arguments)
    assert (ExitCode.USAGE, "") == (done.exit_code, done.stdout)
    (line,) = done.stderr.splitlines()
    assert line.startswith(told)
