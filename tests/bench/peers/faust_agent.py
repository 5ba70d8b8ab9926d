"""Faust: an agent that takes batches of its stream, as its guide on agents recommends.

`take_events` is `take` with the keys. Faust acknowledges a batch when the next one is asked for,
and flushes its producer before it commits: at least once. May not import the service.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import faust

from bench.peers.scoring import BATCH, BOOTSTRAP, GROUP, INPUT, OUTPUT, WITHIN_S, load_scorer

if TYPE_CHECKING:
    from faust.types import StreamT

app = faust.App(
    GROUP,
    broker=f"kafka://{BOOTSTRAP}",
    value_serializer="json",
    # Neither tables nor a web site are used.
    web_enabled=False,
    topic_disable_leader=True,
)
posts_topic = app.topic(INPUT, key_type=bytes)
events_topic = app.topic(OUTPUT, key_type=bytes)
score = load_scorer()


@app.agent(posts_topic)
async def score_posts(stream: StreamT[dict[str, Any]]) -> None:
    """Score batch by batch."""
    async for batch in stream.take_events(BATCH, within=WITHIN_S):
        # In a thread, so that heartbeats and fetches go on meanwhile.
        events = await asyncio.to_thread(score, [post.value for post in batch])
        for post, event in zip(batch, events, strict=True):
            await events_topic.send(key=post.key, value=event)


if __name__ == "__main__":
    faust.Worker(app, loglevel="warning").execute_from_commandline()
