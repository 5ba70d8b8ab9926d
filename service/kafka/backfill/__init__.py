"""A backfill: the group's topics from a beginning to an end, by the ordinary session."""

from service.kafka.backfill.session import BackfillSession
from service.kafka.backfill.span import Span

__all__ = ["BackfillSession", "Span"]
