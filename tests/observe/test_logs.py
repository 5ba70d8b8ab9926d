"""Logs hold no users' texts, whichever code writes them; each line is bounded, strict JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BrokerError
from service.observe import logs
from service.observe.logs import configure_logging
from service.records import Partition, Reason, Record
from service.settings import LogSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "my landlord is a crook"  # noqa: S105 - stands for a user's text


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    """Restore the state of Python's logging and structlog."""
    root = logging.getLogger()
    names = ("aiokafka", "transformers", "huggingface_hub", "torch")
    before = (root.level, root.handlers[:], [logging.getLogger(n).level for n in names])
    yield
    logging.captureWarnings(False)
    structlog.reset_defaults()
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    for name, level in zip(names, before[2], strict=True):
        logging.getLogger(name).setLevel(level)


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_a_json_line_has_time_level_logger_event_and_fields(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The four fixed fields come first, then those of the caller."""
    configure_logging(LogSettings())
    structlog.get_logger("service.app").info("started", port=8080, ready=True, path=Path("/data"))
    (line,) = _lines(capsys)
    assert list(line) == ["timestamp", "level", "logger", "event", "port", "ready", "path"]
    timestamp = line.pop("timestamp")
    assert (timestamp[10], timestamp[-1]) == ("T", "Z")
    assert line == {
        "level": "info",
        "logger": "service.app",
        "event": "started",
        "port": 8080,
        "ready": True,
        "path": "/data",
    }


def test_libraries_log_to_the_same_stream(capsys: pytest.CaptureFixture[str]) -> None:
    """Records of Python's logging and warnings are JSON lines too."""
    configure_logging(LogSettings())
    logging.getLogger("aiohttp.server").error("Error handling %s", "request")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", UserWarning, stacklevel=1)
    first, second = _lines(capsys)
    assert (first["logger"], first["level"]) == ("aiohttp.server", "error")
    assert first["event"] == "Error handling request"
    assert (second["logger"], second["level"]) == ("py.warnings", "warning")
    assert "UserWarning: old" in second["event"]


def test_handlers_of_libraries_are_removed(capsys: pytest.CaptureFixture[str]) -> None:
    """A library that installs its own handler on import still logs to the one stream."""
    library = logging.getLogger("a_library")
    library.addHandler(logging.StreamHandler())
    library.propagate = False
    configure_logging(LogSettings())
    logging.getLogger("a_library.modeling").warning("weights are missing")
    assert [line["event"] for line in _lines(capsys)] == ["weights are missing"]


def test_configuring_again_replaces(capsys: pytest.CaptureFixture[str]) -> None:
    """The last call applies, also to loggers created before it; nothing is written twice."""
    log = structlog.get_logger("service.app")
    configure_logging(LogSettings(level="error"))
    log.warning("before")
    configure_logging(LogSettings(level="debug"))
    configure_logging(LogSettings(level="warning"))
    log.info("too low")
    logging.getLogger("service.app").info("too low")
    log.warning("after")
    logging.getLogger("service.app").warning("standard")
    assert [line["event"] for line in _lines(capsys)] == ["after", "standard"]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("debug", ["info", "warning", "error"]),
        ("info", ["warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_aiokafka_never_prints_messages(
    capsys: pytest.CaptureFixture[str], level: Any, expected: list[str]
) -> None:
    """Its debug records hold keys and values: never written, even with its loggers at debug."""
    configure_logging(LogSettings(level=level))
    log = logging.getLogger("aiokafka.producer.producer")
    for severity in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        log.log(severity, "Sending")
    log.setLevel(logging.DEBUG)
    try:
        log.debug("Sending (key=%s value=%s) to %s", b"k", SECRET, "t-0")
    finally:
        log.setLevel(logging.NOTSET)
    lines = _lines(capsys)
    assert [line["level"] for line in lines] == expected
    assert SECRET not in str(lines)


def _refuse(text: str) -> None:
    int(text)


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_exception_shows_type_and_frames_but_no_text(
    capsys: pytest.CaptureFixture[str], form: Any
) -> None:
    """Neither message, local variables nor causes quote the input; the chain is shown."""
    configure_logging(LogSettings(format=form))
    secret = SECRET
    try:
        try:
            _refuse(secret)
        except ValueError as error:
            raise BrokerError("topic t does not exist; create it") from error
    except BrokerError as error:
        structlog.get_logger("service.app").exception("failed", cause=error.__cause__)
        logging.getLogger("aiohttp.server").exception("failed")
    written = capsys.readouterr().err
    assert SECRET not in written
    assert written.count("BrokerError: topic t does not exist; create it") == 2
    assert written.count("from ValueError: (left out: it may quote a text)") == 2
    assert written.count("in _refuse") == 2


def test_exceptions_are_bounded_and_groups_are_expanded(capsys: pytest.CaptureFixture[str]) -> None:
    """Up to five exceptions of a group, with ten frames each, in one bounded field."""

    def deep(level: int) -> None:
        if level == 0:
            raise OSError("x" * 5000)
        deep(level - 1)

    configure_logging(LogSettings())
    parts = []
    for _ in range(9):
        try:
            deep(50)
        except OSError as error:
            parts.append(error)
    structlog.get_logger().error("failed", exc_info=ExceptionGroup("tasks failed", parts))
    (line,) = _lines(capsys)
    assert line["exception"].startswith("ExceptionGroup: tasks failed (9 sub-exceptions)\n")
    assert line["exception"].count("from OSError: ") == 4
    assert line["exception"].count("repeated 6 more times") == 4
    assert len(line["exception"]) < logs.EXCEPTION_CHARACTERS_MAX + 50


def test_an_exception_of_a_task_never_awaited_shows_no_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Asyncio logs the repr of the task, with the exception's message: it is left out."""
    configure_logging(LogSettings())
    loop = asyncio.new_event_loop()
    try:
        loop.call_exception_handler(
            {
                "message": "Task exception was never retrieved",
                "exception": ValueError(SECRET),
                "future": f"<Task exception=ValueError({SECRET!r})>",
            }
        )
    finally:
        loop.close()
    (line,) = _lines(capsys)
    assert line["event"] == "Task exception was never retrieved"
    assert line["exception"] == "ValueError: (left out: it may quote a text)"


def test_values_that_hold_text_are_shown_by_type_only(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A record or bytes may be logged by mistake; nothing of their content is written."""
    raw = SECRET.encode()
    record = Record(Partition("t", 3), 7, 0, raw, raw, (), 1, 0.0)
    configure_logging(LogSettings())
    structlog.get_logger().warning("odd", record=record, value=raw, records=[record], at=("t", 3))
    (line,) = _lines(capsys)
    assert SECRET not in str(line)
    assert (line["record"], line["value"]) == ("<Record>", "<22 bytes>")
    assert (line["records"], line["at"]) == (["<Record>"], ["t", 3])


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.sets(st.integers()) | st.dictionaries(st.text(), inner),
)


@given(_anything)
def test_every_value_becomes_strict_json(value: object) -> None:
    """Any value can be parsed by programs that do not accept NaN."""
    bounded = logs._bounded(value)
    json.loads(json.dumps(bounded, allow_nan=False))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x" * 1000, "x" * 1000),
        ("x" * 1003, "x" * 1000 + "… (3 more)"),
        (list(range(50)), list(range(20))),
        ({"a": {"b": {"c": {"d": 1}}}}, {"a": {"b": {"c": "<dict>"}}}),
        (math.nan, "nan"),
        (Reason.TOMBSTONE, "tombstone"),
        (OSError("disk full"), "OSError: disk full"),
        (KeyError(SECRET), "KeyError: (left out: it may quote a text)"),
    ],
)
def test_values_are_bounded(value: object, expected: object) -> None:
    """Strings, collections and depth have limits; a cut string ends with the length left out."""
    assert logs._bounded(value) == expected


def test_the_client_does_not_flood_the_log(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repeated message is logged once a minute, with the number of repetitions left out."""
    configure_logging(LogSettings())
    client = logging.getLogger("aiokafka.conn")

    def logged(times: int) -> list[str]:
        for number in range(times):
            client.error("Unable to connect to %s:%d", "broker", number)
        return [line["event"] for line in _lines(capsys)]

    assert ["Unable to connect to broker:0"] == logged(1000)
    monkeypatch.setattr(logs, "REPEATED_EVERY_S", 0)
    assert ["Unable to connect to broker:0 (999 more before this)"] == logged(1)
