"""Bytewax: its Kafka connector, and `collect`, its operator for batches.

Bytewax keeps offsets in a recovery store of its own, not in the consumer group, and repeats what
came after the last snapshot: at least once. May not import the service.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSinkMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from bench.peers.scoring import BATCH, BOOTSTRAP, INPUT, OUTPUT, WITHIN_S, load_scorer

if TYPE_CHECKING:
    from bytewax.connectors.kafka import KafkaSourceMessage

score = load_scorer()


def score_batch(batch: list[KafkaSourceMessage]) -> list[KafkaSinkMessage]:
    """Score a batch; its events get the keys of their posts."""
    events = score([json.loads(message.value) for message in batch])
    return [
        KafkaSinkMessage(message.key, json.dumps(event).encode())
        for message, event in zip(batch, events, strict=True)
    ]


flow = Dataflow("sentiment")
# The default of 1000 would be scored whole before the first of its events is published.
posts = kop.input("posts", flow, brokers=[BOOTSTRAP], topics=[INPUT], batch_size=BATCH)
op.raises("crash", posts.errs)
# What is collected belongs to a key, which says which worker has it: one for each partition.
keyed = op.key_on("partition", posts.oks, lambda message: str(message.partition))
batches = op.collect("batch", keyed, timeout=timedelta(seconds=WITHIN_S), max_size=BATCH)
events = op.flat_map("score", op.key_rm("unkeyed", batches), score_batch)
kop.output("events", events, brokers=[BOOTSTRAP], topic=OUTPUT)

if __name__ == "__main__":
    store = Path("recovery")
    if not store.exists():
        store.mkdir()
        init_db_dir(store, 1)
    # Ten seconds is also the interval that it takes without a store.
    cli_main(flow, epoch_interval=timedelta(seconds=10), recovery_config=RecoveryConfig(store))
