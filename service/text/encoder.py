"""Text to token ids, as the model was trained on it: normalised, and by its own tokenizer.

Uses the `tokenizers` package alone: no transformers, no torch. Synchronous; a tokenizer is not
shared between threads (see `prepare`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.errors import ModelError
from service.records import TextStats
from service.text.normalise import normalise
from service.text.windows import cut, end_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tokenizers import Encoding, Tokenizer

Windows = tuple[list[int], ...]

# As tokens of their own in nearly every tokenizer. One that has none of them still has an end for
# its texts, which then begins anywhere.
SENTENCE_ENDS = (".", "!", "?", "…")


class TextEncoder:
    """Encodes texts for one model; what is not read of a long one is said."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        window_tokens_max: int,
        *,
        text_tokens_max: int | None = None,
        normaliser: int = 0,
    ) -> None:
        """Take over the tokenizer: its truncation and padding are set here.

        A text of more than `window_tokens_max` tokens is cut into windows of at most so many; of
        one of more than `text_tokens_max`, the rest is not read. Without it one window is read.
        Both count the special tokens too. The last window of several is the text's end, which the
        others hold as well. `normaliser` is the version that the model was trained with.

        Raises:
            ModelError: there is no such version.
        """
        try:
            normalise("", normaliser)
        except ValueError as error:
            raise ModelError(
                f"the model cannot be given what it was trained on: {error}; "
                "install the version of sentiment-stream that the model is for"
            ) from None
        tokenizer.no_padding()
        tokenizer.enable_truncation(text_tokens_max or window_tokens_max)
        self._tokenizer = tokenizer
        self._window_tokens_max = window_tokens_max
        self._normaliser = normaliser
        self._unknown_id = _unknown_id(tokenizer)
        ends = map(tokenizer.token_to_id, SENTENCE_ENDS)
        self._stops = frozenset(token for token in ends if token is not None)

    def encode(self, texts: Iterable[str]) -> list[tuple[Windows, TextStats]]:
        """Token ids of each window, with the special tokens, and statistics, for each text."""
        normal = [normalise(text, self._normaliser) for text in texts]
        # Fast: without the offsets of tokens, which nobody asks for.
        encodings = self._tokenizer.encode_batch_fast(normal)
        return [self._with_stats(encoding) for encoding in encodings]

    def sequences(self, texts: Iterable[str]) -> list[list[int]]:
        """Token ids of all windows of all texts, one after the other."""
        return [ids for windows, _ in self.encode(texts) for ids in windows]

    def _with_stats(self, encoding: Encoding) -> tuple[Windows, TextStats]:
        ids, special = encoding.ids, encoding.special_tokens_mask
        words = len(ids) - sum(special)
        unknown = ids.count(self._unknown_id) if self._unknown_id is not None else 0
        windows = (ids,) if len(ids) <= self._window_tokens_max else self._cut(ids, special)
        return windows, TextStats(
            tokens=len(ids),
            truncated=bool(encoding.overflowing),
            windows=len(windows),
            unknown_share=min(1.0, unknown / words) if words else 0.0,
            known=words > unknown,
        )

    def _cut(self, ids: list[int], special: Sequence[int]) -> Windows:
        begin = special.index(0)
        end = len(ids) - special[::-1].index(0)
        head, inner, tail = ids[:begin], ids[begin:end], ids[end:]
        size = self._window_tokens_max - len(head) - len(tail)
        bounds = [*cut(len(inner), size), (end_of(inner, self._stops, size), len(inner))]
        return tuple([*head, *inner[a:b], *tail] for a, b in bounds)


def _unknown_id(tokenizer: Tokenizer) -> int | None:
    name = getattr(tokenizer.model, "unk_token", None)
    return tokenizer.token_to_id(name) if name else None
