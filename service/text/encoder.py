"""Text to token ids, in the form that the model was trained on: normalised, by its own tokenizer.

Needs only the `tokenizers` package: no transformers, no torch. Synchronous, and not thread-safe:
`prepare` keeps a tokenizer on one thread.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from tokenizers.models import Unigram

from service.errors import ModelError
from service.records import Encoded, TextStats
from service.text.normalise import normalise
from service.text.windows import cut, end_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tokenizers import Encoding, Tokenizer

    from service.text.language import Languages

Windows = tuple[list[int], ...]

# Each is one token in nearly every tokenizer. With a tokenizer that has none of them, the end of a
# long text (see `windows.end_of`) can begin within a sentence.
SENTENCE_ENDS = (".", "!", "?", "…")
# Letters and symbols by their category that show nothing: fillers, an empty braille cell, and what
# stands for an object or a broken character. Tokenizers of bytes have tokens for them too.
BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc\ufffd")
# SentencePiece's token for a space, which also comes before a word that it does not know.
SPACE = "\u2581"
# It is assigned to nothing, so no vocabulary has it.
NONCHARACTER = "\U0010ffff"


class TextEncoder:
    """Encodes texts for one model; the statistics of a text show if it was truncated."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        window_tokens_max: int,
        *,
        text_tokens_max: int | None = None,
        normaliser: int = 0,
    ) -> None:
        """Take over the tokenizer, and set its truncation and padding.

        Args:
            tokenizer: the model's; nobody else may use it from now on.
            window_tokens_max: the most tokens in a window, special tokens included. A longer text
                is cut into windows that cover it, and a last window that repeats its end.
            text_tokens_max: the most tokens of a text, special tokens included; the rest is
                truncated. By default a text has one window.
            normaliser: the version of the normaliser that the model was trained with.

        Raises:
            ModelError: there is no such version of the normaliser.
        """
        try:
            normalise("", normaliser)
        except ValueError as error:
            raise ModelError(
                f"texts cannot be normalised as in the model's training: {error}; "
                "install the version of sentiment-stream that the model was made with"
            ) from None
        tokenizer.no_padding()
        tokenizer.enable_truncation(text_tokens_max or window_tokens_max)
        self._tokenizer = tokenizer
        self._window_tokens_max = window_tokens_max
        self._normaliser = normaliser
        self._unknown_id = _unknown_id(tokenizer)
        self._space_id = tokenizer.token_to_id(SPACE)
        ends = map(tokenizer.token_to_id, SENTENCE_ENDS)
        self._stops = frozenset(token for token in ends if token is not None)

    def encode(self, texts: Iterable[str]) -> list[tuple[Windows, TextStats]]:
        """The windows of each text (token ids with the special tokens), and its statistics."""
        normal = [normalise(text, self._normaliser) for text in texts]
        # The fast variant leaves out the character offsets of tokens, which are not needed.
        encodings = self._tokenizer.encode_batch_fast(normal)
        return [self._with_stats(*pair) for pair in zip(encodings, normal, strict=True)]

    def sequences(self, texts: Iterable[str]) -> list[list[int]]:
        """The windows of all texts in one list."""
        return [ids for windows, _ in self.encode(texts) for ids in windows]

    def _with_stats(self, encoding: Encoding, text: str) -> tuple[Windows, TextStats]:
        ids, special = encoding.ids, encoding.special_tokens_mask
        words = len(ids) - sum(special)
        unknown = _count(ids, self._unknown_id)
        windows = (ids,) if len(ids) <= self._window_tokens_max else self._cut(ids, special)
        return windows, TextStats(
            tokens=len(ids),
            truncated=bool(encoding.overflowing),
            windows=len(windows),
            unknown_share=min(1.0, unknown / words) if words else 0.0,
            known=words > unknown + _count(ids, self._space_id) and _readable(text),
        )

    def _cut(self, ids: list[int], special: Sequence[int]) -> Windows:
        begin = special.index(0)
        end = len(ids) - special[::-1].index(0)
        head, inner, tail = ids[:begin], ids[begin:end], ids[end:]
        size = self._window_tokens_max - len(head) - len(tail)
        bounds = [*cut(len(inner), size), (end_of(inner, self._stops, size), len(inner))]
        return tuple([*head, *inner[a:b], *tail] for a, b in bounds)


def encoded(
    texts: Sequence[str], encoder: TextEncoder, languages: Languages | None = None
) -> list[Encoded]:
    """Each text with its windows, statistics and language; None for the language by default."""
    return [
        Encoded(windows, stats, languages.detect(text) if languages else None)
        for text, (windows, stats) in zip(texts, encoder.encode(texts), strict=True)
    ]


def _count(ids: list[int], token: int | None) -> int:
    return 0 if token is None else ids.count(token)


def _readable(text: str) -> bool:
    return any(unicodedata.category(letter)[0] in "LNPS" and letter not in BLANK for letter in text)


def _unknown_id(tokenizer: Tokenizer) -> int | None:
    model = tokenizer.model
    if isinstance(model, Unigram):
        # It does not name its unknown token. With tokens for bytes it has four here.
        pieces = model.tokenize(NONCHARACTER)
        return pieces[0].id if len(pieces) == 1 else None
    name = getattr(model, "unk_token", None)
    return tokenizer.token_to_id(name) if name else None
