"""Quix Streams: a function applied to each message, its plain way to process.

What its guide has for batches, count windows with `Collect`, does not fit here: a window belongs to
one key, and is given out only when full, so that the last posts of a key would wait for ever.
`quix_sink` batches by other means. At least once, by its checkpoints. May not import the service.
"""

from __future__ import annotations

from quixstreams import Application

from bench.peers.scoring import BOOTSTRAP, GROUP, INPUT, OUTPUT, load_scorer

if __name__ == "__main__":
    score = load_scorer()
    app = Application(
        broker_address=BOOTSTRAP,
        consumer_group=GROUP,
        auto_offset_reset="earliest",
        loglevel="WARNING",
    )
    posts = app.topic(INPUT, value_deserializer="json")
    events = app.topic(OUTPUT, value_serializer="json")
    app.dataframe(posts).apply(lambda post: score([post])[0]).to_topic(events)
    app.run()
