"""`run --check-cluster` from the outside: a line for each check, and an exit code."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from service.cli import main
from service.kafka.once.cluster import check_cluster
from tools.kafka.secured_broker import Secured, acls_of
from tools.kafka.sessions import WAIT_SECONDS, settings_of

if TYPE_CHECKING:
    from tools.kafka.broker import Broker


def _checked(servers: str, *arguments: str) -> Result:
    environment = {"SENTIMENT_KAFKA__BOOTSTRAP_SERVERS": servers}
    return CliRunner().invoke(main, ["run", "--check-cluster", *arguments], env=environment)


def test_without_a_broker_there_is_one_line() -> None:
    """Nobody listens on the port."""
    done = _checked("127.0.0.1:1")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "127.0.0.1:1" in done.stderr


@pytest.mark.kafka
def test_each_check_has_a_line(real_broker: Broker) -> None:
    """One that fails does not keep the others from being made, and the code is 1."""
    done = _checked(real_broker.bootstrap_servers, "--kafka-output-topic", "nowhere")
    rows = [line.split("\t") for line in done.stdout.splitlines() if line]
    found = {name: word for word, name, _ in rows}
    assert (found["login"], found["requests"], found["topics"]) == ("ok", "ok", "failed")
    assert found["session timeout"] == "ok"
    assert done.exit_code == 1


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("missing", "check"),
    [("", ""), ("letters", "topics"), ("group", "group"), ("transactions", "transactions")],
)
async def test_a_missing_permission_is_found_before_the_service_runs(
    missing: str, check: str, secured: Secured
) -> None:
    """Nothing fails with just what the service needs; what it may not read is not known."""
    stream = secured.stream()
    secured.grant(*(acl for name, acl in acls_of(stream).items() if name != missing))
    named = stream.settings(**secured.login("SCRAM-SHA-512"))
    settings = settings_of(named)
    failed: set[str] | None = None
    # A broker takes a moment to know of rights that were granted.
    async with asyncio.timeout(WAIT_SECONDS):
        while failed != ({check} if check else set()):
            found = [finding async for finding in check_cluster(settings, "exactly_once")]
            failed = {finding.name for finding in found if finding.passed is False}
    assert "session timeout" in {finding.name for finding in found if finding.passed is None}
