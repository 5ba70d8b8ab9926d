"""Reading a dead-letter topic once, and sending letters back, for `replay`.

The letters that are sent back and the offset behind them are committed in one transaction: a replay
that is interrupted goes on from there, and sends nothing twice.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError

from service.errors import RetriableError
from service.kafka.client.connection import connection_options, translating
from service.kafka.once.reader import TopicReader
from service.kafka.producer import Producer
from service.progress import next_offsets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from types import TracebackType
    from typing import Self

    from service.records import Outgoing, Record
    from service.settings import KafkaSettings

READ_TIMEOUT_MS = 1000
# Empty reads in a row before the end that are taken for a failure of the brokers.
IDLE_READS_MAX = 5
RECORDS_MAX = 256
TRANSACTION_MS = 60_000


class Letters:
    """A dead-letter topic, from where this group's last replay ended to its end at opening."""

    def __init__(self, settings: KafkaSettings, selection_id: str) -> None:
        """Connect to nothing yet; each selection of letters commits offsets of its own."""
        self._topic = settings.dead_letter_topic
        self._group = f"{settings.group_id}-replay-{selection_id}"
        options = connection_options(settings)
        self._producer = Producer(options, self._group, TRANSACTION_MS)
        self._reader = TopicReader(options, [self._topic], self._group)

    @property
    def total(self) -> int:
        """The offsets from the start to the end; some of them may hold no letter."""
        return self._reader.total

    @property
    def passed(self) -> int:
        """The offsets that earlier replays of this selection have read and committed."""
        return self._reader.passed

    async def __aenter__(self) -> Self:
        """Connect, and find where the topic is to be read from and where it ends.

        Raises:
            RetriableError, BrokerError: the brokers cannot be reached, or refuse.
        """
        try:
            with translating():
                # First: this settles a transaction that an interrupted replay has left open, so
                # the offsets which the reader asks for are final.
                await self._producer.start(self._group)
                await self._producer.check_topics([self._topic])
            await self._reader.connect()
            await self._reader.seek()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self._reader.stop()
        await self._producer.stop()

    async def read(self) -> AsyncIterator[list[Record]]:
        """Letters of one partition at a time, in order.

        Raises:
            RetriableError: the brokers do not answer, or give no more before the end.
        """
        idle = 0
        while self._reader.has_more(self._topic):
            if idle >= IDLE_READS_MAX:
                raise RetriableError(
                    f"no letter of {self._topic} came for {idle * READ_TIMEOUT_MS / 1000:g} s, and "
                    "not all are read; run the replay again, it goes on where it ended"
                )
            fetched = await self._reader.read(self._topic, READ_TIMEOUT_MS, RECORDS_MAX)
            idle = 0 if fetched else idle + 1
            for letters in fetched.values():
                yield letters

    async def send(self, outgoing: Sequence[Outgoing], read: Sequence[Record]) -> None:
        """Send letters back, and commit the offset behind all of `read`, in one transaction.

        Raises:
            RetriableError: the transaction failed, or it is not known whether it ended; a new
                replay goes on from what is committed.
        """
        ending = False
        try:
            async with asyncio.timeout(TRANSACTION_MS / 1000):
                await self._producer.begin()
                failed = await self._producer.send_each(outgoing)
                if failed:
                    raise failed[0][1]
                await self._producer.send_offsets(next_offsets(read), self._group, None)
                # From here on the brokers may have committed, whatever becomes of their answer.
                ending = True
                await self._producer.commit()
        except (KafkaError, TimeoutError, RetriableError) as error:
            reason = str(error) if isinstance(error, RetriableError) else type(error).__name__
            became, where = "were not sent", "from there"
            if ending:
                became, where = "may have been sent or not", "behind what was sent"
            raise RetriableError(
                f"the letters from {read[0].partition.topic}/{read[0].partition.number} offset "
                f"{read[0].offset} {became} ({reason}); run the replay again, it goes on {where}"
            ) from error
