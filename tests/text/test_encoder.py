"""Texts to tokens with the bundled tokenizer, and records to items in their order."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from service.errors import ModelError
from service.records import Document, Reason, Rejected, TextStats
from service.text.encoder import TextEncoder
from service.text.language import Languages
from service.text.prepare import PrepareThread, prepared
from tools.decoding import decoder
from tools.values import record

TOKENIZER = Path(__file__).resolve().parents[2] / "service" / "model" / "tokenizer.json"
TOKENS_MAX = 16
# A quarter of the tokens between a window's special tokens.
OVERLAP = 3
FIRST, LAST, UNKNOWN = 101, 102, 100
# In no vocabulary: a letter from one manuscript.
UNHEARD_OF = "ꙮ"

DECODER = decoder()
ENCODER = TextEncoder(Tokenizer.from_file(str(TOKENIZER)), TOKENS_MAX)
WHOLE = Tokenizer.from_file(str(TOKENIZER))
ENGLISH = Languages({"en"}, "score")


def _encode(text: str) -> tuple[list[int], TextStats]:
    (((ids,), stats),) = ENCODER.encode([text])
    return ids, stats


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("Hello, world!", [7592, 1010, 2088, 999]),
        ("  hello,\n WORLD!", [7592, 1010, 2088, 999]),
        ("unhappiness", [4895, 3270, 9397, 9961]),
        ("naïve", [15743]),
        ("🙂 good", [UNKNOWN, 2204]),
        ("", []),
        ("\N{ZERO WIDTH SPACE}\0", []),
    ],
)
def test_tokens_are_those_of_the_model(text: str, inner: list[int]) -> None:
    """In lower case, without accents, in pieces of words, between [CLS] and [SEP]."""
    ids, stats = _encode(text)
    assert ids == [FIRST, *inner, LAST]
    assert (stats.tokens, stats.windows) == (len(inner) + 2, 1)


@pytest.mark.parametrize(
    ("words", "tokens", "truncated"), [(13, 15, False), (14, 16, False), (15, 16, True)]
)
def test_truncation_is_reported(words: int, tokens: int, truncated: bool) -> None:
    """From one token too many on; the end of the text is cut."""
    ids, stats = _encode("good " * (words - 1) + "bad")
    assert (stats.tokens, stats.truncated) == (tokens, truncated)
    assert (ids[0], ids[-1]) == (FIRST, LAST)
    assert (2919 in ids) is not truncated


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("good", 0.0),
        (UNHEARD_OF, 1.0),
        (f"a {UNHEARD_OF} b {UNHEARD_OF}", 0.5),
        ("x" * 200, 1.0),
        ("", 0.0),
        ("\N{ZERO WIDTH SPACE}", 0.0),
        (f"{UNHEARD_OF} " * 100, 1.0),
    ],
)
def test_the_share_of_unknown_words(text: str, share: float) -> None:
    """The share is of the tokens without special ones; 0 if there are none."""
    assert _encode(text)[1].unknown_share == share


def test_a_tokenizer_without_an_unknown_token_knows_everything() -> None:
    """Like those of tokenizers that encode unknown words as bytes."""
    encoder = TextEncoder(Tokenizer(models.BPE({"a": 0, "b": 1}, [])), TOKENS_MAX)
    assert encoder.encode(["ab"]) == [(([0, 1],), TextStats(2, False, 1, 0.0))]


def _byte_tokenizer() -> Tokenizer:
    """A token for each byte, as GPT-2 and RoBERTa have."""
    vocabulary = {letter: id_ for id_, letter in enumerate(pre_tokenizers.ByteLevel.alphabet())}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


def _piece_tokenizer(*, bytes_too: bool) -> Tokenizer:
    """Pieces of words as SentencePiece makes them, some of which stand for bytes."""
    pieces = [("<unk>", 0.0), ("▁good", -1.0), ("▁", -2.0), ("!", -2.0)]
    pieces += [(f"<0x{byte:02X}>", -9.0) for byte in range(256)] if bytes_too else []
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=bytes_too))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer


@pytest.mark.parametrize(
    "tokenizer",
    [
        Tokenizer.from_file(str(TOKENIZER)),
        _byte_tokenizer(),
        _piece_tokenizer(bytes_too=False),
        _piece_tokenizer(bytes_too=True),
    ],
    ids=["WordPiece", "bytes", "pieces", "pieces and bytes"],
)
def test_a_text_that_shows_nothing_is_not_known(tokenizer: Tokenizer) -> None:
    """Tokenizers of bytes have tokens for it, and no score of them is confident."""
    encoder = TextEncoder(tokenizer, TOKENS_MAX)
    nothing = [
        "",
        " ",
        "\u200b\u200d",
        "\u2800\u2800",
        "\u3164",
        "\ufffc",
        "\ufeff",
        "\0",
        "\u0301",
    ]
    assert [False] * len(nothing) == [stats.known for _, stats in encoder.encode(nothing)]
    assert [True] * 3 == [stats.known for _, stats in encoder.encode(["good", "good \u2800", "!"])]


def test_pieces_have_an_unknown_token() -> None:
    """SentencePiece's models do not name it, but have it."""
    encoder = TextEncoder(_piece_tokenizer(bytes_too=False), TOKENS_MAX)
    ((_, unheard), (_, half)) = encoder.encode([f"{UNHEARD_OF} {UNHEARD_OF}", f"good{UNHEARD_OF}"])
    assert (unheard.known, half.known) == (False, True)
    assert 0.5 == half.unknown_share


def test_settings_in_the_tokenizer_file_are_ignored() -> None:
    """A tokenizer is often saved with the padding and truncation of its training."""
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    tokenizer.enable_padding(length=64)
    tokenizer.enable_truncation(3)
    encoder = TextEncoder(tokenizer, TOKENS_MAX)
    assert encoder.sequences(["hello hello"]) == [[FIRST, 7592, 7592, LAST]]


@cache
def _wide(text_tokens_max: int, normaliser: int = 0) -> TextEncoder:
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    return TextEncoder(
        tokenizer, TOKENS_MAX, text_tokens_max=text_tokens_max, normaliser=normaliser
    )


def test_a_long_text_is_read_in_windows() -> None:
    """Each has special tokens around it; together they have all tokens in order, the last twice."""
    words = [*range(2000, 2040)]
    text = WHOLE.decode(words)
    ((windows, stats),) = _wide(100).encode([text])

    expected = WHOLE.encode(text).ids
    inner = [window[1:-1] for window in windows]
    assert all((FIRST, LAST) == (window[0], window[-1]) for window in windows)
    assert max(map(len, windows)) <= TOKENS_MAX
    *covering, end = inner
    whole = covering[0] + [token for window in covering[1:] for token in window[OVERLAP:]]
    assert expected == [FIRST, *whole, LAST]
    assert whole[-len(end) :] == end
    assert (len(expected), len(windows), False) == (stats.tokens, stats.windows, stats.truncated)
    assert len(windows) > 1


@pytest.mark.parametrize("mark", [".", "!", "?", "…"])
def test_the_end_of_a_long_text_is_its_last_sentence(mark: str) -> None:
    """A text of one window has no extra window for its end."""
    ((windows, _), (alone, _)) = _wide(100).encode(
        [f"{'good ' * 30}{mark} it was a bad day{mark}", "it was a bad day."]
    )

    bad_day = [2009, 2001, 1037, 2919, 2154]
    assert [FIRST, *bad_day, WHOLE.token_to_id(mark), LAST] == windows[-1]
    assert len(windows) > 2
    assert ([FIRST, *bad_day, WHOLE.token_to_id("."), LAST],) == alone


def test_a_long_text_has_an_end_without_sentence_marks_too() -> None:
    """With a tokenizer that has no token for them."""
    tokenizer = Tokenizer(models.BPE({"a": 0, "b": 1}, []))
    encoder = TextEncoder(tokenizer, TOKENS_MAX, text_tokens_max=100)
    ((windows, _),) = encoder.encode(["a" * 30 + "b" * TOKENS_MAX])
    assert [1] * TOKENS_MAX == windows[-1]


@given(st.integers(0, 120))
def test_only_a_truncated_text_is_reported_as_such(words: int) -> None:
    """From one token above the limit on; up to the limit nothing is cut."""
    ((windows, stats),) = _wide(60).encode(["good " * words])
    assert (words + 2 > 60) == stats.truncated
    assert min(words + 2, 60) == stats.tokens
    assert len(windows) == stats.windows
    assert sum(len(window) - 2 for window in windows) >= min(words, 58)


def test_a_long_text_is_normalised_with_the_version_of_the_model() -> None:
    """Before it is tokenized; without a version it is not normalised."""
    assert _wide(60, 1).sequences(["#SoGood 🙂"]) == _wide(60).sequences(
        ["So Good slightly smiling face"]
    )
    assert UNKNOWN in _wide(60).sequences(["🙂"])[0]


def test_a_normaliser_of_the_future_is_refused() -> None:
    """In one line that says what to do."""
    with pytest.raises(ModelError, match=r"no version 99 .*install the version"):
        _wide(60, 99)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5))
def test_any_texts_give_tokens_in_order(texts: list[str]) -> None:
    """The same in one batch as each alone, within the limits."""
    encoded = ENCODER.encode(texts)
    assert encoded == [((ids,), stats) for ids, stats in map(_encode, texts)]
    for (ids,), stats in encoded:
        assert (ids[0], ids[-1]) == (FIRST, LAST)
        assert stats.tokens == len(ids) <= TOKENS_MAX
        assert 0 <= stats.unknown_share <= 1
        assert len(ids) == TOKENS_MAX or not stats.truncated


VALUES = st.sampled_from(
    [b'{"text": "good"}', b'{"text": "bad day"}', b'{"text": ""}', b"{", b"\xff", None]
)


@given(st.lists(VALUES, max_size=12))
def test_there_is_an_item_for_each_record_in_order(values: list[bytes | None]) -> None:
    """Valid and invalid records are mixed; each item has its own record and its own tokens."""
    records = [record(offset, value) for offset, value in enumerate(values)]
    items = prepared(DECODER, ENCODER, ENGLISH, records)
    assert [item.record for item in items] == records
    for item, value in zip(items, values, strict=True):
        try:
            text = json.loads(value or b"")["text"]
        except ValueError:
            text = ""
        assert isinstance(item, Document if text else Rejected)
        if isinstance(item, Document):
            assert (item.message.text, (*item.windows, item.stats)) == (text, _encode(text))
            assert item.language is None


async def test_records_are_prepared_in_order_and_the_thread_closes_twice() -> None:
    """Each record has its item, and none has none; where that is done, see `test_prepare`."""
    prepare = PrepareThread(DECODER, ENCODER, ENGLISH)
    try:
        items = await prepare([record(0, b'{"text": "good"}'), record(1, None)])
        assert isinstance(items[0], Document)
        assert items[1] == Rejected(
            record(1, None), Reason.TOMBSTONE, "the value is null", "decode"
        )
        assert await prepare([]) == []
    finally:
        prepare.close()
        prepare.close()
