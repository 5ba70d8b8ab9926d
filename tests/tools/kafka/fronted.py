"""A broker whose second listener tells clients the address of a proxy that a test puts before it.

Exists so that a client which is told the proxy meets no other port. May not import the service.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tools.kafka.jar_broker import HOST, JarBroker, free_ports
from tools.kafka.jars import fetch_jars

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

FRONT = "FRONT"


@contextlib.contextmanager
def fronted_broker(**options: Any) -> Iterator[tuple[JarBroker, int]]:
    """Give a broker, and the port that its second listener tells clients to use.

    `options` are others of `JarBroker`.

    Raises:
        BrokerUnavailableError: the jars cannot be had, or Java cannot run them.
    """
    libraries = fetch_jars()
    *own, front = free_ports(4)
    advertised = f"PLAINTEXT://{HOST}:{own[0]},{FRONT}://{HOST}:{front}"
    # Kafka may still be deleting a segment when it is killed.
    with tempfile.TemporaryDirectory(
        prefix="sentiment-stream-kafka-", ignore_cleanup_errors=True
    ) as folder:
        broker = JarBroker(
            libraries,
            Path(folder),
            {FRONT: "PLAINTEXT"},
            {"advertised.listeners": advertised},
            own,
            **options,
        )
        try:
            broker.start()
            yield broker, front
        finally:
            broker.kill()
