"""Reading output topics once, for `compare`: no group, nothing committed, nothing written.

Each topic is read by a call of its own, so that whoever joins two of them can keep them in step.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from service.errors import BrokerError
from service.kafka.client.connection import check_access, connection_options
from service.kafka.once.reader import TopicReader

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from service.records import Record
    from service.settings import KafkaSettings

READ_TIMEOUT_MS = 500
# A broker takes a moment to know a topic that was just created.
TOPIC_WAIT_S = 3.0
RECORDS_MAX = 500


class Outputs:
    """Committed records of some topics, from the first to the ends at the time of opening."""

    def __init__(self, settings: KafkaSettings, topics: Sequence[str]) -> None:
        """Connect to nothing yet."""
        self._topics = topics
        self._options = connection_options(settings)
        self._reader = TopicReader(self._options, topics)

    @property
    def total(self) -> int:
        """The offsets from the beginnings to the ends; some of them may hold no record."""
        return self._reader.total

    async def __aenter__(self) -> Self:
        """Connect, check that the topics exist, and find where they begin and end.

        Raises:
            RetriableError, BrokerError: the brokers cannot be reached, or refuse.
            BrokerError: topics do not exist, all of which it names.
        """
        try:
            await check_access(self._options)
            await self._reader.connect()
            await self._check_topics()
            await self._reader.seek()
        except BaseException:
            await self._reader.stop()
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

    async def _check_topics(self) -> None:
        # Asks for the list of all topics: a broker may create a topic that is asked for by name.
        deadline = time.monotonic() + TOPIC_WAIT_S
        while missing := set(self._topics) - await self._reader.existing_topics():
            if time.monotonic() > deadline:
                names = " and no topic ".join(sorted(missing))
                raise BrokerError(f"there is no topic {names}; name two output topics")
            await asyncio.sleep(TOPIC_WAIT_S / 10)

    def has_more(self, topic: str) -> bool:
        """Whether the end of the topic is not reached yet."""
        return self._reader.has_more(topic)

    async def read(self, topic: str) -> list[Record]:
        """The next records of a topic; none if none came in time, or at its end.

        Raises:
            RetriableError, BrokerError: the brokers do not answer, or refuse.
        """
        fetched = await self._reader.read(topic, READ_TIMEOUT_MS, RECORDS_MAX)
        return [record for records in fetched.values() for record in records]
