"""The health of a running service: `sentiment-stream health`.

Exists for container engines and others that have no HTTP client of their own. Nothing heavy may be
imported here: the command runs every few seconds.
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

# Less than a container engine waits for the command.
TIMEOUT_S = 5
# More than any answer of the service.
ANSWER_BYTES_MAX = 4096
# Addresses that are listened on, and what to connect to instead.
_ANY = {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


@click.command()
@click.option("--ready", is_flag=True, help="Ask whether it is ready, not only alive.")
@with_settings("http")
def health(settings: Settings, ready: bool) -> None:
    """Ask the service on this machine whether it is healthy.

    The exit code is 0 if it is, and 1 if it is not or does not answer.

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
    healthy = response.status == HTTPStatus.OK
    reason = printable(answer.get("reason", answer.get("status", "")))
    results().print(Text(reason, GOOD if healthy else BAD))
    sys.exit(ExitCode.DONE if healthy else ExitCode.FAILED)
