"""A broker that asks who one is and what one may do, and the files and users that it knows.

May not import the service.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from tools.kafka.broker import Broker, JarBroker, start_jar_broker
from tools.kafka.jar_broker import HOST
from tools.kafka.streams import Stream
from tools.kafka.tls import Authority
from tools.kafka.topics import topics_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER = "service"
PASSWORD = "correct-horse-4711"  # noqa: S105 - of a broker that lives as long as the test
LISTENERS = {
    "SASL": "SASL_SSL", "CERT": "SSL", "SCRAM": "SASL_PLAINTEXT", "TOKEN": "SASL_PLAINTEXT",
}  # fmt: skip
LOGIN = "org.apache.kafka.common.security"
# The least that Kafka takes.
SCRAM_ITERATIONS = 4096
ADMIN_SECONDS = 30

Acl = tuple[ResourceType, str, AclOperation]


class Secured:
    """A broker that asks who one is, and the files and users that it knows."""

    def __init__(self, broker: JarBroker, authority: Authority, folder: Path) -> None:
        """Make the users."""
        self.broker = broker
        self.authority = authority
        self.folder = folder
        self.admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
        self.set_passwords(USER)

    def set_passwords(self, user: str, password: str = PASSWORD) -> None:
        """Let a user log in with a password, by both SCRAM mechanisms."""
        # Of one user, Kafka alters one at a time.
        for kind in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
            info = ScramCredentialInfo(kind, SCRAM_ITERATIONS)
            self._alter(UserScramCredentialUpsertion(user, info, password.encode()))

    def take_password(self, user: str) -> None:
        """Let a user log in by SCRAM-SHA-512 no more."""
        self._alter(UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512))

    def _alter(self, change: UserScramCredentialAlteration) -> None:
        for future in self.admin.alter_user_scram_credentials([change]).values():
            future.result(ADMIN_SECONDS)

    def stream(self) -> Stream:
        """Fresh topics, on which nobody has a permission."""
        shared = Broker(self.broker.bootstrap_servers, "jars")
        return Stream(shared, topics_on(shared))

    def grant(self, *acls: Acl, user: str = USER) -> None:
        """Permit a user to do this to resources whose names begin so."""
        bindings = [
            AclBinding(
                kind, name, ResourcePatternType.PREFIXED, f"User:{user}", "*", operation,
                AclPermissionType.ALLOW,
            )
            for kind, name, operation in acls
        ]  # fmt: skip
        for future in self.admin.create_acls(bindings).values():
            future.result(ADMIN_SECONDS)

    def password_file(self, password: str = PASSWORD) -> str:
        """A file with a password and a line break, as editors leave it."""
        file = self.folder / f"password-{uuid.uuid4().hex}"
        file.write_text(f"{password}\n")
        return str(file)

    def login(self, mechanism: str, password: str = PASSWORD) -> dict[str, str]:
        """Settings that log in over TLS."""
        return {
            "KAFKA__BOOTSTRAP_SERVERS": self.broker.addresses["SASL"],
            "KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA__SASL_MECHANISM": mechanism,
            "KAFKA__SASL_USERNAME": USER,
            "KAFKA__SASL_PASSWORD_FILE": self.password_file(password),
            "KAFKA__SSL_CA_FILE": str(self.authority.file),
        }

    def token(self, file: Path) -> dict[str, str]:
        """Settings that log in by the token in a file; see `token_of`."""
        return {
            "KAFKA__BOOTSTRAP_SERVERS": self.broker.addresses["TOKEN"],
            "KAFKA__SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "KAFKA__SASL_MECHANISM": "OAUTHBEARER",
            "KAFKA__SASL_TOKEN_FILE": str(file),
        }

    def certificate(self, authority: Authority | None = None) -> dict[str, str]:
        """Settings that show a client certificate, by an authority that may be another one."""
        folder = self.folder / f"client-{uuid.uuid4().hex}"
        certificate, key = (authority or self.authority).issue(USER, HOST, folder)
        return {
            "KAFKA__BOOTSTRAP_SERVERS": self.broker.addresses["CERT"],
            "KAFKA__SECURITY_PROTOCOL": "SSL",
            "KAFKA__SSL_CA_FILE": str(self.authority.file),
            "KAFKA__SSL_CERTIFICATE_FILE": str(certificate),
            "KAFKA__SSL_KEY_FILE": str(key),
        }


def token_of(user: str, seconds: float) -> str:
    """A token for a user, good for so long; unsigned, as a Kafka takes it that has no other way."""
    now = time.time()
    parts = ({"alg": "none"}, {"sub": user, "iat": now, "exp": now + seconds})
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts)
    return ".".join(part.rstrip("=") for part in encoded) + "."


def acls_of(stream: Stream) -> dict[str, Acl]:
    """All that the service needs, by what a test calls it."""
    return {
        "input": (ResourceType.TOPIC, stream.input, AclOperation.READ),
        "output": (ResourceType.TOPIC, stream.output, AclOperation.WRITE),
        "letters": (ResourceType.TOPIC, stream.letters, AclOperation.WRITE),
        "group": (ResourceType.GROUP, stream.group, AclOperation.READ),
        "transactions": (ResourceType.TRANSACTIONAL_ID, stream.group, AclOperation.WRITE),
    }


@contextmanager
def start_secured_broker(folder: Path) -> Iterator[Secured]:
    """Give a broker with TLS, logins and an authorizer; its plain listener is for the tests.

    Raises:
        BrokerUnavailableError: as for `start_jar_broker`.
    """
    authority = Authority(folder / "ca.pem")
    certificate, key = authority.issue("broker", HOST, folder / "broker")
    # Kafka takes both in one file.
    store = folder / "broker.pem"
    store.write_bytes(key.read_bytes() + certificate.read_bytes())
    scram = f"{LOGIN}.scram.ScramLoginModule required;"
    properties = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": "User:ANONYMOUS",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(store),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.file),
        "listener.name.cert.ssl.client.auth": "required",
        "ssl.principal.mapping.rules": "RULE:^CN=(.*?)$/$1/",
        "listener.name.sasl.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        "listener.name.sasl.plain.sasl.jaas.config": f"{LOGIN}.plain.PlainLoginModule required "
        f'user_{USER}="{PASSWORD}";',
        "listener.name.sasl.scram-sha-256.sasl.jaas.config": scram,
        "listener.name.sasl.scram-sha-512.sasl.jaas.config": scram,
        "listener.name.scram.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.scram.scram-sha-512.sasl.jaas.config": scram,
        "listener.name.token.sasl.enabled.mechanisms": "OAUTHBEARER",
        "listener.name.token.oauthbearer.sasl.jaas.config": f"{LOGIN}.oauthbearer."
        'OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";',
    }
    with start_jar_broker(LISTENERS, properties) as broker:
        yield Secured(broker, authority, folder)
