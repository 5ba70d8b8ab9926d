"""Text to token ids, as the model's own tokenizer does it.

Uses the `tokenizers` package alone: no transformers, no torch. Synchronous; a tokenizer is not
shared between threads (see `prepare`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.records import TextStats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenizers import Encoding, Tokenizer


class TextEncoder:
    """Encodes texts for one model; what is beyond `tokens_max` is left out, and said."""

    def __init__(self, tokenizer: Tokenizer, tokens_max: int) -> None:
        """Take over the tokenizer: its truncation and padding are set here."""
        tokenizer.no_padding()
        tokenizer.enable_truncation(tokens_max)
        self._tokenizer = tokenizer
        self._unknown_id = _unknown_id(tokenizer)

    def encode(self, texts: Sequence[str]) -> list[tuple[list[int], TextStats]]:
        """Token ids with the special tokens, and statistics, for each text in order."""
        return [self._with_stats(encoding) for encoding in self._tokenizer.encode_batch(texts)]

    def _with_stats(self, encoding: Encoding) -> tuple[list[int], TextStats]:
        ids = encoding.ids
        words = len(ids) - sum(encoding.special_tokens_mask)
        unknown = ids.count(self._unknown_id) if self._unknown_id is not None else 0
        return ids, TextStats(
            tokens=len(ids),
            truncated=bool(encoding.overflowing),
            windows=1,
            unknown_share=min(1.0, unknown / words) if words else 0.0,
        )


def _unknown_id(tokenizer: Tokenizer) -> int | None:
    name = getattr(tokenizer.model, "unk_token", None)
    return tokenizer.token_to_id(name) if name else None
