"""Committing as a member of a generation, and reading offsets that cannot move any more.

On simulated and real Kafka, by sessions, whose producer's requests are counted or answered here.
"""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    IllegalGenerationError,
    KafkaConnectionError,
    KafkaError,
    ProducerFenced,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from service.errors import RejoinError, RetriableError
from service.kafka import KafkaSession
from service.kafka.client import generations
from service.kafka.client.error_codes import FENCED_INSTANCE_ID
from service.kafka.client.offset_requests import Membership
from tools.asking import (
    COMMIT,
    END,
    LOST,
    Requests,
    finish,
    of_version_one,
    polled_all,
    producer_of,
    refusing,
)
from tools.kafka.kinds import INPUTS, Real
from tools.kafka.sessions import (
    WAIT_SECONDS,
    inputs,
    joined,
    unretrieved,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import SimpleNamespace

    from tools.kafka.kinds import Simulated

__all__ = ["unretrieved"]

AGAIN = [14, 15, 16]


@pytest.mark.parametrize("arrived", [True, False], ids=["arrived", "lost"])
@pytest.mark.parametrize("kind", [COMMIT, END])
async def test_a_request_without_an_answer_is_not_sent_again(
    kind: str, exact: Simulated | Real, monkeypatch: pytest.MonkeyPatch, *, arrived: bool
) -> None:
    """It may arrive later: another epoch of the producer begins, and all comes out once.

    In transactions of version 2, whose epochs differ, it is: see the tests of those.
    """
    of_version_one(monkeypatch)
    session, outgoing = await polled_all(exact)
    producer = producer_of(session)
    epoch = producer._client._sender._txn_manager.producer_epoch
    asked = Requests(producer)
    asked.answers[kind] = [LOST if arrived else KafkaConnectionError("it was not sent")]

    with pytest.raises(RejoinError if kind == END else RetriableError):
        await session.publish(outgoing)

    assert 1 == asked.counts[kind]
    assert asked.counts[END] == (1 if kind == END else 0)
    session.rewind()
    assert list(range(3 * INPUTS)) == await finish(exact, session)
    # If all had been committed there was no need of another one yet.
    await session._delivery.prepare([])
    assert producer_of(session)._client._sender._txn_manager.producer_epoch > epoch


@pytest.mark.parametrize("kind", [COMMIT, END])
@pytest.mark.parametrize("code", AGAIN)
@pytest.mark.parametrize("version", [1, 2])
async def test_a_coordinator_that_moves_is_asked_again(
    version: int,
    kind: str,
    code: int,
    exact: Simulated | Real,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has answered, so nothing of the first request is left; one partition is as all."""
    if version == 1:
        of_version_one(monkeypatch)
    session, outgoing = await polled_all(exact)
    asked = Requests(producer_of(session))
    asked.answers[kind] = [
        refusing(kind, code),
        refusing(kind, 0, code) if kind == COMMIT else None,
    ]

    assert await session.publish(outgoing)

    assert asked.counts[kind] == (3 if kind == COMMIT else 2)
    assert list(range(3 * INPUTS)) == await finish(exact, session)


@pytest.mark.parametrize(
    ("codes", "error"),
    [
        ((22,), IllegalGenerationError),
        ((25,), UnknownMemberIdError),
        ((0, 27), RebalanceInProgressError),
        ((82,), FENCED_INSTANCE_ID),
        ((30,), GroupAuthorizationFailedError),
        # What is refused for good counts, wherever it stands.
        ((16, 22), IllegalGenerationError),
        ((25, 14), UnknownMemberIdError),
    ],
)
async def test_refused_offsets_fail_the_transaction(
    codes: Sequence[int],
    error: type[KafkaError],
    exact: Simulated | Real,
    unretrieved: list[str],  # noqa: ARG001 - looks at the end
) -> None:
    """With the broker's error; it is asked once, and the transaction cannot be committed."""
    session, _ = await polled_all(exact)
    producer = producer_of(session)
    asked = Requests(producer)
    asked.answers[COMMIT] = [refusing(COMMIT, *codes)]
    await producer.begin()

    with pytest.raises(error):
        await producer.send_offsets(
            dict.fromkeys(inputs(exact), 3), session._settings.group_id, Membership(1, "me")
        )

    assert 1 == asked.counts[COMMIT]
    with pytest.raises(error):
        await producer.commit()
    assert 0 == asked.counts[END]
    assert {} == await exact.committed()
    await session.stop()


@pytest.mark.kafka
async def test_a_refusal_that_nobody_waits_for_is_no_warning(
    real: Real,
    unretrieved: list[str],
) -> None:
    """A commit that is given up, as at its timeout, is refused afterwards."""
    session, _ = await polled_all(real)
    producer = producer_of(session)
    asked, gone = Requests(producer), asyncio.Event()
    manager = producer._client._sender._txn_manager

    def late(request: Any) -> SimpleNamespace:
        gone.set()
        return refusing(COMMIT, 22)(request)

    asked.answers[COMMIT] = [late]
    await producer.begin()
    offsets = dict.fromkeys(inputs(real), 3)
    sending = asyncio.ensure_future(
        producer.send_offsets(offsets, session._settings.group_id, Membership(1, "me"))
    )
    await asyncio.sleep(0)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    async with asyncio.timeout(WAIT_SECONDS):
        await gone.wait()
        while manager.is_in_transaction():  # noqa: ASYNC110 - aiokafka tells nobody else
            await asyncio.sleep(0.01)
    await session.stop()
    del sending
    gc.collect()
    nobody_saw, unretrieved[:] = list(unretrieved), []
    assert nobody_saw == []


@pytest.mark.parametrize("how", ["error_transaction", "fatal_error"])
async def test_a_producer_that_fails_by_itself_is_no_warning(
    how: str,
    unretrieved: list[str],  # noqa: ARG001 - looks at the end
) -> None:
    """As its sender does, after another process has started one of its id: no commit waits."""
    client = AIOKafkaProducer(transactional_id="t")
    generations.send_ends_once(client)
    manager = client._txn_manager
    manager.set_pid_and_epoch(1, 0)
    manager.begin_transaction()
    waiting = manager.add_offsets_to_txn({}, "g")

    getattr(manager, how)(ProducerFenced())
    # The sender ends behind an error of the transaction, too.
    manager.fatal_error(ProducerFenced())

    assert waiting.done()
    await client.stop()


async def test_real_memberships_are_checked(exact: Simulated | Real) -> None:
    """By brokers, not by answers made here: the session's own is accepted after those refused."""
    for change, error in (
        ({"generation": 99}, IllegalGenerationError),
        ({"member_id": "nobody-knows"}, UnknownMemberIdError),
        ({}, None),
    ):
        session = await joined(exact.session())
        assert isinstance(session, KafkaSession)
        producer = producer_of(session)
        mine = generations.membership(session._consumer)
        assert mine.generation > 0
        await producer.begin()
        offsets = dict.fromkeys(inputs(exact), 0)
        group = session._settings.group_id
        if error is None:
            await producer.send_offsets(offsets, group, mine)
            await producer.commit()
        else:
            with pytest.raises(error):
                await producer.send_offsets(offsets, group, mine._replace(**change))
            assert {} == await exact.committed()
        await session.stop()
    async with asyncio.timeout(WAIT_SECONDS):
        while dict.fromkeys(range(INPUTS), 0) != await exact.committed():  # noqa: ASYNC110 - markers come late
            await asyncio.sleep(0.02)
