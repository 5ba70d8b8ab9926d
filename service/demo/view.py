"""What the demo shows: a bounded picture of what comes out, drawn in the terminal.

`Board` is the picture and pure: time is an argument. It learns of messages only by reading the
output topics, as any consumer would. Texts are cut and stripped of control characters before they
reach a terminal.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from aiokafka import AIOKafkaConsumer
from rich.console import Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from service.contracts import CONNECT_PREFIX, OWN_PREFIX, SentimentEvent
from service.terminal import label_style, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console, RenderableType

    from service.settings import KafkaSettings

# As many messages as fit a terminal of 30 lines beside the figures; letters are rarer.
MESSAGES_SHOWN = 12
LETTERS_SHOWN = 4
# The percentiles are of the latest so many: enough for a p99, and a bound.
LATENCIES_MAX = 1000
# Long enough that one batch does not make the rate jump, short enough to follow a change.
RATE_WINDOW_S = 10
DRAWS_PER_S = 4
PLAIN_LINE_EVERY_S = 2.0
# The mock broker answers a fetch that finds nothing only after the whole wait, whatever arrives
# meanwhile, so the wait is the view's delay.
FETCH_WAIT_MS = 50


class Shown(NamedTuple):
    """One scored message as it is drawn."""

    label: str
    score: float
    source: str
    text: str


class Letter(NamedTuple):
    """One dead letter as it is drawn; the detail never holds text of the message."""

    reason: str
    detail: str


class Board:
    """All that the view knows; every collection in it is bounded."""

    def __init__(self, now: float) -> None:
        """Begin empty; `now` is a reading of the monotonic clock in seconds, as everywhere here."""
        self.started = now
        self.last_outcome = now
        self.address = ""
        self.model = ""
        self.produced = 0
        self.labels: Counter[str] = Counter()
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
        """Messages begin to be played now."""
        self.started = self.last_outcome = now

    def sent(self) -> None:
        """A message was produced."""
        self.produced += 1

    def event(self, event: SentimentEvent, now: float) -> None:
        """Take in a sentiment event."""
        self._outcome(now)
        label = printable(event.label or "unscored")
        self.labels[label] += 1
        self._latencies_ms.append(event.latency_ms)
        model = event.model
        self.model = printable(f"{model.name} · {model.engine} · {model.precision}")
        text = "(text left out of events)" if event.text is None else event.text
        source = "" if event.source is None else event.source
        self.messages.append(Shown(label, event.score or 0.0, printable(source), printable(text)))

    def dead_letter(self, headers: Mapping[str, bytes], now: float) -> None:
        """Take in a dead letter, of which the headers say everything that is shown."""
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

    def shares(self) -> list[tuple[str, float]]:
        """Share of each label among the scored messages, 0 to 1, by name."""
        return [(label, count / self.scored) for label, count in sorted(self.labels.items())]


async def follow(board: Board, kafka: KafkaSettings) -> None:
    """Feed the board from the output topics until cancelled.

    Raises:
        KafkaError: the broker cannot be read.
    """
    consumer = AIOKafkaConsumer(
        kafka.output_topic,
        kafka.dead_letter_topic,
        bootstrap_servers=kafka.bootstrap_servers,
        group_id=None,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        fetch_max_wait_ms=FETCH_WAIT_MS,
        # The mock broker ends a transaction with a marker that has no checksum.
        check_crcs=False,
    )
    try:  # not `async with`, which leaves open what is cancelled while it starts
        await consumer.start()
        while True:
            for partition, fetched in (await consumer.getmany(timeout_ms=1000)).items():
                for record in fetched:
                    if partition.topic == kafka.output_topic:
                        event = SentimentEvent.model_validate_json(record.value)
                        board.event(event, time.monotonic())
                    else:
                        board.dead_letter(dict(record.headers), time.monotonic())
    finally:
        await consumer.stop()


async def show(board: Board, console: Console) -> None:
    """Draw the board until cancelled: a live picture on a terminal, plain lines elsewhere."""
    if not console.is_terminal or console.is_dumb_terminal:
        await _show_lines(board, console)
        return
    # Drawn from here and not from rich's own thread, so that no half-changed board is seen.
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(picture(board, time.monotonic(), console.height), refresh=True)
            await asyncio.sleep(1 / DRAWS_PER_S)


async def _show_lines(board: Board, console: Console) -> None:
    scored, letters = 0, 0
    while True:
        await asyncio.sleep(PLAIN_LINE_EVERY_S)
        console.print(Text(status_line(board, time.monotonic())), soft_wrap=True)
        samples = []
        if board.scored > scored:
            samples.append(Text("  ") + _message_text(board.messages[-1]))
        if board.dead_lettered > letters:
            samples.append(Text("  dead letter: " + ": ".join(board.letters[-1])))
        scored, letters = board.scored, board.dead_lettered
        for sample in samples:
            sample.truncate(console.width, overflow="ellipsis")
            console.print(sample, soft_wrap=True)


def status_line(board: Board, now: float) -> str:
    """The figures in one line, the ones that matter most first."""
    parts = [
        f"{now - board.started:.0f} s",
        f"{board.rate_per_s(now):.0f}/s",
        f"scored {board.scored}",
        f"dead {board.dead_lettered}",
        f"waiting {board.waiting}",
    ]
    if latency := board.latency_ms():
        parts.append("p50 {:.0f} p95 {:.0f} p99 {:.0f} ms".format(*latency))
    parts += [f"{label.lower()} {share:.0%}" for label, share in board.shares()]
    return "  ".join(parts)


def _style(label: str, score: float) -> str:
    weight = "bold " if score >= 0.9 else "" if score >= 0.7 else "dim "
    return weight + (label_style(label) or "cyan")


def _message_text(message: Shown) -> Text:
    style = _style(message.label, message.score)
    score = Text(f"{message.score:5.3f} {message.label.lower():<9}", style=style)
    return Text.assemble(score, f" {message.source:<17} ", message.text)


def picture(board: Board, now: float, height: int) -> RenderableType:
    """The whole view, for a terminal of `height` lines."""
    title = Text.assemble(
        ("sentiment-stream demo", "bold"), "   live page: ", (board.address, "bold underline cyan")
    )
    footer = Text.assemble((board.model, "cyan"), "   Ctrl-C ends the demo")
    top = Table.grid(expand=True, padding=(0, 2))
    top.add_column(ratio=1)
    top.add_column(ratio=1)
    top.add_row(_figures(board, now), _shares(board))
    # Title, two panels' frames, the figures, the letters and the footer are 17 lines.
    fitting = max(1, min(MESSAGES_SHOWN, height - 17))
    messages = _lines([_message_text(message) for message in list(board.messages)[-fitting:]])
    letters = _lines(
        [Text.assemble((f"{name:<15}", "magenta"), f" {detail}") for name, detail in board.letters]
    )
    return Group(
        title,
        Panel(top, border_style="dim"),
        Panel(messages, title="messages", title_align="left", height=fitting + 2),
        Panel(letters, title="dead letters", title_align="left", height=LETTERS_SHOWN + 2),
        footer,
    )


def _lines(lines: list[Text]) -> Table:
    table = Table.grid(expand=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for line in lines:
        table.add_row(line)
    return table


def _figures(board: Board, now: float) -> Table:
    latency = board.latency_ms()
    table = Table.grid(padding=(0, 2))
    table.add_row("rate", f"{board.rate_per_s(now):.1f} messages/s")
    table.add_row("latency", "{:.0f} / {:.0f} / {:.0f} ms  p50 p95 p99".format(*latency)
                  if latency else "no message yet")  # fmt: skip
    table.add_row("scored", f"{board.scored} of {board.produced}, {board.waiting} waiting")
    table.add_row("dead letters", str(board.dead_lettered))
    return table


def _shares(board: Board) -> Table:
    table = Table.grid(padding=(0, 1))
    for label, share in board.shares()[:4]:
        style = label_style(label) or "cyan"
        table.add_row(label.lower(), Text("█" * round(share * 20), style=style), f"{share:.0%}")
    return table
