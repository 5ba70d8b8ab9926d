"""Records to items, on a thread of their own: decode, then tokenize.

Both take time that the event loop owes to heartbeats, and a tokenizer must not be used from two
threads at once (it raises "Already borrowed"), so there is exactly one.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from service.records import Document, Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.codec import Decoder
    from service.records import Item, Record
    from service.text import TextEncoder


def prepared(decoder: Decoder, encoder: TextEncoder, records: Sequence[Record]) -> list[Item]:
    """One item for each record, in the same order."""
    decoded = [decoder.decode(record) for record in records]
    encoded = iter(encoder.encode([m.text for m in decoded if isinstance(m, Message)]))
    return [Document(m, *next(encoded)) if isinstance(m, Message) else m for m in decoded]


class PrepareThread:
    """Runs `prepared` on its one thread."""

    def __init__(self, decoder: Decoder, encoder: TextEncoder) -> None:
        """Start no thread yet; the first call does."""
        self._decoder = decoder
        self._encoder = encoder
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="prepare")

    async def __call__(self, records: Sequence[Record]) -> list[Item]:
        """Prepare records; one item for each, in the same order."""
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, prepared, self._decoder, self._encoder, records
        )

    def close(self) -> None:
        """Let the thread end; may be called twice."""
        self._executor.shutdown(wait=False, cancel_futures=True)
