"""What mounted files hold, read anew once it has changed: certificates, passwords, tokens.

Exists because these expire, and are renewed in place while the service runs (by cert-manager, a
rotated Secret, a sidecar that fetches tokens). New connections take what is there then. A file that
cannot be used, for example one that is half written, does not replace what was read before. What a
file holds is never logged. Nothing may enter that connects.
"""

from __future__ import annotations

import hashlib
import ssl
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import structlog

from service.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Mounted(Generic[T]):
    """The value of some files; a call gives the present one."""

    def __init__(self, files: tuple[Path, ...], read: Callable[[], T]) -> None:
        """Read the files for the first time.

        Raises:
            SettingsError: what `read` raises for a file that cannot be used.
        """
        self._files = files
        self._read = read
        # Taken before the files are read: of a change in between, the next call reads them again.
        self._digest = self._present_digest()
        self._told = self._digest
        self._value = read()

    def __call__(self) -> T:
        """The value, read anew if a file has changed; the former one if they cannot be used now.

        Reads a few small files, which takes less than a connection's first round trip.
        """
        digest = self._present_digest()
        if digest == self._digest:
            return self._value
        try:
            value = self._read()
        except SettingsError as error:
            # Tried again at the next connection, and logged once for each content.
            if digest != self._told:
                log.warning(
                    "a mounted file has changed and cannot be used; what it held stays in use",
                    error=str(error),
                )
            self._told = digest
            return self._value
        self._digest = self._told = digest
        self._value = value
        log.info("mounted files have changed: read anew", files=[str(f) for f in self._files])
        return value

    def _present_digest(self) -> bytes:
        """A digest of what the files hold: times and sizes need not change with it."""
        digest = hashlib.sha256()
        for file in self._files:
            try:
                content = file.read_bytes()
            except OSError:
                content = b""
            digest.update(hashlib.sha256(content).digest())
        return digest.digest()


class MountedContext(ssl.SSLContext):
    """A TLS context for clients that keep one for good: each connection gets the present one's.

    Clients of asyncio use a context by `wrap_bio` alone. A context that is loaded anew in place
    would go on trusting the authorities that are gone from the file.
    """

    present: Callable[[], ssl.SSLContext]

    @classmethod
    def of(
        cls, variables: str, ca: Path | None, certificate: Path | None, key: Path | None
    ) -> MountedContext:
        """What to trust and to show, by files whose variables begin so; without `ca`, the system's.

        Raises:
            SettingsError: one line for each file, or pair of them, that cannot be used.
        """
        files = tuple(file for file in (ca, certificate, key) if file is not None)
        context = cls(ssl.PROTOCOL_TLS_CLIENT)
        context.present = Mounted(files, partial(_context, variables, ca, certificate, key))
        return context

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:  # noqa: D102 - the library's
        return self.present().wrap_bio(*args, **options)


def _context(
    variables: str, ca: Path | None, certificate: Path | None, key: Path | None
) -> ssl.SSLContext:
    wrong: list[str] = []
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:
        wrong.append(
            f"{variables}CA_FILE={ca} cannot be used ({error}); mount a readable PEM file of "
            "certificates there"
        )
        context = ssl.create_default_context()
    if certificate is not None:
        try:
            # With no password given, OpenSSL would ask for an encrypted key's at the terminal.
            context.load_cert_chain(certificate, key, "")
        except OSError as error:
            wrong.append(
                f"{variables}CERTIFICATE_FILE={certificate} and {variables}KEY_FILE={key} cannot "
                f"be used ({error}); mount a readable PEM certificate and its PEM key without a "
                "password there"
            )
    if wrong:
        raise SettingsError("\n".join(wrong))
    return context
