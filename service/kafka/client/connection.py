"""Connection options of aiokafka's clients, and the service's own errors for those of Kafka.

Exists so that all clients connect alike, and so that each error of a broker says what to correct.
Nothing may enter that reads or writes a topic.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaConnectionError,
    KafkaError,
)
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.transaction import (
    AddOffsetsToTxnRequest,
    AddPartitionsToTxnRequest,
    EndTxnRequest,
    InitProducerIdRequest,
)

from service.errors import BrokerError, RejoinError, RetriableError, first_line
from service.kafka.client.error_codes import (
    ENDING,
    FENCED,
    LOST,
    OLD_BROKER_REMEDY,
    PROTOCOL_REMEDY,
    WAITING,
    register,
    remedy_in,
)
from service.kafka.client.logins import UntimelyTokenError, login_options, register_logins
from service.kafka.client.offset_requests import (
    OffsetFetchRequest_v7,
    TxnOffsetCommitRequest,
    TxnOffsetCommitRequest_v3,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from service.settings import KafkaSettings

# Closing a client needs no answer that is worth a longer wait.
STOP_TIMEOUT_S = 5.0

# Connecting and logging in takes a few round trips: only an overloaded broker needs longer.
CHECK_TIMEOUT_S = 10.0

_TRANSACTION_REQUESTS = (
    AddPartitionsToTxnRequest,
    AddOffsetsToTxnRequest,
    EndTxnRequest,
    TxnOffsetCommitRequest,
)
_NO_ONCE = "set SENTIMENT_DELIVERY__MODE=at_least_once"

# OpenSSL's codes for a host name and an IP address that the certificate is not issued to.
_WRONG_HOST = (62, 64)
# OpenSSL's names of a broker's alerts about the client's certificate; other alerts may be
# temporary.
_CERTIFICATE_ALERTS = re.compile(
    r"_ALERT_(.*CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE|ACCESS_DENIED)"
)


def connection_options(settings: KafkaSettings) -> dict[str, Any]:
    """The keyword arguments that every aiokafka client needs to connect.

    Raises:
        SettingsError: one line for each mounted file that cannot be read or has the wrong content.
    """
    register()
    register_logins()
    return {
        "bootstrap_servers": settings.bootstrap_servers,
        "security_protocol": settings.security_protocol,
        "client_id": "sentiment-stream",
        **login_options(settings),
    }


async def check_access(options: Mapping[str, Any]) -> None:
    """Log in to one bootstrap server; aiokafka's clients retry for ever and hide the reason.

    Raises:
        BrokerError: no bootstrap server accepts the login, and at least one refuses it.
        RetriableError: none can be reached.
    """
    failure: BrokerError | RetriableError | None = None
    others = {name: value for name, value in options.items() if name != "bootstrap_servers"}
    for host, port, _ in collect_hosts(options["bootstrap_servers"]):
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                connection = await create_conn(host, port, **others)
                try:
                    await connection.send(MetadataRequest([]))
                finally:
                    connection.close()
        except (KafkaError, OSError) as error:
            if not isinstance(failure, BrokerError):
                failure = _closed(error) or translated(error)
                message = str(failure)
                if ";" not in message:
                    message += "; is a broker there? SENTIMENT_KAFKA__BOOTSTRAP_SERVERS names it"
                failure = type(failure)(f"{host}:{port}: {message}")
        else:
            return
    if failure is not None:
        raise failure


def check_versions(versions: Mapping[int, tuple[int, int]], mode: str) -> None:
    """Check that brokers which know these requests can serve a mode of delivery.

    `versions` are the lowest and highest of each request, by its key, as the brokers report them.

    Raises:
        BrokerError: they cannot.
    """
    if InitProducerIdRequest.API_KEY not in versions:
        raise BrokerError(
            f"the brokers have no idempotent producers (InitProducerId); {OLD_BROKER_REMEDY}"
        )
    if mode != "exactly_once":
        return
    missing = [r.__name__ for r in _TRANSACTION_REQUESTS if r.API_KEY not in versions]
    if missing:
        raise BrokerError(f"the brokers have no transactions ({', '.join(missing)}); {_NO_ONCE}")
    needed = (TxnOffsetCommitRequest_v3, OffsetFetchRequest_v7)
    old = [
        f"{request.__name__.partition('_')[0]} version {request.API_VERSION}"
        for request in needed
        if not _within(request.API_VERSION, versions.get(request.API_KEY))
    ]
    if old:
        raise BrokerError(
            "the brokers cannot refuse the commit of a replica that has lost its partitions, as "
            f"Kafka 2.5 and newer do ({', '.join(old)}); {_NO_ONCE}"
        )


def _within(version: int, known: tuple[int, int] | None) -> bool:
    return known is not None and known[0] <= version <= known[1]


def translated(error: Exception) -> BrokerError | RetriableError:
    """The service's error for one of Kafka: correct something, join again, or try again."""
    # A request that fails because its connection broke has the connection's error as its cause, and
    # aiokafka wraps what it does not expect.
    causes = [cause for cause in (error, error.__cause__) if cause is not None]
    for cause in causes:
        if (remedy := remedy_in(ENDING, cause)) is not None:
            return BrokerError(f"Kafka refuses ({named(cause)}); {remedy}")
        if isinstance(cause, UntimelyTokenError):
            return RetriableError(str(cause.args[0]))
    if isinstance(error, LOST):
        return RejoinError(f"the group was formed without this replica ({named(error)})")
    for cause in causes:
        if isinstance(cause, ssl.SSLError) and (remedy := _certificate_remedy(cause)):
            return BrokerError(f"TLS fails ({named(cause)}); {remedy}")
        if (remedy := remedy_in(WAITING, cause)) is not None:
            return RetriableError(f"Kafka failed ({named(cause)}); {remedy}")
    return RetriableError(_what_happened(error, causes))


def _what_happened(error: Exception, causes: Sequence[BaseException]) -> str:
    if ended := [cause for cause in causes if isinstance(cause, FENCED)]:
        return f"the brokers have ended the transaction ({named(ended[0])})"
    if isinstance(error, CommitFailedError | IllegalStateError):
        return "the partitions were taken away before the commit"
    return f"Kafka failed ({named(error)})"


@contextmanager
def translating() -> Iterator[None]:
    """Raise the service's error for one of Kafka, or for an answer that did not come in time.

    Raises:
        RetriableError, BrokerError: see `translated`.
    """
    try:
        yield
    except (KafkaError, TimeoutError) as error:
        raise translated(error) from error


def _certificate_remedy(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _WRONG_HOST:
            return (
                "name the brokers in SENTIMENT_KAFKA__BOOTSTRAP_SERVERS and in their "
                "advertised.listeners as their certificates do"
            )
        return "set SENTIMENT_KAFKA__SSL_CA_FILE to the authority of the brokers' certificates"
    if _CERTIFICATE_ALERTS.search(error.reason or ""):
        return (
            "set SENTIMENT_KAFKA__SSL_CERTIFICATE_FILE and SENTIMENT_KAFKA__SSL_KEY_FILE to a "
            "certificate that the brokers trust"
        )
    return ""


def _closed(error: Exception) -> RetriableError | None:
    """The error for a closed connection, which is temporary where a broker is starting."""
    if isinstance(translated(error), BrokerError) or not isinstance(
        error, KafkaConnectionError | ConnectionResetError | ssl.SSLError
    ):
        return None
    return RetriableError(
        f"the connection is closed ({named(error)}); if that lasts, {PROTOCOL_REMEDY}"
    )


def named(error: BaseException) -> str:
    """One bounded line with an error's class and text."""
    # The texts of aiokafka's own errors begin with the class.
    name, text = type(error).__name__, first_line(error, 300)
    return text if name in text else f"{name}: {text}"


async def explained(error: Exception, options: Mapping[str, Any]) -> BrokerError | RetriableError:
    """The service's error; aiokafka reports revoked credentials like brokers that are away."""
    found = translated(error)
    if type(found) is RetriableError:
        try:
            await check_access(options)
        except (BrokerError, RetriableError) as reason:
            return reason
    return found
