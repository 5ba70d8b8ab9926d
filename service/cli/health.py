"""Asking a running service how it is: `sentiment-stream health`.

Exists for who has no HTTP client of its own beside the service, such as a container engine. Light:
it runs every few seconds.
"""
# ruff: noqa: D301 - click leaves a paragraph as it is where it finds the character, not the escape

from __future__ import annotations

import json
import sys
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

import click

from service.cli.options import with_settings
from service.errors import SettingsError

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
    """Say how the service on this machine is: exit code 0 for well, 1 for not.

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
        click.echo(f"no answer from {host}:{port} ({error})")
        sys.exit(1)
    finally:
        connection.close()
    click.echo(answer.get("reason", answer.get("status", "")))
    sys.exit(0 if response.status == 200 else 1)
