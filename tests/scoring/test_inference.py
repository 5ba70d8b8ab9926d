"""The inference thread: every document gets its outcome, and a broken engine is an error."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.checkpoint.calibration import Calibration
from service.errors import ModelError, SettingsError
from service.records import Rejected, Verdict
from service.scoring.batch import TOKENS_MIN
from service.scoring.inference import Inference
from service.scoring.joining import END_SHARE
from service.scoring.readings import LogitsReader
from tools.scripted_engine import (
    WARM_UP,
    ScriptedEngine,
    assert_outcomes,
    document,
    documents,
    scorer,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
def engine() -> ScriptedEngine:
    """A scripted engine."""
    return ScriptedEngine()


@pytest.fixture
async def inference(engine: ScriptedEngine) -> AsyncIterator[Inference]:
    """A thread that has loaded it."""
    thread = Inference(lambda: engine, WARM_UP, scorer())
    await thread.start()
    engine.sizes.clear()
    yield thread
    engine.free.set()
    await thread.stop()


async def hold(engine: ScriptedEngine, scoring: asyncio.Task[object]) -> None:
    """Wait until a batch is on the held engine."""
    while not engine.busy.is_set():  # noqa: ASYNC110 - set by a thread
        await asyncio.sleep(0)
    assert not scoring.done()


async def test_outcomes_are_in_order(inference: Inference, engine: ScriptedEngine) -> None:
    """One run of the engine, one verdict each, with the likeliest label."""
    outcomes = await inference.score(documents(50))

    assert_outcomes(outcomes, 50)
    assert [50] == engine.sizes
    [verdict] = await inference.score([document(900)])
    assert isinstance(verdict, Verdict)
    reading = verdict.reading
    assert ("positive", reading.scores["positive"]) == (reading.label, reading.score)


async def test_an_empty_batch_has_no_outcomes(inference: Inference) -> None:
    """It needs no engine."""
    assert [] == await inference.score([])


@pytest.mark.parametrize("position", range(7))
async def test_poison_is_isolated(inference: Inference, position: int) -> None:
    """Its neighbours are scored, wherever it is."""
    assert_outcomes(await inference.score(documents(7, {position})), 7, {position})


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1)))))
def test_any_set_of_poison_is_isolated(case: tuple[int, set[int]]) -> None:
    """Up to all documents; the engine runs no more often than halving needs."""
    count, poisonous = case
    engine = ScriptedEngine()
    assert_outcomes(scorer().score(engine, documents(count, poisonous)), count, poisonous)

    # Each poisonous one takes two runs at each halving, and one of the known good texts.
    assert len(engine.sizes) <= 1 + len(poisonous) * (2 * count.bit_length() + 1)


async def test_the_detail_quotes_no_text(inference: Inference) -> None:
    """The detail of a rejection is the type of the error, without its message."""
    [outcome] = await inference.score(documents(1, {0}))

    assert isinstance(outcome, Rejected)
    assert "ValueError" == outcome.detail


async def test_a_broken_engine_rejects_no_document(
    inference: Inference, engine: ScriptedEngine
) -> None:
    """A known good text fails as well, so the engine is broken."""
    engine.error = RuntimeError("the device is gone")

    with pytest.raises(ModelError, match="the device is gone"):
        await inference.score(documents(5))
    with pytest.raises(ModelError, match="ended"):
        await inference.score(documents(5))


async def test_a_broken_engine_fails_the_waiting_batch_too(
    inference: Inference, engine: ScriptedEngine
) -> None:
    """A batch in the queue when the engine breaks does not wait forever."""
    engine.free.clear()
    engine.busy.clear()
    first = asyncio.create_task(inference.score(documents(1)))
    await hold(engine, first)
    second = asyncio.create_task(inference.score(documents(1)))
    await asyncio.sleep(0)
    engine.error = RuntimeError("the device is gone")
    engine.free.set()

    results = await asyncio.wait_for(asyncio.gather(first, second, return_exceptions=True), 10)

    assert [ModelError, ModelError] == [type(result) for result in results]


async def test_even_an_exit_is_an_error_of_the_model(
    inference: Inference, engine: ScriptedEngine
) -> None:
    """A library that calls sys.exit() on the thread ends the service with a message."""
    engine.error = SystemExit(3)

    with pytest.raises(ModelError, match="SystemExit"):
        await inference.score(documents(2))


@pytest.mark.parametrize("error", [RuntimeError("no such file"), MemoryError(), SystemExit(1)])
async def test_an_error_while_loading(error: BaseException) -> None:
    """Whatever the thread raises becomes a ModelError."""

    def load() -> ScriptedEngine:
        raise error

    inference = Inference(load, WARM_UP, scorer())
    with pytest.raises(ModelError, match="cannot be loaded"):
        await inference.start()
    with pytest.raises(ModelError, match="ended"):
        await inference.score(documents(1))
    await inference.stop()


async def test_an_error_of_the_service_is_kept() -> None:
    """It already says what to do."""

    def load() -> ScriptedEngine:
        raise SettingsError("install the torch extra")

    with pytest.raises(SettingsError, match="install the torch extra"):
        await Inference(load, WARM_UP, scorer()).start()


async def test_an_engine_that_fails_to_warm_up_is_not_used(engine: ScriptedEngine) -> None:
    """It fails before the first message."""
    engine.error = ValueError("wrong shape")

    with pytest.raises(ModelError, match="cannot be loaded: ValueError"):
        await Inference(lambda: engine, WARM_UP, scorer()).start()


async def test_the_thread_survives_a_cancelled_start() -> None:
    """The service may be stopped while it loads the model."""
    loading, loaded = threading.Event(), threading.Event()
    engine = ScriptedEngine()

    def load() -> ScriptedEngine:
        loading.set()
        assert loaded.wait(10)
        return engine

    inference = Inference(load, WARM_UP, scorer())
    starting = asyncio.create_task(inference.start())
    await asyncio.to_thread(loading.wait, 10)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    loaded.set()

    assert_outcomes(await inference.score(documents(2)), 2)
    await inference.stop()


async def test_the_thread_survives_a_cancelled_batch(
    inference: Inference, engine: ScriptedEngine
) -> None:
    """Its outcomes are discarded, and the next batch gets its own."""
    engine.free.clear()
    engine.busy.clear()
    first = asyncio.create_task(inference.score(documents(3)))
    await hold(engine, first)
    first.cancel()
    second = asyncio.create_task(inference.score(documents(5)))
    await asyncio.gather(first, return_exceptions=True)
    engine.free.set()

    assert first.cancelled()
    assert_outcomes(await second, 5)


async def test_stopping_twice_and_without_a_start(inference: Inference) -> None:
    """Both return at once; nothing is scored afterwards."""
    await inference.stop()
    await inference.stop()
    await Inference(ScriptedEngine, WARM_UP, scorer()).stop()

    with pytest.raises(ModelError, match="ended"):
        await inference.score(documents(1))


async def test_out_of_memory_makes_batches_smaller(
    inference: Inference, engine: ScriptedEngine
) -> None:
    """A batch that does not fit is scored in parts, and the next one is split beforehand."""
    engine.memory_tokens = 3 * TOKENS_MIN
    many = [document(number, tokens=TOKENS_MIN // 4) for number in range(40)]

    assert_outcomes(await inference.score(many), 40)
    failed = len(engine.sizes)
    engine.sizes.clear()
    assert_outcomes(await inference.score(many), 40)

    assert len(engine.sizes) < failed
    assert max(engine.sizes) * TOKENS_MIN // 4 <= engine.memory_tokens


async def test_no_memory_for_one_text_breaks_the_engine(
    inference: Inference, engine: ScriptedEngine
) -> None:
    """The text is not at fault, and does not become a dead letter."""
    engine.memory_tokens = 1

    with pytest.raises(ModelError, match="MemoryError"):
        await inference.score(documents(3))


async def test_windows_of_a_text_give_one_verdict(
    inference: Inference, engine: ScriptedEngine
) -> None:
    """The windows of all texts go to the engine in one run."""
    long = replace(document(0), windows=([1, 200], [1, 800]))
    outcomes = await inference.score([document(100), long, document(300)])

    assert [4] == engine.sizes
    scores = [o.reading.scores["positive"] for o in outcomes if isinstance(o, Verdict)]
    assert pytest.approx([0.12, 0.2 + 0.6 * END_SHARE, 0.32]) == scores


async def test_calibrated_scores_and_repeats() -> None:
    """Temperature, threshold and unsure label apply to verdicts, repeated or not."""
    reader = LogitsReader(
        Calibration(temperature=2.0, thresholds=(0.6, 0.6)), unsure_label="NEUTRAL"
    )
    inference = Inference(ScriptedEngine, WARM_UP, scorer(reader, 10))
    await inference.start()
    outcomes = await inference.score([document(480), document(880), document(480)])
    await inference.stop()

    found = [
        (o.reading.label, o.reading.confident, o.repeated)
        for o in outcomes
        if isinstance(o, Verdict)
    ]
    expected = [("NEUTRAL", False, False), ("positive", True, False), ("NEUTRAL", False, True)]
    assert expected == found
    scores = [o.reading.score for o in outcomes if isinstance(o, Verdict)]
    assert pytest.approx([0.5, 0.75, 0.5]) == scores
