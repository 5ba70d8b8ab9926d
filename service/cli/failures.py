"""One line and an exit code for the errors of every command.

Exists so that all commands report an error alike. Only foreseen errors may enter: any other error
is a defect, and keeps its traceback.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path

import click

from service.errors import ExitCode, RetriableError, ServiceError, install_command
from service.terminal import say_error

# The extra that installs a package which the service itself does not need.
_EXTRAS = {
    "confluent_kafka": "demo",
    "pyarrow": "tables",
    "scipy": "evaluate",
    "sklearn": "evaluate",
    "torch": "lab",
    "transformers": "lab",
}
# The disk is full or broken or read-only, or the file would be too large.
_OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG}
# What to do after Ctrl-C, if that is not obvious.
_GO_ON = {
    "train": "; the same command goes on where it was",
    "replay": "; the same command goes on where it was",
    "score": "; with --output FILE, --resume goes on where it was",
}


def report(error: BaseException, command: str | None = None) -> ExitCode | None:
    """Print the error as one line; returns the exit code, or None for an unforeseen error."""
    code: ExitCode | None = None
    match error:
        case RetriableError():
            remedy = "; is a broker there? SENTIMENT_KAFKA__BOOTSTRAP_SERVERS names it"
            say_error(str(error) if ";" in str(error) else f"{error}{remedy}")
            code = error.exit_code
        case ServiceError():
            say_error(str(error))  # with a line for each wrong setting
            code = error.exit_code
        case click.exceptions.NoArgsIsHelpError():
            error.show()
            code = ExitCode.USAGE
        case click.ClickException():
            say_error(_of_click(error))
            code = ExitCode.USAGE
        case KeyboardInterrupt() | click.Abort():
            say_error(f"interrupted{_GO_ON.get(command or '', '')}")
            code = ExitCode.INTERRUPTED
        case ModuleNotFoundError():
            code = _missing(error)
        case OSError():
            code = _of_the_system(error)
    return code


def _of_click(error: click.ClickException) -> str:
    message = " ".join(error.format_message().split()).removesuffix(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "sentiment-stream"
    return f"{message[:1].lower()}{message[1:]} (see {path} --help)"


def _missing(error: ModuleNotFoundError) -> ExitCode | None:
    package = (error.name or "").partition(".")[0]
    if package not in _EXTRAS:
        return None
    say_error(f"{package} is not installed; {install_command(_EXTRAS[package])}")
    return ExitCode.FAILED


def _of_the_system(error: OSError) -> ExitCode | None:
    if error.errno == errno.EPIPE or isinstance(error, BrokenPipeError):
        _drop_output()
        return ExitCode.PIPE_CLOSED
    if error.filename is not None:
        say_error(f"{error.filename}: {error.strerror}; give a path that can be used")
        return ExitCode.USAGE
    if error.errno in _OF_THE_DISK:
        _drop_output()
        say_error(f"cannot write ({error.strerror}); make room, or write to another place")
        return ExitCode.FAILED
    return None


def _drop_output() -> None:
    """Redirect standard output, so that its buffer does not fail again when the process ends."""
    with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), sys.stdout.fileno())
