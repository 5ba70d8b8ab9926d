"""HTTP requests on the inference thread: the same scores, after the stream, never in its way."""

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

# Which never comes; and a bound that a test waits for.
LONG_S, SHORT_S = 60.0, 0.05


class Stream:
    """Whether the stream is said to wait for the model."""

    def __init__(self) -> None:
        """It does not."""
        self.waits = False


@pytest.fixture(autouse=True)
def _answer_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service.scoring.inference, "REQUEST_ANSWER_S", LONG_S)


@pytest.fixture
def engine() -> ScriptedEngine:
    """Give an engine."""
    return ScriptedEngine()


@pytest.fixture
def stream() -> Stream:
    """Give a stream that has nothing to score."""
    return Stream()


@pytest.fixture
async def inference(engine: ScriptedEngine, stream: Stream) -> AsyncIterator[Inference]:
    """Give a thread that has loaded the engine."""
    thread = Inference(lambda: engine, WARM_UP, scorer(), stream_waits=lambda: stream.waits)
    await thread.start()
    engine.sizes.clear()
    yield thread
    engine.free.set()
    await thread.stop()


def _text(number: int, tokens: int = 2) -> Encoded:
    return Encoded(document(number, tokens=tokens).windows, STATS, None)


async def _held(engine: ScriptedEngine, inference: Inference) -> asyncio.Task[object]:
    """A batch of the stream that stays on the engine."""
    engine.free.clear()
    engine.busy.clear()
    scoring: asyncio.Task[object] = asyncio.create_task(inference.score(documents(1)))
    while not engine.busy.is_set():  # noqa: ASYNC110 - set by a thread
        await asyncio.sleep(0)
    return scoring


async def _waits(inference: Inference) -> None:
    """Until a request waits for its turn."""
    async with asyncio.timeout(10):
        while inference._turns._request is None:  # noqa: ASYNC110 - a state of the object itself
            await asyncio.sleep(0)


async def test_a_text_reads_the_same_as_in_the_stream(inference: Inference) -> None:
    """Label, score, whether confident, and all probabilities, of long texts too."""
    several = [document(number, tokens=3 + number) for number in range(40)]
    verdicts = await inference.score(several)

    readings = await inference.score_request(
        [Encoded(d.windows, d.stats, d.language) for d in several]
    )

    assert [v.reading for v in verdicts if isinstance(v, Verdict)] == readings


async def test_nothing_needs_no_engine(inference: Inference, engine: ScriptedEngine) -> None:
    """No texts, no readings."""
    assert [] == await inference.score_request([])
    assert [] == engine.sizes


async def test_runs_are_small(inference: Inference, engine: ScriptedEngine) -> None:
    """So that a batch of the stream waits for one at most; a longer window has a run of its own."""
    texts = [_text(n, tokens=200) for n in range(5)] + [_text(5, tokens=REQUEST_TOKENS_MAX + 100)]

    readings = await inference.score_request(texts)

    assert [2, 2, 1, 1] == engine.sizes
    assert [(20 + n) / 1000 for n in range(6)] == pytest.approx(
        [reading.scores["positive"] for reading in readings]
    )


async def test_the_stream_goes_first(inference: Inference, engine: ScriptedEngine) -> None:
    """A batch that comes after a request is on the model before it."""
    first = await _held(engine, inference)
    request = asyncio.create_task(inference.score_request([_text(1)] * 2))
    await _waits(inference)
    second = asyncio.create_task(inference.score(documents(3)))
    await asyncio.sleep(0)
    engine.free.set()
    await asyncio.gather(first, request, second)

    assert [1, 3, 2] == engine.sizes


async def test_between_two_runs_the_stream_has_its_turn(
    inference: Inference, engine: ScriptedEngine
) -> None:
    """A long request is in nobody's way for longer than one of its runs."""
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


async def test_while_the_stream_waits_there_is_no_turn(
    inference: Inference, engine: ScriptedEngine, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks is sent away in the end; when the stream is idle again, there is one."""
    monkeypatch.setattr(service.scoring.inference, "REQUEST_ANSWER_S", SHORT_S)
    stream.waits = True
    with pytest.raises(BusyError, match="ask again later"):
        await inference.score_request([_text(1)])
    assert [] == engine.sizes

    monkeypatch.setattr(service.scoring.inference, "REQUEST_ANSWER_S", LONG_S)
    asking = asyncio.create_task(inference.score_request([_text(1)]))
    await asyncio.sleep(0)
    stream.waits = False
    assert 1 == len(await asking)


async def test_many_that_are_sent_away_leave_the_streams_place_free(
    inference: Inference, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model hangs: requests get their error, and the stream's put is never refused."""
    monkeypatch.setattr(service.scoring.inference, "REQUEST_ANSWER_S", SHORT_S)
    first = await _held(engine, inference)
    asking = [inference.score_request([_text(1)]) for _ in range(20)]
    refused = await asyncio.gather(*asking, return_exceptions=True)
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
    # What was given up is never run.
    assert [5] == engine.sizes


async def test_poison_in_a_request_is_its_own_fault(inference: Inference) -> None:
    """The thread goes on, for both."""
    with pytest.raises(InputError, match="one of these texts"):
        await inference.score_request([Encoded(([POISON, 1],), STATS, None)])

    assert 1 == len(await inference.score_request([_text(1)]))
    assert 2 == len(await inference.score(documents(2)))


async def test_a_broken_engine_is_an_error_for_both(
    inference: Inference, engine: ScriptedEngine
) -> None:
    """Found by a request, it ends the thread; the stream and all who wait get the error."""
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


async def test_an_engine_that_breaks_on_a_text_from_aside(
    inference: Inference, engine: ScriptedEngine
) -> None:
    """Known good texts fail too: the thread has ended, and says so before the stream asks."""
    engine.error = RuntimeError("the device is gone")
    with pytest.raises(ModelError, match="the device is gone"):
        await inference.score_request([_text(1)])

    inference._thread.join(10)
    assert inference.has_ended
    with pytest.raises(ModelError, match="ended"):
        await inference.score(documents(1))


async def test_nothing_waits_for_ever_at_the_stop(
    inference: Inference, engine: ScriptedEngine
) -> None:
    """What has no turn any more is told so."""
    first = await _held(engine, inference)
    request = asyncio.create_task(inference.score_request([_text(1)]))
    await _waits(inference)
    stopping = asyncio.create_task(inference.stop())
    with pytest.raises(ModelError, match="ended"):
        await request
    engine.free.set()
    await asyncio.gather(first, stopping)
    assert inference.has_ended
