"""Kafka: the only room that imports aiokafka. See `session`."""

from service.kafka.session import KafkaSession

__all__ = ["KafkaSession"]
