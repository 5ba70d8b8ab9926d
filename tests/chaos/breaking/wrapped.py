"""The service process of a chaos run: the shipped service, with named points to be harmed at.

`python -m chaos.breaking.wrapped` is `sentiment-stream run` whose session, producer and engine are
subclasses or wrappers that pass named points; there, and only on an order of the harness, the
process kills or stops itself, or an answer of Kafka gets lost. All else is the service's own.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from aiokafka.errors import RequestTimedOutError

import service.assembly
import service.kafka.delivery
import service.kafka.session
from chaos.breaking.stacks import write_on_signal
from chaos.messages import POISON_WORD
from chaos.orders import (
    ENGINE_VARIABLE,
    HELD_AND_COMMITTED,
    SABOTAGE_VARIABLE,
    TRANSACTION_VARIABLE,
    Order,
    Orders,
    Point,
)
from service.bench.null import NullEngine
from service.checkpoint.tokenizer import load_tokenizer
from service.cli import main
from service.engines import load_engine
from service.kafka import KafkaSession
from service.kafka.delivery import ExactlyOnce
from service.kafka.producer import Producer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from service.checkpoint.files import Checkpoint
    from service.kafka.smaller import Failed
    from service.ports import Engine
    from service.records import ModelInfo, Outgoing, Record
    from service.settings import KafkaSettings, ModelSettings

ORDERS = Orders.of_this_process()


def passed(point: Point) -> bool:
    """Say that a point is reached; what the harness ordered for it happens here, if it did.

    Raises:
        RequestTimedOutError: ordered to fail: as when Kafka's answer is lost.
    """
    order = ORDERS.take(point)
    if order is not None:
        carry_out(order)
    return order is not None


def carry_out(order: Order) -> None:
    """Do what an order says, on the thread that passes the point."""
    match order.deed:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "fail":
            raise RequestTimedOutError("by order of the harness")
        case "hang":
            threading.Event().wait()
        case "slow":
            time.sleep(order.seconds)
            ORDERS.record("slow and back")
        case "raise":
            raise AssertionError("only an engine that is broken for good raises")


class PointedProducer(Producer):
    """The service's producer, passing points around what it sends."""

    def __init__(
        self,
        options: Mapping[str, Any],
        transactional_id: str | None = None,
        *more: Any,
        **named: Any,
    ) -> None:
        """See `Producer`."""
        super().__init__(options, transactional_id, *more, **named)
        # Whether this transaction was held up when it had its offsets.
        self._held = False
        if transactional_id is not None:
            ORDERS.publish_as(transactional_id)

    async def begin(self) -> None:
        """See `Producer.begin`."""
        await super().begin()
        self._held = False

    async def send_offsets(self, *arguments: Any) -> None:
        """See `Producer.send_offsets`."""
        await super().send_offsets(*arguments)
        self._held = passed("after offsets")

    async def commit(self) -> None:
        """See `Producer.commit`."""
        passed("before the end")
        await super().commit()
        if self._held:
            ORDERS.record(HELD_AND_COMMITTED)
        passed("after the end")

    async def send_each(self, outgoing: Sequence[Outgoing]) -> Failed:
        """See `Producer.send_each`."""
        failed = await super().send_each(outgoing)
        passed("after send")
        return failed


def _then(call: Callable[..., Awaitable[None]], point: Point) -> Callable[..., Awaitable[None]]:
    async def around(*arguments: Any) -> None:
        await call(*arguments)
        passed(point)

    return around


class PointedExactlyOnce(ExactlyOnce):
    """The service's transactions, passing a point before the time that each may take begins.

    They may be open for longer than the settings allow.
    """

    def __init__(self, options: Mapping[str, Any], settings: KafkaSettings) -> None:
        """See `ExactlyOnce`."""
        super().__init__(options, settings)
        if TRANSACTION_VARIABLE in os.environ:
            self._timeout_ms = int(os.environ[TRANSACTION_VARIABLE])

    async def _transact(self, *arguments: Any) -> Any:
        # Frozen later, a process knows by its own clock that it is too late.
        passed("before the transaction")
        return await super()._transact(*arguments)


class PointedSession(KafkaSession):
    """The service's session, passing points behind a poll and, at least once, behind a commit."""

    async def poll(self, *partitions: Any, **options: Any) -> list[Record]:
        """See `ports.Session.poll`; an older tree's may know fewer options."""
        records = await super().poll(*partitions, **options)
        if records:
            passed("after poll")
        return records

    async def _join(self) -> None:
        await super()._join()
        self._consumer.commit = _then(self._consumer.commit, "after offsets")


class PointedEngine:
    """An engine that passes a point, and that no poisonous text gets through."""

    def __init__(self, engine: Engine, poison: int) -> None:
        """`poison` is the token that it fails on."""
        self._engine = engine
        self._poison = poison
        self._warm = False
        self._broken = False

    @property
    def info(self) -> ModelInfo:
        """See `ports.Engine`."""
        return self._engine.info

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """See `ports.Engine`."""
        if not self._warm:
            self._warm = True
            return self._engine.logits(sequences)
        order = ORDERS.take("in inference")
        if order is not None and order.deed == "raise":
            self._broken = True
        elif order is not None:
            carry_out(order)
        if self._broken:
            raise RuntimeError("broken by order of the harness")
        if any(self._poison in ids for ids in sequences):
            raise ValueError("poison")
        return self._engine.logits(sequences)


def pointed_engine(settings: ModelSettings, checkpoint: Checkpoint) -> PointedEngine:
    """Stands for `service.engines.load_engine`."""
    poison = load_tokenizer(checkpoint).token_to_id(POISON_WORD)
    assert poison is not None, f"{POISON_WORD} is no token of this model"
    # The null engine says the same of every text: what is judged then is how records travel.
    null = os.environ.get(ENGINE_VARIABLE) == "null"
    engine = NullEngine(checkpoint.labels) if null else load_engine(settings, checkpoint)
    return PointedEngine(engine, poison)


def install() -> None:
    """Put the wrappers in the places of what they wrap."""
    vars(service.assembly).update(load_engine=pointed_engine, KafkaSession=PointedSession)
    vars(service.kafka.delivery).update(Producer=PointedProducer)
    vars(service.kafka.session).update(ExactlyOnce=PointedExactlyOnce)
    if sabotage := os.environ.get(SABOTAGE_VARIABLE):
        from chaos.breaking.sabotage import sabotage_by  # noqa: PLC0415 - builds on what is above

        sabotage_by(sabotage)


if __name__ == "__main__":
    write_on_signal()
    install()
    main(["run"])
