"""The demo's view: reads the output topics and draws them in the terminal.

Exists so that the demo shows what any consumer gets. Its only state is the board, and it may not
use the running service in any other way.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer
from rich.console import Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from service.demo.board import LETTERS_SHOWN, MESSAGES_SHOWN, Board, Shown
from service.terminal import CALM, WARN, label_style
from service.wire.contracts import SentimentEvent

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from service.settings import KafkaSettings

DRAWS_PER_S = 4
MESSAGES_TITLE = "messages (?: the model is unsure)"
PLAIN_LINE_EVERY_S = 2.0
# The mock broker answers an empty fetch only after the whole wait, even if records arrive during
# it, so this wait is the delay of the view.
FETCH_WAIT_MS = 50


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
        # The mock broker writes transaction markers without a checksum.
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
    """Draw the board until cancelled: a live view on a terminal, plain lines elsewhere."""
    if not console.is_terminal or console.is_dumb_terminal:
        await _show_lines(board, console)
        return
    # Drawn here and not by rich's own thread, which might see a half-changed board.
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
    """The figures in one line, the most important first."""
    parts = [
        f"{now - board.started:.0f} s",
        f"{board.rate_per_s(now):.0f}/s",
        f"scored {board.scored}",
        f"dead {board.dead_lettered}",
        f"waiting {board.waiting}",
    ]
    if latency := board.latency_ms():
        parts.append("p50 {:.0f} p95 {:.0f} p99 {:.0f} ms".format(*latency))
    parts += [f"{label.lower()} {share:.0%}" for label, share in board.largest_shares()]
    if lost := board.over_budget():
        parts.append(lost)
    return "  ".join(parts)


def _style(label: str, score: float) -> str:
    weight = "bold " if score >= 0.9 else "" if score >= 0.7 else "dim "
    return weight + (label_style(label) or CALM)


def _message_text(message: Shown) -> Text:
    style = _style(message.label, message.score)
    label = message.label.lower() + ("" if message.confident else "?")
    score = Text(f"{message.score:5.3f} {label:<9}", style=style)
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
    # The title, two frames, the figures, the dead letters and the footer take 17 lines, and what
    # is said of the budget up to 4, at half the width of a terminal of 80.
    above = 17 if board.over_budget() is None else 21
    fitting = max(1, min(MESSAGES_SHOWN, height - above))
    messages = _lines([_message_text(message) for message in list(board.messages)[-fitting:]])
    letters = _lines(
        [Text.assemble((f"{name:<15}", "magenta"), f" {detail}") for name, detail in board.letters]
    )
    return Group(
        title,
        Panel(top, border_style="dim"),
        Panel(
            messages,
            title=MESSAGES_TITLE,
            title_align="left",
            height=fitting + 2,
        ),
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
    if lost := board.over_budget():
        table.add_row("", Text(lost, WARN))
    table.add_row("scored", f"{board.scored} of {board.produced}, {board.waiting} waiting")
    table.add_row("dead letters", str(board.dead_lettered))
    return table


def _shares(board: Board) -> Table:
    table = Table.grid(padding=(0, 1))
    for label, share in board.largest_shares():
        style = label_style(label) or CALM
        table.add_row(label.lower(), Text("█" * round(share * 20), style=style), f"{share:.0%}")
    return table
