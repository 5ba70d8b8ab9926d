"""The service's exceptions, one class for each remedy: correct, restart, retry, or join again.

Also the exit codes, in one place for the commands, their help and the reference page, and the
command that installs what is missing. Nothing of the service may be imported here, so that every
other module can import this one.
"""

from __future__ import annotations

import json
import shlex
import sys
from enum import IntEnum
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit


class ExitCode(IntEnum):
    """The exit codes of the commands; `EXIT_CODES` has their meanings."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    BREAKER = 3
    INTERRUPTED = 130
    PIPE_CLOSED = 141


EXIT_CODES = {
    ExitCode.DONE: "done; a service that was asked to stop has drained",
    ExitCode.FAILED: "failed: the model or the brokers, in a way that waiting does not fix, like a "
    "topic that they do not have; or no row of `score` could be scored",
    ExitCode.USAGE: "wrong settings, arguments or input files, as far as they can be told without "
    "asking the brokers; the message names what to correct",
    ExitCode.BREAKER: "the breaker: too many records became dead letters; none of them is lost",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C (not `run` and `demo`, which end with 0 then), "
    "or a backfill that was stopped before its end",
    ExitCode.PIPE_CLOSED: "the reader of the output has closed it, as `| head` does",
}


class ServiceError(Exception):
    """Base of all errors for a person to read; the message is one line and says what to do."""

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
    """Too many requests at once: try again a little later."""


class BreakerError(ServiceError):
    """Too many records are dead letters: look at the producer or the model, then restart."""

    exit_code = ExitCode.BREAKER


class BrokerError(ServiceError):
    """Kafka or the schema registry refuses, in a way that waiting does not fix."""


class RetriableError(ServiceError):
    """A temporary failure of Kafka or the schema registry: try again, from what is published."""


class RejoinError(RetriableError):
    """Leave the group and join again, and start no producer before that.

    Another member owns a partition, or it is not known what was committed. In both cases only a
    coordinator that has just formed the group is certain to know.
    """


def first_line(error: BaseException, characters_max: int = 200) -> str:
    """First line of an error's text, cut to `characters_max`; the error's class if it has none.

    For one-line messages about errors of libraries, whose texts may be long and of many lines.
    """
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:characters_max]


def install_command(extra: str) -> str:
    """The command that adds an extra to this installation: from where it was installed itself."""
    origin = _origin()
    url = str(origin.get("url", ""))
    if not origin:
        wanted = f"sentiment-stream[{extra}]"
    elif "dir_info" in origin:
        folder = Path(unquote(urlsplit(url).path))
        if not (folder / "pyproject.toml").is_file():
            return f"pip install '.[{extra}]' in a checkout of sentiment-stream"
        if find_spec("pip") is None and (folder / "Makefile").is_file():
            return f"make -C {shlex.quote(str(folder))} setup"
        wanted = f"{folder}[{extra}]"
        if origin["dir_info"].get("editable"):
            return f"{shlex.quote(sys.executable)} -m pip install -e {shlex.quote(wanted)}"
    else:
        version = origin.get("vcs_info")
        place = f"{version['vcs']}+{url}@{version['commit_id']}" if version else url
        wanted = f"sentiment-stream[{extra}] @ {place}"
    return f"{shlex.quote(sys.executable)} -m pip install {shlex.quote(wanted)}"


def _origin() -> dict[str, Any]:
    """Where this was installed from, by PEP 610; empty if it was a package index."""
    try:
        read = distribution("sentiment-stream").read_text("direct_url.json")
    except PackageNotFoundError:  # it runs from a checkout that is not installed
        return {"url": Path(__file__).resolve().parents[1].as_uri(), "dir_info": {}}
    found: dict[str, Any] = json.loads(read) if read else {}
    return found
