"""Turns records into items: decodes them, takes markup out, detects the language, tokenizes.

Exists because this takes time that the event loop needs for heartbeats, so it runs on a thread. A
few short records are quicker to prepare at once than to hand over. A tokenizer must not be used
from two threads at the same time (it raises "Already borrowed"): there is one thread, and a lock
between it and the event loop.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from service.records import (
    Document,
    Message,
    Reason,
    Rejected,
    Skipped,
    SkipReason,
    Unscored,
)
from service.sequences import with_results
from service.text.encoder import encoded
from service.text.markup import Plain, plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from service.records import Decoded, Encoded, Item, Record, TextFormat, TextStats
    from service.text.encoder import TextEncoder
    from service.text.language import Languages
    from service.wire import Decoder

Result = TypeVar("Result")

# At most this much is prepared on the event loop, in about 4 ms. Under load a thread waits as long
# for its turn, and the next batch would start without these records.
AT_ONCE_RECORDS = 32
AT_ONCE_BYTES = 16 * 1024
# A call ends with the record that reaches either: lists make many items of one poll, whose bytes
# may hold copies of what the items share. It is a second of work, and bounds the memory beside it.
ITEMS_MAX = 2048
ITEMS_BYTES_MAX = 16 * 2**20
# Between two messages in lines of JSON.
_LINES = b"}\n{"


class _ToEncode(NamedTuple):
    """A message to score, what of its text is scored, and the language of that."""

    message: Message
    plain: Plain
    language: str | None


def prepared(
    decoder: Decoder,
    encoder: TextEncoder,
    languages: Languages,
    records: Sequence[Record],
    form: TextFormat = "plain",
) -> list[Item]:
    """The items of the first records, in the same order; those of a list are next to each other.

    Of at least one record, and of all of them, unless their lists make too many items: the caller
    calls again for the rest, behind the last record of an item that `is_last`.
    """
    found: list[_ToEncode | Unscored | Rejected | Skipped] = []
    size = 0
    for record in records:
        for decoded in decoder.decode(record):
            found.append(_to_encode(decoded, form, languages, skips_no_text=decoder.skips_no_text))
            size += len(decoded.record.value or b"")
        if len(found) >= ITEMS_MAX or size >= ITEMS_BYTES_MAX:
            break
    texts = [item for item in found if isinstance(item, _ToEncode)]
    documents = [
        Document(text.message, windows, _with_cuts(stats, text.plain), text.language)
        for text, (windows, stats) in zip(
            texts, encoder.encode([text.plain.text for text in texts]), strict=True
        )
    ]
    return with_results(found, _ToEncode, documents)


def to_score(
    message: Message, form: TextFormat, *, skips_no_text: bool
) -> Plain | Rejected | Skipped:
    """As `without_markup`; with `skips_no_text` a message is skipped where nothing is left."""
    plain = without_markup(message, form)
    if skips_no_text and isinstance(plain, Rejected) and plain.reason is Reason.TEXT_EMPTY:
        return Skipped(message.record, SkipReason.NO_TEXT)
    return plain


def without_markup(message: Message, form: TextFormat) -> Plain | Rejected:
    """What of a message's text is to be scored; a rejection where nothing is left of it."""
    try:
        plain = plain_text(message.text, form)
    except Exception as error:  # noqa: BLE001 - of a library; one text must not stop all others
        detail = (
            f"the text cannot be read as {form} ({type(error).__name__}); "
            "SENTIMENT_KAFKA__TEXT_FORMAT=plain scores it as it is"
        )
        return Rejected(message.record, Reason.WRONG_TYPE, detail, "decode")
    if not plain.text:
        return Rejected(message.record, Reason.TEXT_EMPTY, _nothing_left(plain, form), "decode")
    return plain


def _to_encode(
    decoded: Decoded, form: TextFormat, languages: Languages, *, skips_no_text: bool
) -> _ToEncode | Unscored | Rejected | Skipped:
    if not isinstance(decoded, Message):
        return decoded
    plain = to_score(decoded, form, skips_no_text=skips_no_text)
    if isinstance(plain, Rejected | Skipped):
        return plain
    language = languages.detect(plain.text)
    policy = languages.policy(language)
    if policy == "score":
        return _ToEncode(decoded, plain, language)
    if policy == "pass":
        return Unscored(decoded, language)
    detail = f"the text is in the language {language}, which the model is not for"
    return Rejected(decoded.record, Reason.OTHER_LANGUAGE, detail, "decode")


def _nothing_left(plain: Plain, form: TextFormat) -> str:
    cut = (
        f"{plain.quoted_chars} characters are quoted, {plain.signature_chars} of a signature, "
        f"{plain.code_chars} of code"
    )
    what = cut if any(plain[1:]) else "it is markup alone"
    return (
        f"nothing of the text is left as {form}: {what}; "
        "SENTIMENT_KAFKA__TEXT_FORMAT=plain scores such texts as they are"
    )


def _with_cuts(stats: TextStats, plain: Plain) -> TextStats:
    _, quoted, signature, code = plain
    if not (quoted or signature or code):
        return stats
    return replace(stats, quoted_chars=quoted, signature_chars=signature, code_chars=code)


class PrepareThread:
    """Runs `prepared` on its thread, or at once if there is little to do."""

    def __init__(
        self,
        decoder: Decoder,
        encoder: TextEncoder,
        languages: Languages,
        form: TextFormat = "plain",
    ) -> None:
        """The thread starts with the first call; `form` is the format of the records' texts."""
        self._decoder = decoder
        self._form = form
        self._encoder = encoder
        self._languages = languages
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="prepare")
        self._in_use = threading.Lock()

    async def __call__(self, records: Sequence[Record]) -> list[Item]:
        """Prepare records; see `prepared`."""
        work = partial(prepared, self._decoder, self._encoder, self._languages, records, self._form)
        lists = self._decoder.takes_lists_apart
        if _quick(records, self._form, lists=lists) and self._in_use.acquire(blocking=False):
            try:
                return work()
            finally:
                self._in_use.release()
        return await self._on_thread(work)

    async def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Encode texts that are not records; they are scored whatever their language is."""
        return await self._on_thread(partial(encoded, texts, self._encoder, self._languages))

    async def _on_thread(self, work: Callable[[], Result]) -> Result:
        def run() -> Result:
            with self._in_use:
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._executor, run)

    def close(self) -> None:
        """End the thread after its current work; may be called twice."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def _quick(records: Sequence[Record], form: TextFormat, *, lists: bool) -> bool:
    # To take markup out takes as long as all else.
    share = 1 if form == "plain" else 2
    if len(records) * share > AT_ONCE_RECORDS:
        return False
    values = [record.value or b"" for record in records]
    if sum(map(len, values)) * share > AT_ONCE_BYTES:
        return False
    # A short list may hold a thousand texts.
    return not (lists or any(value[:1] == b"[" or _LINES in value for value in values))
