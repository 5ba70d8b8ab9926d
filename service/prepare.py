"""Records to items, on a thread of their own: decode, tell the language, then tokenize.

All take time that the event loop owes to heartbeats, and a tokenizer must not be used from two
threads at once (it raises "Already borrowed"), so there is exactly one.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from service.records import Document, Message, Reason, Rejected, TextStats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.codec import Decoder
    from service.language import Languages
    from service.records import Item, Record
    from service.text import TextEncoder, Windows

# Of a text that is passed on unscored.
UNREAD = TextStats(tokens=0, truncated=True, windows=0, unknown_share=0.0)


class _Told(NamedTuple):
    """A message for the model, and the language of its text."""

    message: Message
    language: str | None


def prepared(
    decoder: Decoder, encoder: TextEncoder, languages: Languages, records: Sequence[Record]
) -> list[Item]:
    """One item for each record, in the same order."""
    found = [_told(decoder.decode(record), languages) for record in records]
    encoded = iter(encoder.encode([f.message.text for f in found if isinstance(f, _Told)]))
    return [
        Document(f.message, *next(encoded), f.language) if isinstance(f, _Told) else f
        for f in found
    ]


def _told(decoded: Message | Rejected, languages: Languages) -> _Told | Item:
    if isinstance(decoded, Rejected):
        return decoded
    language = languages.tell(decoded.text)
    policy = languages.policy(language)
    if policy == "score":
        return _Told(decoded, language)
    if policy == "pass":
        return Document(decoded, (), UNREAD, language)
    detail = f"the text is in the language {language}, which the model is not for"
    return Rejected(decoded.record, Reason.OTHER_LANGUAGE, detail, "decode")


class PrepareThread:
    """Runs `prepared` on its one thread."""

    def __init__(self, decoder: Decoder, encoder: TextEncoder, languages: Languages) -> None:
        """Start no thread yet; the first call does."""
        self._decoder = decoder
        self._encoder = encoder
        self._languages = languages
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="prepare")

    async def __call__(self, records: Sequence[Record]) -> list[Item]:
        """Prepare records; one item for each, in the same order."""
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, prepared, self._decoder, self._encoder, self._languages, records
        )

    async def encode(self, texts: Sequence[str]) -> list[tuple[Windows, TextStats]]:
        """Token ids and statistics of texts that are no records; see `TextEncoder.encode`."""
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, self._encoder.encode, texts
        )

    def close(self) -> None:
        """Let the thread end; may be called twice."""
        self._executor.shutdown(wait=False, cancel_futures=True)
