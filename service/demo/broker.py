"""A Kafka broker inside the process: librdkafka's mock cluster, which speaks the real protocol.

Exists so that the demo needs no other program. The broker keeps at most 5 MB of messages for each
partition, in memory; only the demo may rely on it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException, Producer

from service.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# The broker is in this process, and answers in milliseconds or never.
ANSWER_TIMEOUT_S = 10


@contextmanager
def demo_broker(topics: Iterable[str] = ()) -> Iterator[str]:
    """Run a broker during the block; yields its address as host:port.

    Args:
        topics: created with 4 partitions each, the mock cluster's default.

    Raises:
        BrokerError: it does not start.
    """
    # This client owns the cluster, which ends with it, and never produces. The client requires an
    # address, and replaces it. It has no log, which would be written into the live view.
    owner = Producer(
        {"bootstrap.servers": "replaced:0", "test.mock.num.brokers": 1, "log_level": 0}
    )
    try:
        for topic in topics:
            owner.list_topics(topic, timeout=ANSWER_TIMEOUT_S)
        broker = next(iter(owner.list_topics(timeout=ANSWER_TIMEOUT_S).brokers.values()))
    except (KafkaException, StopIteration) as error:
        raise BrokerError(
            f"the demo's broker does not start ({error!r}); see that a port of 127.0.0.1 is free"
        ) from None
    yield f"{broker.host}:{broker.port}"
