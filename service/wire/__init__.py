"""Decodes records to messages (`decode`), encodes outcomes to events and dead letters (`encode`).

Pure: no Kafka client, no clock, no settings object.
"""

from service.wire.carried import Carried
from service.wire.cloudevents import as_produced
from service.wire.decode import Decoder
from service.wire.encode import Encoder, event_id
from service.wire.kept_headers import KeptHeaders

__all__ = ["Carried", "Decoder", "Encoder", "KeptHeaders", "as_produced", "event_id"]
