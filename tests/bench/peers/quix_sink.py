"""Quix Streams: batches gathered by a sink of one's own and scored at each checkpoint.

What its guide on sinks has for destinations that want batches; `commit_every` sets their size. The
one way that it has to score several messages at once, each with its key, without waiting for more
of the same key. Offsets are committed after the flush: at least once. May not import the service.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from quixstreams import Application
from quixstreams.sinks import BaseSink

from bench.peers.scoring import BATCH, BOOTSTRAP, GROUP, INPUT, OUTPUT, WITHIN_S, load_scorer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from quixstreams.kafka import Producer


class ScoringSink(BaseSink):
    """Gathers posts, and publishes their events when the checkpoint flushes it."""

    def __init__(
        self, score: Callable[[Sequence[dict[str, Any]]], list[dict[str, Any]]], producer: Producer
    ) -> None:
        """Begin with nothing gathered."""
        super().__init__(on_client_connect_success=lambda: None)
        self._score = score
        self._producer = producer
        self._gathered: list[tuple[bytes, dict[str, Any]]] = []

    def add(self, value: dict[str, Any], key: bytes, *_: Any, **__: Any) -> None:
        """Take a post."""
        self._gathered.append((key, value))

    def flush(self) -> None:
        """Score and publish all that was gathered, and wait until the broker has it."""
        gathered, self._gathered = self._gathered, []
        events = self._score([post for _, post in gathered])
        for (key, _), event in zip(gathered, events, strict=True):
            self._producer.produce(OUTPUT, key=key, value=json.dumps(event).encode())
        self._producer.flush()

    def on_paused(self) -> None:
        """Forget what will be read again."""
        self._gathered.clear()


if __name__ == "__main__":
    app = Application(
        broker_address=BOOTSTRAP,
        consumer_group=GROUP,
        auto_offset_reset="earliest",
        commit_every=BATCH,
        commit_interval=WITHIN_S,
        consumer_poll_timeout=WITHIN_S,
        loglevel="WARNING",
    )
    with app.get_producer() as producer:
        posts = app.dataframe(app.topic(INPUT, value_deserializer="json"))
        posts.sink(ScoringSink(load_scorer(), producer))
        app.run()
