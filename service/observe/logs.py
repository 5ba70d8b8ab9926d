"""Log lines: structlog and Python's logging as one stream on standard error.

Users' texts never enter a log: values of unknown types, bytes, and messages of exceptions that may
quote their input are left out, whichever code logs them. No metrics here (see `metrics`).
"""

from __future__ import annotations

import logging
import math
import sys
import time
import traceback
from collections.abc import Mapping
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import structlog
from structlog.stdlib import ProcessorFormatter

from service.errors import ServiceError
from service.terminal import remarks

if TYPE_CHECKING:
    from structlog.typing import EventDict, ExcInfo, Processor

    from service.settings import LogSettings

# Container runtimes split lines at 16 KiB, and a split line is no longer JSON. The service's own
# messages stay under 300 characters; 1000 leaves room for those of the libraries.
STRING_CHARACTERS_MAX = 1000
# Up to five exceptions of a chain, ten frames each, at about 150 characters a frame.
EXCEPTION_CHARACTERS_MAX = 8000
_CHAIN_MAX = 5
_FRAMES_MAX = 10
# Bounds for collections: more items or deeper nesting cannot be read in a log line.
_ITEMS_MAX = 20
_DEPTH_MAX = 3
# A client's message is not logged again within this time.
REPEATED_EVERY_S = 60.0

# Exceptions whose messages are about the machine, the broker (aiokafka's are RuntimeErrors) or
# tensors. Most others, such as ValueError and KeyError, quote the value that they reject.
_QUOTE_NO_INPUT = (ServiceError, RuntimeError, OSError, MemoryError, ImportError, AssertionError,
                   BaseExceptionGroup)  # fmt: skip


class _StandardError(logging.StreamHandler[Any]):
    """Writes to the current standard error, not to the one when logging was configured."""

    def emit(self, record: logging.LogRecord) -> None:
        self.setStream(sys.stderr)
        super().emit(record)


def _holds_no_message(record: logging.LogRecord) -> bool:
    # aiokafka's debug records contain keys and values of messages, and its loggers may be set to
    # debug by other code.
    return record.levelno >= logging.INFO or not record.name.startswith("aiokafka")


class _Repetitions(logging.Filter):
    """Logs each message of aiokafka once a minute, with the number of repetitions left out.

    While brokers are unreachable, each of its clients tries ten times a second and logs each time.
    """

    def __init__(self) -> None:
        super().__init__()
        # Time and repetitions by place in aiokafka's code: bounded by the number of its log calls.
        self._logged: dict[tuple[str, int, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("aiokafka"):
            return True
        place, now = (record.pathname, record.lineno, record.levelno), time.monotonic()
        at, left_out = self._logged.get(place, (-math.inf, 0))
        if now - at < REPEATED_EVERY_S:
            self._logged[place] = at, left_out + 1
            return False
        self._logged[place] = now, 0
        if left_out:
            record.msg = f"{record.getMessage()} ({left_out} more before this)"
            record.args = ()
        return True


def configure_logging(settings: LogSettings) -> None:
    """Send structlog and Python's logging to standard error, as one stream of lines.

    May be called again; the last call takes effect. Call it again after importing a library that
    installs handlers of its own (transformers), to remove these.
    """
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    common: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor = structlog.processors.JSONRenderer()
    if settings.format == "console":
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty() and not remarks().no_color,
            exception_formatter=structlog.dev.plain_traceback,
        )
    handler = _StandardError()
    handler.addFilter(_holds_no_message)
    handler.addFilter(_Repetitions())
    last: list[Processor] = [
        ProcessorFormatter.remove_processors_meta,
        structlog.processors.ExceptionRenderer(_exception_text),
        _in_bounds,
        renderer,
    ]
    handler.setFormatter(ProcessorFormatter(foreign_pre_chain=common, processors=last))
    structlog.configure(
        processors=[*common, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # so that a later call affects existing loggers
    )
    root = logging.getLogger()
    others = [other for other in root.handlers if not isinstance(other, _StandardError)]
    root.handlers[:] = [*others, handler]
    root.setLevel(level)
    # At level info aiokafka logs every metadata refresh and coordinator; useful for debugging only.
    kafka_level = logging.INFO if level == logging.DEBUG else max(level, logging.WARNING)
    logging.getLogger("aiokafka").setLevel(kafka_level)
    # Some libraries (transformers, torch) install handlers of their own on import.
    for library in list(root.manager.loggerDict.values()):
        if isinstance(library, logging.Logger) and library.handlers:
            library.handlers.clear()
            library.propagate = True
    logging.captureWarnings(False)  # otherwise the next line does nothing on a second call
    logging.captureWarnings(True)


def configure_plain_logging() -> None:
    """Send the service's own lines to standard error, for commands that are no service.

    By default structlog prints them among the results. What libraries log goes there anyway.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.ExceptionRenderer(_exception_text),
            _in_bounds,
            structlog.dev.ConsoleRenderer(colors=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,  # standard error of the moment
    )


def _in_bounds(_logger: object, _method: str, event: EventDict) -> EventDict:
    names = ("timestamp", "level", "logger", "event")
    first = {name: event.pop(name) for name in names if name in event}
    if first.get("logger") == "asyncio":
        # The lines after the first hold the repr of a task, with its exception's message.
        first["event"] = str(first["event"]).partition("\n")[0]
    exception = event.pop("exception", None)
    bounded = {name: _bounded(value) for name, value in {**first, **event}.items()}
    return bounded if exception is None else {**bounded, "exception": exception}


def _bounded(value: object, depth: int = 0) -> object:
    kept: object = f"<{type(value).__name__}>"  # a repr may hold text, as a Record's does
    match value:
        case None | bool() | int():
            kept = value
        case float():
            kept = value if math.isfinite(value) else str(value)  # JSON has no NaN
        case str() | PurePath():
            kept = _cut(str(value), STRING_CHARACTERS_MAX)
        case BaseException():
            kept = _cut(_message(value), STRING_CHARACTERS_MAX)
        case bytes():
            kept = f"<{len(value)} bytes>"  # keys and values of messages are bytes
        case Mapping() if depth < _DEPTH_MAX:
            pairs = islice(value.items(), _ITEMS_MAX)
            kept = {_cut(str(key), 100): _bounded(item, depth + 1) for key, item in pairs}
        case list() | tuple() | set() | frozenset() if depth < _DEPTH_MAX:
            kept = [_bounded(item, depth + 1) for item in islice(value, _ITEMS_MAX)]
    return kept


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} more)"


def _message(error: BaseException) -> str:
    is_safe = isinstance(error, _QUOTE_NO_INPUT)
    return f"{type(error).__name__}: {error if is_safe else '(left out: it may quote a text)'}"


def _exception_text(exc_info: ExcInfo) -> str:
    """Types, frames without local variables and safe messages of an exception and its causes."""
    parts: list[str] = []
    pending = [exc_info[1]]
    while pending and len(parts) < _CHAIN_MAX:
        error = pending.pop(0)
        frames = "".join(traceback.format_tb(error.__traceback__, limit=-_FRAMES_MAX))
        parts.append(f"{_cut(_message(error), STRING_CHARACTERS_MAX)}\n{frames}".rstrip())
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        pending.extend([cause] if cause else [])
        if isinstance(error, BaseExceptionGroup):
            pending.extend(error.exceptions)
    return _cut("\nfrom ".join(parts), EXCEPTION_CHARACTERS_MAX)
