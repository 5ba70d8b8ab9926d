"""Kafka: with `bench` and `demo` the only room that imports aiokafka.

`session` is the stream's; `letters` and `outputs` read topics once through, for `lab`.
"""

from service.kafka.session import KafkaSession

__all__ = ["KafkaSession"]
