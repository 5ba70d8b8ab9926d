"""A registry's login and certificates are taken from their files at each request."""

from __future__ import annotations

import base64
import ssl
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from service.errors import BrokerError
from service.registry.client import RegistryClient
from service.settings import KafkaSettings
from tools.kafka.jar_broker import HOST
from tools.kafka.tls import Authority

if TYPE_CHECKING:
    from pathlib import Path


async def test_each_request_has_the_present_login_and_authority(tmp_path: Path) -> None:
    """By one client, which lives as long as the service."""
    authority = Authority(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("registry", HOST, tmp_path / "registry"))
    logins: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        logins.append(base64.b64decode(request.headers["Authorization"].split()[1]).decode())
        # No connection is kept, so that each request makes one.
        return web.json_response({"id": 1}, headers={"Connection": "close"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0, ssl_context=context)
    await site.start()
    password = tmp_path / "password"
    password.write_text("first")
    client = RegistryClient(
        KafkaSettings(
            schema_registry_url=f"https://{HOST}:{runner.addresses[0][1]}",
            schema_registry_username="u",
            schema_registry_password_file=password,
            schema_registry_ca_file=authority.file,
        )
    )
    try:
        for content in ("first", "second", ""):
            password.write_text(content)
            with capture_logs() as logs:
                assert 1 == await client.registered("s", {}, new=True)
        Authority(tmp_path / "ca.pem")
        with pytest.raises(BrokerError, match="SCHEMA_REGISTRY_CA_FILE"):
            await client.registered("s", {}, new=True)
    finally:
        await client.close()
        await runner.cleanup()

    assert ["u:first", "u:second", "u:second"] == logins
    [line] = logs
    assert f"SCHEMA_REGISTRY_PASSWORD_FILE={password} is empty" in line["error"]
