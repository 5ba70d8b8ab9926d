"""Records to items: decode, tell the language, then tokenize; on a thread of their own if many.

All take time that the event loop owes to heartbeats; a few short records take less of it than the
way to the thread and back. A tokenizer must not be used from two threads at once (it raises
"Already borrowed"), so there is exactly one, and a lock between it and the loop.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from service.records import Document, Encoded, Message, Reason, Rejected, Unscored
from service.sequences import with_results

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from service.records import Item, Record
    from service.text.encoder import TextEncoder
    from service.text.language import Languages
    from service.wire import Decoder

Result = TypeVar("Result")

# Prepared on the event loop, in some 4 ms at most: under load a thread waits as long for its turn,
# and the model begins its next batch without them.
AT_ONCE_RECORDS = 32
AT_ONCE_BYTES = 16 * 1024


class _ToEncode(NamedTuple):
    """A message for the model, and the language of its text."""

    message: Message
    language: str | None


def prepared(
    decoder: Decoder, encoder: TextEncoder, languages: Languages, records: Sequence[Record]
) -> list[Item]:
    """One item for each record, in the same order."""
    found = [_with_language(decoder.decode(record), languages) for record in records]
    texts = [item for item in found if isinstance(item, _ToEncode)]
    encoded = encoder.encode([text.message.text for text in texts])
    documents = [
        Document(text.message, windows, stats, text.language)
        for text, (windows, stats) in zip(texts, encoded, strict=True)
    ]
    return with_results(found, _ToEncode, documents)


def _with_language(
    decoded: Message | Rejected, languages: Languages
) -> _ToEncode | Unscored | Rejected:
    if isinstance(decoded, Rejected):
        return decoded
    language = languages.tell(decoded.text)
    policy = languages.policy(language)
    if policy == "score":
        return _ToEncode(decoded, language)
    if policy == "pass":
        return Unscored(decoded, language)
    detail = f"the text is in the language {language}, which the model is not for"
    return Rejected(decoded.record, Reason.OTHER_LANGUAGE, detail, "decode")


def _encoded(encoder: TextEncoder, languages: Languages, texts: Sequence[str]) -> list[Encoded]:
    return [
        Encoded(windows, stats, languages.tell(text))
        for text, (windows, stats) in zip(texts, encoder.encode(texts), strict=True)
    ]


class PrepareThread:
    """Runs `prepared` on its one thread, or at once where that is quick."""

    def __init__(self, decoder: Decoder, encoder: TextEncoder, languages: Languages) -> None:
        """Start no thread yet; the first call does."""
        self._decoder = decoder
        self._encoder = encoder
        self._languages = languages
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="prepare")
        self._in_use = threading.Lock()

    async def __call__(self, records: Sequence[Record]) -> list[Item]:
        """Prepare records; one item for each, in the same order."""
        work = partial(prepared, self._decoder, self._encoder, self._languages, records)
        if _quick(records) and self._in_use.acquire(blocking=False):
            try:
                return work()
            finally:
                self._in_use.release()
        return await self._on_thread(work)

    async def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """The same of texts that are no records, which are for the model in any language."""
        return await self._on_thread(partial(_encoded, self._encoder, self._languages, texts))

    async def _on_thread(self, work: Callable[[], Result]) -> Result:
        def run() -> Result:
            with self._in_use:
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._executor, run)

    def close(self) -> None:
        """Let the thread end; may be called twice."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def _quick(records: Sequence[Record]) -> bool:
    values = sum(len(record.value or b"") for record in records)
    return len(records) <= AT_ONCE_RECORDS and values <= AT_ONCE_BYTES
