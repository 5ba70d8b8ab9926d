"""HTTP requests on the inference thread: the same scores as the stream, which goes first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import service.scoring.inference
from service.errors import BusyError, InputError, ModelError
from service.records import Encoded, Verdict
from service.scoring.inference import REQUEST_TOKENS_MAX, Inference
from tools.scripted_engine import (
    POISON,
    STATS,
    WARM_UP,
    ScriptedEngine,
    document,
    documents,
    scorer,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# A timeout that is never reached, and one that a test waits for.
LONG_S, SHORT_S = 60.0, 0.05


class Stream:
    """A stream that waits for the model, or does not."""

    def __init__(self) -> None:
        """Start with a stream that does not wait."""
        self.waits = False


@pytest.fixture(autouse=True)
def _answer_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service.scoring.inference, "REQUEST_ANSWER_S", LONG_S)


@pytest.fixture
def engine() -> ScriptedEngine:
    """A scripted engine."""
    return ScriptedEngine()


@pytest.fixture
def stream() -> Stream:
    """A stream that has nothing to score."""
    return Stream()


@pytest.fixture
async def inference(engine: ScriptedEngine, stream: Stream) -> AsyncIterator[Inference]:
    """A thread that has loaded the engine."""
    thread = Inference(lambda: engine, WARM_UP, scorer(), stream_waits=lambda: stream.waits)
    await thread.start()
    engine.sizes.clear()
    yield thread
    engine.free.set()
    await thread.stop()


def _text(number: int, tokens: int = 2) -> Encoded:
    return Encoded(document(number, tokens=tokens).windows, STATS, None)


async def _held(engine: ScriptedEngine, inference: Inference) -> asyncio.Task[object]:
    """Score a batch of the stream that stays on the engine."""
    engine.free.clear()
    engine.busy.clear()
    scoring: asyncio.Task[object] = asyncio.create_task(inference.score(documents(1)))
    while not engine.busy.is_set():  # noqa: ASYNC110 - set by a thread
        await asyncio.sleep(0)
    return scoring


async def _waits(inference: Inference) -> None:
    """Wait until a request waits for its turn."""
    async with asyncio.timeout(10):
        while inference._turns._request is None:  # noqa: ASYNC110 - a state of the object itself
            await asyncio.sleep(0)


async def test_readings_are_the_same_as_in_the_stream(inference: Inference) -> None:
    """All figures, also for long texts."""
    several = [document(number, tokens=3 + number) for number in range(40)]
    verdicts = await inference.score(several)

    readings = await inference.score_request(
        [Encoded(d.windows, d.stats, d.language) for d in several]
    )

    assert [v.reading for v in verdicts if isinstance(v, Verdict)] == readings


async def test_no_texts_need_no_engine(inference: Inference, engine: ScriptedEngine) -> None:
    """And have no readings."""
    assert [] == await inference.score_request([])
    assert [] == engine.sizes


async def test_runs_are_small(inference: Inference, engine: ScriptedEngine) -> None:
    """So that a batch of the stream waits for a short one; a longer window has its own run."""
    texts = [_text(n, tokens=200) for n in range(5)] + [_text(5, tokens=REQUEST_TOKENS_MAX + 100)]

    readings = await inference.score_request(texts)

    assert [2, 2, 1, 1] == engine.sizes
    assert [(20 + n) / 1000 for n in range(6)] == pytest.approx(
        [reading.scores["positive"] for reading in readings]
    )


async def test_the_stream_goes_first(inference: Inference, engine: ScriptedEngine) -> None:
    """A batch that arrives after a request runs before it."""
    first = await _held(engine, inference)
    request = asyncio.create_task(inference.score_request([_text(1)] * 2))
    await _waits(inference)
    second = asyncio.create_task(inference.score(documents(3)))
    await asyncio.sleep(0)
    engine.free.set()
    await asyncio.gather(first, request, second)

    assert [1, 3, 2] == engine.sizes


async def test_the_stream_runs_between_two_runs_of_a_request(
    inference: Inference, engine: ScriptedEngine
) -> None:
    """A long request delays the stream by one of its runs at most."""
    engine.free.clear()
    engine.busy.clear()
    request = asyncio.create_task(inference.score_request([_text(1, REQUEST_TOKENS_MAX)] * 3))
    while not engine.busy.is_set():  # noqa: ASYNC110 - set by a thread
        await asyncio.sleep(0)
    batch = asyncio.create_task(inference.score(documents(7)))
    await asyncio.sleep(0)
    engine.free.set()
    await asyncio.gather(request, batch)

    assert [1, 7, 1, 1] == engine.sizes


async def test_requests_wait_while_the_stream_waits(
    inference: Inference, engine: ScriptedEngine, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are refused after a timeout; when the stream is idle again, they are scored."""
    monkeypatch.setattr(service.scoring.inference, "REQUEST_ANSWER_S", SHORT_S)
    stream.waits = True
    with pytest.raises(BusyError, match="ask again later"):
        await inference.score_request([_text(1)])
    assert [] == engine.sizes

    monkeypatch.setattr(service.scoring.inference, "REQUEST_ANSWER_S", LONG_S)
    waiting = asyncio.create_task(inference.score_request([_text(1)]))
    await asyncio.sleep(0)
    stream.waits = False
    assert 1 == len(await waiting)


async def test_refused_requests_leave_the_streams_place_free(
    inference: Inference, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model hangs: requests get an error, and batches of the stream can still be added."""
    monkeypatch.setattr(service.scoring.inference, "REQUEST_ANSWER_S", SHORT_S)
    first = await _held(engine, inference)
    requests = [inference.score_request([_text(1)]) for _ in range(20)]
    refused = await asyncio.gather(*requests, return_exceptions=True)
    assert {BusyError} == {type(error) for error in refused}
    for _ in range(3):
        with pytest.raises(BusyError):
            await inference.score_request([_text(1)])

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SHORT_S):
            await inference.score(documents(2))
    engine.free.set()
    await first
    engine.sizes.clear()
    assert 5 == len(await inference.score(documents(5)))
    # Cancelled work is never run.
    assert [5] == engine.sizes


async def test_poison_in_a_request_fails_that_request(inference: Inference) -> None:
    """Later requests and batches are scored."""
    with pytest.raises(InputError, match="one of these texts"):
        await inference.score_request([Encoded(([POISON, 1],), STATS, None)])

    assert 1 == len(await inference.score_request([_text(1)]))
    assert 2 == len(await inference.score(documents(2)))


async def test_a_broken_engine_is_an_error_for_both(
    inference: Inference, engine: ScriptedEngine
) -> None:
    """It ends the thread; the batch and the waiting request get the error."""
    first = await _held(engine, inference)
    request = asyncio.create_task(inference.score_request([_text(1)]))
    await _waits(inference)
    engine.error = RuntimeError("the device is gone")
    engine.free.set()
    found = await asyncio.gather(first, request, return_exceptions=True)
    assert [ModelError, ModelError] == [type(error) for error in found]

    with pytest.raises(ModelError, match="ended"):
        await inference.score_request([_text(1)])
    with pytest.raises(ModelError, match="ended"):
        await inference.score(documents(1))


async def test_an_engine_that_breaks_on_a_request(
    inference: Inference, engine: ScriptedEngine
) -> None:
    """Known good texts fail too, so the thread ends, which shows before the next batch."""
    engine.error = RuntimeError("the device is gone")
    with pytest.raises(ModelError, match="the device is gone"):
        await inference.score_request([_text(1)])

    inference._thread.join(10)
    assert inference.has_ended
    with pytest.raises(ModelError, match="ended"):
        await inference.score(documents(1))


async def test_stopping_fails_a_waiting_request(
    inference: Inference, engine: ScriptedEngine
) -> None:
    """It does not wait forever."""
    first = await _held(engine, inference)
    request = asyncio.create_task(inference.score_request([_text(1)]))
    await _waits(inference)
    stopping = asyncio.create_task(inference.stop())
    with pytest.raises(ModelError, match="ended"):
        await request
    engine.free.set()
    await asyncio.gather(first, stopping)
    assert inference.has_ended
