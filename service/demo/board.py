"""The data of the demo's view: bounded counts and samples of the service's output.

Exists so that counting can be tested without a terminal. Pure: time is an argument, and nothing is
read or drawn here. Texts are cut and stripped of control characters for the terminal.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from service.terminal import printable
from service.wire.letters import CONNECT_PREFIX, OWN_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.wire.contracts import SentimentEvent

# As many messages as fit a terminal of 30 lines with the figures; dead letters are rarer.
MESSAGES_SHOWN = 12
LETTERS_SHOWN = 4
# As many lines as the figures beside them.
SHARES_SHOWN = 4
# Percentiles are of this many latest messages: enough for a p99.
LATENCIES_MAX = 1000
# Long enough that one batch does not make the rate jump, short enough to follow a change.
RATE_WINDOW_S = 10


class Shown(NamedTuple):
    """One scored message as it is drawn."""

    label: str
    score: float
    confident: bool
    source: str
    text: str


class Letter(NamedTuple):
    """One dead letter as it is drawn; the detail never holds text of the message."""

    reason: str
    detail: str


class Board:
    """Everything that the view shows; every collection in it is bounded."""

    def __init__(self, now: float, budget_ms: float = math.inf) -> None:
        """Start empty; `now` is the monotonic clock in seconds, here and below.

        `budget_ms` is the service's latency budget.
        """
        self._budget_ms = budget_ms
        self.started = now
        self.last_outcome = now
        self.address = ""
        self.model = ""
        self.produced = 0
        self.labels: Counter[str] = Counter()
        self.unsure = 0
        self.reasons: Counter[str] = Counter()
        self.messages: deque[Shown] = deque(maxlen=MESSAGES_SHOWN)
        self.letters: deque[Letter] = deque(maxlen=LETTERS_SHOWN)
        self._latencies_ms: deque[float] = deque(maxlen=LATENCIES_MAX)
        # Outcomes of each of the last seconds, so that the window is bounded at any rate.
        self._seconds: deque[tuple[int, int]] = deque(maxlen=RATE_WINDOW_S + 1)

    @property
    def scored(self) -> int:
        """Messages that came back with a label."""
        return self.labels.total()

    @property
    def dead_lettered(self) -> int:
        """Messages that came back with a reason."""
        return self.reasons.total()

    @property
    def waiting(self) -> int:
        """Messages produced that have not come back yet."""
        return max(0, self.produced - self.scored - self.dead_lettered)

    def start(self, now: float) -> None:
        """Note that the first message is played at `now`."""
        self.started = self.last_outcome = now

    def sent(self) -> None:
        """A message was produced."""
        self.produced += 1

    def event(self, event: SentimentEvent, now: float) -> None:
        """Count a sentiment event."""
        self._outcome(now)
        label = printable(event.label or "unscored")
        self.labels[label] += 1
        confident = event.confident is not False
        self.unsure += not confident
        self._latencies_ms.append(event.latency_ms)
        model = event.model
        self.model = printable(f"{model.name} · {model.engine} · {model.precision}")
        text = "(text left out of events)" if event.text is None else event.text
        source = "" if event.source is None else event.source
        self.messages.append(
            Shown(label, event.score or 0.0, confident, printable(source), printable(text))
        )

    def dead_letter(self, headers: Mapping[str, bytes], now: float) -> None:
        """Count a dead letter; its headers have everything that is shown."""
        self._outcome(now)
        reason = printable(headers.get(OWN_PREFIX + "reason", b"unknown").decode())
        detail = headers.get(CONNECT_PREFIX + "exception.message", b"").decode()
        self.reasons[reason] += 1
        self.letters.append(Letter(reason, printable(detail)))

    def _outcome(self, now: float) -> None:
        self.last_outcome = now
        second = int(now)
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1] = (second, self._seconds[-1][1] + 1)
        else:
            self._seconds.append((second, 1))

    def rate_per_s(self, now: float) -> float:
        """Outcomes per second over the last whole seconds of the window."""
        first, last = int(now) - RATE_WINDOW_S, int(now)
        count = sum(number for second, number in self._seconds if first <= second < last)
        return count / max(1.0, min(float(RATE_WINDOW_S), last - self.started))

    def latency_ms(self) -> tuple[float, float, float] | None:
        """p50, p95 and p99 from polling a record to writing its event; None before the first."""
        if not self._latencies_ms:
            return None
        p50, p95, p99 = np.percentile(np.array(self._latencies_ms), [50, 95, 99])
        return float(p50), float(p95), float(p99)

    def over_budget(self) -> str | None:
        """That the budget is lost, and why, if one message in twenty takes longer."""
        latency = self.latency_ms()
        if latency is None or latency[1] <= self._budget_ms:
            return None
        return (
            f"p95 is over the budget of {self._budget_ms:.0f} ms: other programs keep this machine "
            "busy, or it is slower than the messages come"
        )

    def shares(self) -> list[tuple[str, float]]:
        """Share of each label among the scored messages, 0 to 1, by name."""
        return [(label, count / self.scored) for label, count in sorted(self.labels.items())]

    def largest_shares(self) -> list[tuple[str, float]]:
        """As many as have room, by name; the rest of more labels as one."""
        shares = self.shares()
        if len(shares) <= SHARES_SHOWN:
            return shares
        by_size = sorted(shares, key=lambda share: -share[1])
        own, rest = by_size[: SHARES_SHOWN - 1], by_size[SHARES_SHOWN - 1 :]
        return [*sorted(own), (f"{len(rest)} more", sum(share for _, share in rest))]
