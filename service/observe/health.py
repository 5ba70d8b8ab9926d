"""The reasons that the probes answer with: why the service is not ready, why it is not alive.

Exists so that each state has one text, set in one place and tested without a service. State and
text only: no HTTP (see `web.server`), no Kafka (see `monitor`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.errors import RetriableError


class Readiness:
    """Whether the service scores the stream, and if not, why.

    It starts while the model is being loaded. A service that stops never becomes ready again:
    after `mark_stopping` no other state is entered.
    """

    def __init__(self) -> None:
        """Start with the model being loaded."""
        self._reason: str | None = "the model is being loaded"
        self._stopping = False

    def reason(self) -> str | None:
        """Why the service is not ready, in one line; None where it is ready."""
        return self._reason

    def mark_model_loaded(self) -> None:
        """The model is loaded; the group is next."""
        self._set("the group is not joined yet")

    def mark_joining(self) -> None:
        """The group has not assigned partitions to this member yet, or is rebalancing."""
        self._set("the group is being joined")

    def mark_unavailable(self, error: RetriableError) -> None:
        """Kafka cannot be used now; the error's message is the reason."""
        self._set(str(error))

    def mark_ready(self) -> None:
        """The group is joined and the brokers answer."""
        self._set(None)

    def mark_stopping(self) -> None:
        """The service was asked to stop."""
        self._set("the service is stopping")
        self._stopping = True

    def _set(self, reason: str | None) -> None:
        if not self._stopping:
            self._reason = reason


def not_alive(busy_s: float, stall_timeout_s: float, *, thread_ended: bool) -> str | None:
    """Why the process has to be restarted, in one line; None where it is alive.

    `busy_s` is how long the model has been busy with one batch, `thread_ended` whether the
    inference thread has ended without being asked to.
    """
    if thread_ended:
        return "the inference thread has ended"
    if busy_s > stall_timeout_s:
        return f"the model has not answered for {busy_s:.0f} s"
    return None
