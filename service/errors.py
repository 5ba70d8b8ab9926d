"""Exceptions named by what helps: reject the record, retry, restart, or correct the settings.

Imports nothing of the service, so that every room can raise them.
"""

from __future__ import annotations


class ServiceError(Exception):
    """Base of all errors that a person reads; the message is one line and says what to do."""


class SettingsError(ServiceError):
    """A setting is wrong or two are in conflict: correct it and start again (exit code 2)."""


class InputError(ServiceError):
    """A file or argument of a command cannot be used: correct it (exit code 2)."""


class ModelError(ServiceError):
    """The model cannot be loaded or has stopped working: restart, or name another one."""


class BreakerError(ServiceError):
    """Too many records are dead letters: look at the producer or the model, then restart."""


class BrokerError(ServiceError):
    """Kafka refuses or cannot be reached in a way that waiting does not mend."""


class RetriableError(ServiceError):
    """Kafka failed in a way that passes: rewind to the last published offset and try again."""


class RejoinError(RetriableError):
    """Leave the group and join again, and never reopen a producer.

    Another owner has a partition, or it is not known what was committed: then only the coordinator
    that has just formed the group anew is sure to know.
    """
