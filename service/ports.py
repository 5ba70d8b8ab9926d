"""The interfaces that the pipeline uses, as Protocols: Kafka, a scorer, an engine, a clock.

Exists so that `pipeline` can be read and tested without Kafka or a model. Signatures only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from service.progress import Progress, Reached
    from service.records import (
        Document,
        ModelInfo,
        Partition,
        Publication,
        Record,
        Rejected,
        Verdict,
    )


class Clock(Protocol):
    """The pipeline's source of time, which a simulation can replace."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    def time(self) -> float:
        """Seconds since 1970, UTC."""

    async def sleep(self, seconds: float) -> None:
        """Wait before a retry; never used to fill a batch."""


class Session(Protocol):
    """The consumer group membership and the producer, as one object.

    They are one because a commit depends on the assignment: no record that was polled in an older
    epoch may be published.
    """

    progress: Progress
    rebalances: int
    held: Mapping[Partition, int]
    """By partition, as of the last `lag`: records that wait for an open transaction to end."""

    @property
    def joined(self) -> bool:
        """Whether this member has its assignment, which may be empty, and all positions are set."""

    @property
    def lost(self) -> Mapping[Partition, int]:
        """By partition, how many records this session has passed over unread.

        They had expired, or the group's offset had, and it begins at the end.
        Counted as offsets, some of which may have held no record.
        """

    @property
    def throttled_s(self) -> float:
        """Seconds for which brokers have throttled this session's publishing so far."""

    async def start(self) -> None:
        """Connect, check the topics, and join the group.

        Raises:
            RetriableError: the cluster cannot be reached now.
            BrokerError: waiting does not help (no permission, wrong credentials, unknown topic).
        """

    async def poll(self, crowded: Collection[Partition] = (), *, few: bool = False) -> list[Record]:
        """Wait briefly for records of the assigned partitions; returns none if none arrive.

        Partitions with records get equal shares of what is returned, which is little if only a
        `few` records are wanted. Of those that are `crowded` nothing is returned; then few records
        of others are, and the wait is shorter: none, or some milliseconds if a `few` are wanted.

        First seeks every newly assigned or rewound partition to its committed offset, or to the
        first offset that is not published.

        Raises:
            RetriableError, BrokerError: as for `start`.
        """

    @property
    def behind(self) -> frozenset[Partition]:
        """The partitions of which the last poll has left records at the client: a backlog."""

    async def keep_alive(self) -> None:
        """Stay in the group while nothing may be polled because all queues are full.

        Raises:
            RetriableError, BrokerError: as for `start`.
        """

    async def publish(self, publication: Publication) -> bool:
        """Publish and commit; returns False if an older epoch's publication was dropped.

        Raises:
            RetriableError: it may not have been published; rewind and read again.
            BrokerError: as for `start`.
        """

    def rewind(self) -> None:
        """Begin a new epoch: the next poll reads again from the committed offsets."""

    async def lag(self) -> dict[Partition, int]:
        """Number of records not yet published, for each assigned partition.

        Includes records that an open transaction of their producer holds back.

        Raises:
            RetriableError, BrokerError: as for `start`.
        """

    async def stop(self) -> None:
        """Leave the group and close all connections; may be called twice, or before `start`."""


class EndingSession(Session, Protocol):
    """A session that returns no record behind ends that were fixed when it started."""

    async def reached(self) -> Reached:
        """How far the whole group is, by what it has committed.

        Raises:
            RetriableError, BrokerError: as for `start`.
        """


class Scorer(Protocol):
    """Runs documents through the model, off the event loop."""

    async def score(self, documents: Sequence[Document]) -> list[Verdict | Rejected]:
        """Score documents; one outcome each, in the same order.

        Raises:
            ModelError: the model has stopped working; the process must be restarted.
        """


class Engine(Protocol):
    """One way to run a model; used from one thread only."""

    @property
    def info(self) -> ModelInfo:
        """The model and how it runs."""

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """The model's raw output for token sequences, special tokens included, all of it finite.

        Shape (sequences, labels), float32. Those of an empty sequence are 0, in favour of no label.

        Raises:
            ModelError: a number is not finite, or the device has failed.
        """
