"""Asking a running service how it is: `sentiment-stream health`.

Exists for who has no HTTP client of its own beside the service, such as a container engine. Light:
it runs every few seconds.
"""
# ruff: noqa: D301 - click leaves a paragraph as it is where it finds the character, not the escape

from __future__ import annotations

import json
import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

import click
from rich.text import Text

from service.cli.options import with_settings
from service.errors import ExitCode, ServiceError, SettingsError
from service.terminal import BAD, GOOD, printable, results

if TYPE_CHECKING:
    from service.settings import Settings

# Shorter than any engine waits for the command.
TIMEOUT_S = 5
# More than any answer of ours.
ANSWER_BYTES_MAX = 4096
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened on, not asked


@click.command()
@click.option("--ready", is_flag=True, help="Ask whether it is ready, and not only alive.")
@with_settings("http")
def health(settings: Settings, ready: bool) -> None:
    """Ask the service on this machine how it is.

    Ends with 0 where it is well, and with 1 where it is not or nobody answers.

    \b
    sentiment-stream health
    sentiment-stream health --ready --http-port 9000
    """
    host, port = settings.http.host, settings.http.port
    if not port:
        raise SettingsError("SENTIMENT_HTTP__PORT=0 names no port to ask; give the one in its log")
    connection = HTTPConnection(_ANY.get(host, host), port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/readyz" if ready else "/livez")
        with connection.getresponse() as response:
            answer = json.loads(response.read(ANSWER_BYTES_MAX))
    except (OSError, HTTPException, ValueError) as error:
        raise ServiceError(
            f"no answer from {host}:{port} ({error}); is `sentiment-stream run` on this port?"
        ) from None
    finally:
        connection.close()
    well = response.status == HTTPStatus.OK
    said = printable(answer.get("reason", answer.get("status", "")))
    results().print(Text(said, GOOD if well else BAD))
    sys.exit(ExitCode.DONE if well else ExitCode.FAILED)
