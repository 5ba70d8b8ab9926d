"""Where records are prepared: a few short ones at once, on the event loop; else on the thread."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING

import pytest

from service.records import Document, Skipped, SkipReason, TextStats
from service.text import prepare as module
from service.text.language import Languages
from service.text.prepare import AT_ONCE_BYTES, AT_ONCE_RECORDS, PrepareThread
from tools.decoding import decoder
from tools.pipeline_tools import DECODER
from tools.values import record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from service.records import Record
    from service.text.encoder import Windows

STATS = TextStats(tokens=1, truncated=False, windows=1, unknown_share=0)


class NotedEncoder:
    """Records the thread of each call; while `go_on` is not set, calls on other threads block."""

    def __init__(self) -> None:
        """Let all calls go on."""
        self.threads: list[str] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def encode(self, texts: Sequence[str]) -> list[tuple[Windows, TextStats]]:
        """See `TextEncoder.encode`."""
        self.threads.append(threading.current_thread().name)
        if threading.current_thread() is not threading.main_thread():
            assert self.go_on.wait(30)
        return [(([0],), STATS) for _ in texts]


@pytest.fixture
def encoder() -> NotedEncoder:
    """Give an encoder that records its threads."""
    return NotedEncoder()


@pytest.fixture
def prepare(encoder: NotedEncoder) -> Iterator[PrepareThread]:
    """Give a thread that prepares with it."""
    languages = Languages((), "score")
    thread = PrepareThread(DECODER, encoder, languages)  # type: ignore[arg-type] # a stand-in
    yield thread
    thread.close()


def records(count: int, letters: int = 1) -> list[Record]:
    """`count` records, each with a text of `letters` letters."""
    value = json.dumps({"text": "x" * letters}).encode()
    return [record(offset, value) for offset in range(count)]


@pytest.mark.parametrize(
    ("count", "letters", "thread"),
    [
        (AT_ONCE_RECORDS, 1, "MainThread"),
        (AT_ONCE_RECORDS + 1, 1, "prepare_0"),
        (1, AT_ONCE_BYTES, "prepare_0"),
    ],
)
async def test_only_what_is_quick_is_prepared_at_once(
    prepare: PrepareThread, encoder: NotedEncoder, count: int, letters: int, thread: str
) -> None:
    """The event loop has heartbeats to send."""
    items = await prepare(records(count, letters))

    assert list(range(count)) == [item.record.offset for item in items]
    assert [thread] == encoder.threads


@pytest.mark.parametrize("value", [b'[{"text":"a"},{"text":"b"}]', b'{"text":"a"}\n{"text":"b"}'])
async def test_a_list_is_prepared_on_the_thread(
    prepare: PrepareThread, encoder: NotedEncoder, value: bytes
) -> None:
    """However short it is: it may hold a thousand texts."""
    assert 2 == len(await prepare([record(0, value)]))
    assert ["prepare_0"] == encoder.threads


async def test_where_settings_take_lists_apart_so_is_everything(encoder: NotedEncoder) -> None:
    """No record shows before it is decoded whether it is one."""
    by = decoder("/e/*/text")
    thread = PrepareThread(by, encoder, Languages((), "score"))  # type: ignore[arg-type]
    try:
        assert 2 == len(await thread([record(0, b'{"e":[{"text":"a"},{"text":"b"}]}')]))
    finally:
        thread.close()
    assert ["prepare_0"] == encoder.threads


@pytest.mark.parametrize(("bound", "most"), [("ITEMS_MAX", 10), ("ITEMS_BYTES_MAX", 150)])
async def test_a_call_ends_behind_the_record_that_makes_enough_items(
    prepare: PrepareThread, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    """With whole records, and with one at least: lists may hold a thousand texts each."""
    monkeypatch.setattr(module, bound, most)
    left = [record(at, json.dumps([{"text": "x"}] * 6).encode()) for at in range(5)]
    sizes = []
    while left:
        items = await prepare(left)
        sizes.append(len(items))
        assert items[-1].record.is_last
        left = left[sum(item.record.is_last for item in items) :]

    assert [12, 12, 6] == sizes


async def test_a_skipped_record_keeps_its_place_and_is_not_tokenized(
    prepare: PrepareThread,
) -> None:
    """Between the documents, so that its offset is committed in order."""
    first, last = records(2)
    tombstone = record(1, value=None)

    items = await prepare([first, tombstone, last])

    assert [Document, Skipped, Document] == [type(item) for item in items]
    assert Skipped(tombstone, SkipReason.TOMBSTONE) == items[1]


async def test_a_tokenizer_is_never_used_twice_at_a_time(
    prepare: PrepareThread, encoder: NotedEncoder
) -> None:
    """Records that come while the thread works wait for it, however few they are."""
    encoder.go_on.clear()
    aside = asyncio.create_task(prepare.encode(["a"]))
    while not encoder.threads:  # noqa: ASYNC110 - the thread cannot tell the loop
        await asyncio.sleep(0.001)
    few = asyncio.create_task(prepare(records(1)))
    await asyncio.sleep(0)
    assert ["prepare_0"] == encoder.threads
    encoder.go_on.set()

    assert 1 == len(await aside)
    assert 1 == len(await few)
    assert ["prepare_0", "prepare_0"] == encoder.threads
