"""The HTTP server: health for probes, metrics for scrapers, and the paths of further parts.

Reports state that others hold: it decides nothing, changes nothing, and reads no request body.
Parts (`score_api`, `live`) handle their own requests.
"""

from __future__ import annotations

import errno
import logging
import socket
from typing import TYPE_CHECKING, Protocol

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from prometheus_client.exposition import gzip_accepted

from service.errors import SettingsError
from service.observe.metrics import service_version

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiohttp.typedefs import Handler

    from service.observe.metrics import Metrics
    from service.settings import HttpSettings

# The logger that aiohttp uses for requests.
_log = logging.getLogger(__name__)
# Requests here have no body, and answers take milliseconds: the server waits for neither, not even
# when it stops. A part that accepts bodies reads them from the request's stream, with its own
# limit.
_BODY_BYTES_MAX = 1024
_LINGER_S = 0
_STOP_S = 1
# The setting for all addresses of the machine: probes and scrapers come from outside the container.
EVERY_HOST = "*"
# Errors of a kernel that knows IPv6 where it is switched off.
_NO_IPV6 = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
# Paths that are there only where a setting is true.
_SWITCHED = {
    **dict.fromkeys(("/score", "/explain", "/docs", "/openapi.json"), "SENTIMENT_HTTP__SCORE"),
    **dict.fromkeys(("/feed", "/page"), "SENTIMENT_HTTP__PAGE"),
}
# Longer than the usual scrape interval of a minute, so that connections are reused.
_KEEP_ALIVE_S = 75


class Part(Protocol):
    """A provider of further paths for the server."""

    def routes(self) -> list[web.RouteDef]:
        """Methods, paths and handlers; called once, when the server starts."""


class HttpServer:
    """Serves probes, metrics and parts until it is stopped.

    `not_alive` and `not_ready` return the reason in one line, or None if the service is alive or
    ready. They are called on the event loop for every probe and must not block. A part's `GET /`
    replaces the index.
    """

    def __init__(
        self,
        settings: HttpSettings,
        metrics: Metrics,
        not_alive: Callable[[], str | None],
        not_ready: Callable[[], str | None],
        parts: Sequence[Part] = (),
    ) -> None:
        """Open nothing before `start`."""
        self._settings = settings
        self._metrics = metrics
        self._not_alive = not_alive
        self._not_ready = not_ready
        self._parts = parts
        self._paths: tuple[str, ...] = ()
        self._port = settings.port
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """The port that the server listens on; before `start`, the one in the settings."""
        return self._port

    async def start(self) -> None:
        """Listen.

        Raises:
            SettingsError: the port is in use or not permitted, or the host is not an address of
                this machine.
        """
        app = web.Application(client_max_size=_BODY_BYTES_MAX, middlewares=[self._errors_as_json])
        app.on_response_prepare.append(_headers)
        routes = self._routes()
        app.router.add_routes(routes)
        self._paths = tuple(dict.fromkeys(route.path for route in routes))
        self._runner = web.AppRunner(
            app,
            access_log=None,  # probes every few seconds would bury everything else
            logger=_log,
            keepalive_timeout=_KEEP_ALIVE_S,
            lingering_time=_LINGER_S,
            shutdown_timeout=_STOP_S,
        )
        await self._runner.setup()
        host, port = self._settings.host, self._settings.port
        try:
            if host == EVERY_HOST:
                await web.SockSite(self._runner, _socket_on_every_host(port)).start()
            else:
                await web.TCPSite(self._runner, host, port).start()
        except (OSError, UnicodeError) as error:  # UnicodeError: not a valid host name
            await self.stop()
            raise _cannot_listen(self._settings, error) from None
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close all connections; may be called twice, or without `start`."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def _routes(self) -> list[web.RouteDef]:
        own = [
            web.get("/", self._index),
            web.get("/livez", self._livez),
            web.get("/readyz", self._readyz),
            web.get("/metrics", self._exposition),
        ]
        more = [route for part in self._parts for route in part.routes()]
        replaced = any((route.method, route.path) == ("GET", "/") for route in more)
        return [*(own[1:] if replaced else own), *more]

    @web.middleware
    async def _errors_as_json(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            headers, reason = {}, f"the paths are {' '.join(self._paths)}"
            setting = _SWITCHED.get(request.path)
            if setting is not None and request.path not in self._paths:
                reason += f"; {setting}=true switches {request.path} on"
            if isinstance(error, web.HTTPMethodNotAllowed):
                headers["Allow"] = error.headers["Allow"]
                reason = f"{request.path} takes {' or '.join(sorted(error.allowed_methods))}"
            body = {"status": error.reason.lower(), "reason": reason}
            return web.json_response(body, status=error.status, headers=headers)

    async def _index(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {"name": "sentiment-stream", "version": service_version(), "paths": self._paths}
        )

    async def _livez(self, _request: web.Request) -> web.Response:
        return _health(self._not_alive())

    async def _readyz(self, _request: web.Request) -> web.Response:
        return _health(self._not_ready())

    async def _exposition(self, request: web.Request) -> web.Response:
        # Set at each scrape, so that the gauge and the probe always agree.
        self._metrics.ready.set(self._not_ready() is None)
        body, content_type = self._metrics.render(request.headers.get("Accept", ""))
        response = web.Response(body=body, headers={"Content-Type": content_type})
        if gzip_accepted(request.headers.get("Accept-Encoding", "")):
            response.enable_compression(web.ContentCoding.gzip)
        return response


def _without_traceback(record: logging.LogRecord) -> bool:
    """Log a request that is not valid HTTP as one line: it is not a defect of the service."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.msg, record.exc_info = f"{record.msg}: {type(error).__name__}", None
        record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
    return _log.isEnabledFor(record.levelno)


_log.addFilter(_without_traceback)


def _health(problem: str | None) -> web.Response:
    if problem is None:
        return web.json_response({"status": "ok"})
    return web.json_response({"status": "unavailable", "reason": problem}, status=503)


async def _headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.setdefault("Cache-Control", "no-store")  # health must be current
    response.headers.popall("Server", None)  # it would reveal the versions of aiohttp and Python


def _socket_on_every_host(port: int) -> socket.socket:
    """One socket, and so one port, for IPv4 and IPv6; for IPv4 alone without IPv6.

    Raises:
        OSError: the port is in use or not permitted.
    """
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
        except OSError as error:
            if error.errno not in _NO_IPV6:
                raise
    return socket.create_server(("", port))


def _cannot_listen(settings: HttpSettings, error: OSError | UnicodeError) -> SettingsError:
    port = f"SENTIMENT_HTTP__PORT={settings.port}"
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.EADDRINUSE:
        return SettingsError(
            f"{port} is in use on {settings.host}; set another one (0 for any free port), "
            "or stop the process that uses it"
        )
    if code == errno.EACCES:
        return SettingsError(f"{port} is not permitted for this user; set one above 1023")
    return SettingsError(
        f"SENTIMENT_HTTP__HOST={settings.host} cannot be listened on ({error}); "
        "set an address of this machine, or * for all"
    )
