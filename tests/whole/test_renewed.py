"""Passwords, certificates and tokens are renewed while the service runs, on real Apache Kafka.

A connection stays as it was made; the broker ends it when its token expires, or is restarted.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from service.errors import BrokerError
from service.kafka import KafkaSession
from tools.kafka.secured_broker import PASSWORD, USER, acls_of, token_of
from tools.kafka.sessions import settings_of
from tools.kafka.topics import Message, produce
from tools.service_process import running_service

if TYPE_CHECKING:
    from pathlib import Path

    from tools.kafka.secured_broker import Secured
    from tools.kafka.streams import Stream

pytestmark = [pytest.mark.kafka]
# A token must be good until the brokers have looked at it, on a machine that other work shares.
LIFE_S = 5.0
READ_ANEW = "mounted files have changed: read anew"


async def put_in(stream: Stream, number: int) -> None:
    """Produce a message."""
    value = b'{"id": %d, "text": "It works."}' % number
    await produce(stream.bootstrap, stream.input, [Message(value=value)])


@pytest.mark.model
async def test_a_password_that_has_changed(secured: Secured, tmp_path: Path) -> None:
    """In the file and at the brokers: the service goes on."""
    stream = secured.stream()
    secured.grant(*acls_of(stream).values())
    settings = stream.settings(**secured.login("SCRAM-SHA-512"))
    try:
        with running_service(tmp_path, settings) as service:
            await put_in(stream, 0)
            await stream.wait_committed(service)
            changed = "other-horse-4712"
            secured.set_passwords(USER, changed)
            (tmp_path / "new").write_text(changed)
            # As a mounted Secret changes: in one step.
            (tmp_path / "new").replace(settings["KAFKA__SASL_PASSWORD_FILE"])
            secured.broker.restart()
            await put_in(stream, 1)
            await stream.wait_committed(service)
            assert READ_ANEW in service.log()
            assert changed not in service.log()
            assert 0 == service.stop()
    finally:
        secured.set_passwords(USER, PASSWORD)
    assert [0, 1] == sorted(event["source_id"] for event in await stream.events())


@pytest.mark.model
async def test_tokens_that_live_for_seconds(secured: Secured, tmp_path: Path) -> None:
    """Each connection ends with its token, in the middle of the stream, and no message is lost."""
    stream = secured.stream()
    secured.grant(*acls_of(stream).values())
    file = tmp_path / "token"

    async def renew() -> None:
        while True:
            (tmp_path / "new").write_text(token_of(USER, LIFE_S))
            (tmp_path / "new").replace(file)
            await asyncio.sleep(LIFE_S / 10)

    renewing = asyncio.create_task(renew())
    await asyncio.sleep(0)
    count = 0
    try:
        with running_service(tmp_path, stream.settings(**secured.token(file))) as service:
            await asyncio.to_thread(service.wait_ready)
            enough = service.log().count(READ_ANEW) + 3
            while service.log().count(READ_ANEW) < enough:
                assert service.process.poll() is None, service.log()
                await put_in(stream, count)
                count += 1
            await stream.wait_committed(service)
            assert 0 == await asyncio.to_thread(service.stop)
    finally:
        renewing.cancel()
    assert list(range(count)) == sorted(event["source_id"] for event in await stream.events())


async def test_a_token_that_the_brokers_refuse(secured: Secured, tmp_path: Path) -> None:
    """It is named; aiokafka takes the brokers' answer for a welcome."""
    file = tmp_path / "token"
    # A token of another form, of which nobody here knows when it expires.
    file.write_text("opaque")
    session = KafkaSession(settings_of(secured.stream().settings(**secured.token(file))), 10)
    try:
        with pytest.raises(BrokerError, match="SENTIMENT_KAFKA__SASL_TOKEN_FILE"):
            await session.start()
    finally:
        await session.stop()
