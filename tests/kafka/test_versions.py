"""What brokers must know for each mode of delivery, and what those get told who have others.

The broker of the demo, librdkafka's mock, has transactions, and cannot refuse an old generation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from service.cli import main
from service.demo.broker import demo_broker
from service.errors import BrokerError
from service.kafka import KafkaSession
from service.kafka.client.connection import check_versions
from tools.kafka.kinds import session_settings
from tools.kafka.sessions import joined
from tools.service_process import running_service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOPICS = ("in", "out", "dead")
LACKS = "(OffsetFetchRequest version 7); set SENTIMENT_DELIVERY__MODE=at_least_once"


@pytest.fixture
def mock() -> Iterator[str]:
    """Give the address of a broker that does not check generations."""
    with demo_broker(TOPICS) as servers:
        yield servers


def test_a_broker_without_transactions_is_told_at_the_start() -> None:
    """The remedy is the other mode of delivery, if the broker has idempotent producers."""
    idempotent, transactional = {22: (0, 4)}, dict.fromkeys((24, 25, 26), (0, 3))
    with pytest.raises(BrokerError, match=r"TxnOffsetCommitRequest.*__MODE=at_least_once"):
        check_versions(idempotent | transactional, "exactly_once")
    check_versions(idempotent, "at_least_once")
    fencing = {9: (0, 9), 28: (0, 4)}
    check_versions(idempotent | transactional | fencing, "exactly_once")
    with pytest.raises(BrokerError, match="InitProducerId"):
        check_versions(transactional | fencing, "at_least_once")


@pytest.mark.parametrize(
    ("versions", "missing"),
    [
        ({9: (0, 6), 28: (0, 3)}, r"\(OffsetFetchRequest version 7\)"),
        ({9: (0, 7), 28: (0, 2)}, r"\(TxnOffsetCommitRequest version 3\)"),
        ({9: (8, 9), 28: (0, 3)}, r"\(OffsetFetchRequest version 7\)"),
    ],
)
def test_a_broker_that_does_not_check_generations_is_told_at_the_start(
    versions: dict[int, tuple[int, int]], missing: str
) -> None:
    """The line names what it lacks and the other mode."""
    known = dict.fromkeys((22, 24, 25, 26), (0, 3)) | versions

    with pytest.raises(BrokerError, match=f"{missing}; set SENTIMENT_DELIVERY__MODE=at_least_once"):
        check_versions(known, "exactly_once")
    check_versions(known, "at_least_once")


async def test_a_session_on_such_a_broker_ends_with_the_line(mock: str) -> None:
    """Before it joins the group, where it would wait for ever; the other mode joins."""
    settings = session_settings(mock, TOPICS, "group")
    session = KafkaSession(settings, 10)
    try:
        with pytest.raises(BrokerError) as told:
            await session.start()
    finally:
        await session.stop()
    assert LACKS in str(told.value)
    assert "\n" not in str(told.value)

    other = KafkaSession(settings, 10, "at_least_once")
    try:
        assert (await joined(other)).progress.partitions
    finally:
        await other.stop()


def named(servers: str) -> dict[str, str]:
    """Settings of the service for that broker."""
    input_topic, output_topic, dead = TOPICS
    return {
        "KAFKA__BOOTSTRAP_SERVERS": servers,
        "KAFKA__INPUT_TOPIC": input_topic,
        "KAFKA__OUTPUT_TOPIC": output_topic,
        "KAFKA__DEAD_LETTER_TOPIC": dead,
    }


def test_the_service_ends_with_the_line(mock: str, tmp_path: Path) -> None:
    """With the exit code of what waiting does not mend; said once."""
    with running_service(tmp_path, named(mock)) as service:
        code = service.process.wait(100)

    said = [line for line in service.log().splitlines() if LACKS in line]
    assert (code, len(said)) == (1, 1), service.log()


def test_a_check_of_the_cluster_says_it_before_the_service_runs(mock: str) -> None:
    """As the failure of one check; the code is 1."""
    environment = {f"SENTIMENT_{name}": value for name, value in named(mock).items()}

    done = CliRunner().invoke(main, ["run", "--check-cluster"], env=environment)

    rows = [line.split("\t") for line in done.stdout.splitlines() if line]
    assert ["requests"] == [name for word, name, text in rows if word == "failed" and LACKS in text]
    assert done.exit_code == 1
