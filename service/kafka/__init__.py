"""Kafka: beside `bench` and `demo` the only folder that imports aiokafka.

`session` is what the stream runs on; `once` reads topics from start to end, for `topics`.
"""

from service.kafka.session import KafkaSession

__all__ = ["KafkaSession"]
