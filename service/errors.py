"""Exceptions named by what helps: reject the record, retry, restart, or correct the settings.

Imports nothing of the service, so that every room can raise them. What a process ends with is said
here too, once: the commands, their help and the reference page read it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What a command ends with; `EXIT_CODES` says when."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    BREAKER = 3
    INTERRUPTED = 130
    PIPE_CLOSED = 141


EXIT_CODES = {
    ExitCode.DONE: "done; a service that was told to stop has drained",
    ExitCode.FAILED: "failed: the model or the brokers, in a way that waiting does not mend",
    ExitCode.USAGE: "wrong settings, arguments or input files; the line names what to correct",
    ExitCode.BREAKER: "the breaker: too many records were dead letters; none of them is lost",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C (not `run` and `demo`, which end well by it)",
    ExitCode.PIPE_CLOSED: "whoever read the output has gone, as in `| head`",
}


class ServiceError(Exception):
    """Base of all errors that a person reads; the message is one line and says what to do."""

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED


class SettingsError(ServiceError):
    """A setting is wrong or two are in conflict: correct it and start again."""

    exit_code = ExitCode.USAGE


class InputError(ServiceError):
    """A file or argument of a command cannot be used: correct it."""

    exit_code = ExitCode.USAGE


class ModelError(ServiceError):
    """The model cannot be loaded or has stopped working: restart, or name another one."""


class BusyError(ServiceError):
    """Too much is asked at once: ask again a little later."""


class BreakerError(ServiceError):
    """Too many records are dead letters: look at the producer or the model, then restart."""

    exit_code = ExitCode.BREAKER


class BrokerError(ServiceError):
    """Kafka refuses or cannot be reached in a way that waiting does not mend."""


class RetriableError(ServiceError):
    """Kafka failed in a way that passes: rewind to the last published offset and try again."""


class RejoinError(RetriableError):
    """Leave the group and join again, and never reopen a producer.

    Another owner has a partition, or it is not known what was committed: then only the coordinator
    that has just formed the group anew is sure to know.
    """


def first_line(error: BaseException, characters_max: int = 200) -> str:
    """First line of an error's text, cut to `characters_max`; the error's class if it has none.

    For one-line messages about errors of libraries, whose texts may be long and of many lines.
    """
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:characters_max]
