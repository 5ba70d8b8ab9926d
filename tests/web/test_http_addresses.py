"""The addresses that the HTTP server listens on: IPv4 and IPv6 on one port, unless one is set."""

from __future__ import annotations

import errno
import socket
from typing import Any

import aiohttp
import pytest

from service.demo import _taken
from service.errors import SettingsError
from service.observe.metrics import Metrics
from service.settings import HttpSettings
from service.web.server import HttpServer


def server(**settings: Any) -> HttpServer:
    """A server on a free port, or as the settings say."""
    return HttpServer(
        HttpSettings(**{"port": 0, **settings}), Metrics(), lambda: None, lambda: None
    )


async def answers(*hosts: str, **settings: Any) -> list[bool]:
    """Whether a server with these settings answers on each host, all on its one port."""
    listening = server(**settings)
    await listening.start()
    found = []
    try:
        assert listening.port > 0
        async with aiohttp.ClientSession() as client:
            for host in hosts:
                url = f"http://{host}:{listening.port}/livez"
                try:
                    async with client.get(url) as response:
                        found.append(response.status == 200)
                except aiohttp.ClientConnectorError:
                    found.append(False)
    finally:
        await listening.stop()
    return found


def needs_ipv6() -> None:
    """Skip the test on a machine whose loopback has no IPv6."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"this machine has no IPv6 ({error})")


async def test_both_families_by_default() -> None:
    """So probes of a cluster with IPv6 alone reach it without a setting."""
    needs_ipv6()
    assert await answers("127.0.0.1", "[::1]") == [True, True]


async def test_an_address_that_is_set_is_the_only_one() -> None:
    """As before: IPv4 alone, IPv6 alone, or one address."""
    needs_ipv6()
    assert await answers("127.0.0.1", "[::1]", host="0.0.0.0") == [True, False]  # noqa: S104
    assert await answers("127.0.0.1", "[::1]", host="::") == [False, True]
    assert await answers("127.0.0.1", "[::1]", host="::1") == [False, True]


async def test_a_system_without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    """IPv4 alone, without an error."""
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    assert await answers("127.0.0.1", "[::1]") == [True, False]


@pytest.mark.parametrize("code", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
async def test_a_system_with_ipv6_switched_off(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Such as a container whose kernel knows IPv6 and whose network has none."""
    create = socket.create_server

    def refusing(address: Any, *, family: int = socket.AF_INET, **options: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(code, "no IPv6 here")
        return create(address, family=family, **options)

    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: True)
    monkeypatch.setattr(socket, "create_server", refusing)
    assert await answers("127.0.0.1") == [True]


async def test_a_port_in_use_in_one_family_is_in_use() -> None:
    """Otherwise two services would share a port, and each would get some of the requests."""
    first = server(host="127.0.0.1")
    await first.start()
    try:
        with pytest.raises(SettingsError, match=rf"PORT={first.port} is in use on \*; set another"):
            await server(port=first.port).start()
        assert _taken(HttpSettings(port=first.port))
    finally:
        await first.stop()
    assert not _taken(HttpSettings(port=first.port))
