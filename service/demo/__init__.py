"""The demo: the whole service on made-up messages, and a view of its output.

Exists so that everything can be seen working without any other program: it has a broker inside the
process, and the same service code as `run` over the same protocol. No text is scored in advance,
and the service has no special case for the demo. Only `cli` imports this room.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

from aiokafka.errors import KafkaError
from rich.console import Group
from rich.text import Text

from service.app import Service
from service.demo.board import LATENCIES_MAX, Board
from service.demo.broker import demo_broker
from service.demo.generator import play
from service.demo.view import follow, show
from service.errors import BrokerError
from service.observe.logs import configure_logging
from service.settings import HttpSettings, KafkaSettings
from service.terminal import BAD, GOOD, WARN, Table, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

    from service.settings import LogSettings, Settings

INPUT_TOPIC = "demo.messages"
OUTPUT_TOPIC = "demo.events"
DEAD_LETTER_TOPIC = "demo.dead-letters"
# Five seconds of messages: on a slow machine, a larger backlog would not drain in time.
WAITING_MAX = 200
# At the end, time for the backlog to come back before the service stops.
DRAIN_S = 10.0
# After the service's own drain, time to read its last events.
READ_LAST_S = 2.0
_LOOK_INTERVAL_S = 0.05


async def run_demo(settings: Settings, seconds: float | None, console: Console) -> int:
    """Run until Ctrl-C or SIGTERM, or for `seconds`, then print a summary; returns the exit code.

    The first signal drains the service; a second one ends the demo at once.

    Raises:
        ServiceError: the service, its model or the broker does not start, or fails.
    """
    stop = asyncio.Event()
    _stop_on_signals(stop)
    configure_logging(_quieter(settings.log))
    board = Board(time.monotonic(), settings.batch.latency_budget_ms)
    try:
        with demo_broker((INPUT_TOPIC, OUTPUT_TOPIC, DEAD_LETTER_TOPIC)) as bootstrap_servers:
            await _run(_for_demo(settings, bootstrap_servers), seconds, board, stop, console)
    except KafkaError as error:
        raise BrokerError(f"the demo's broker failed ({error!r}); start the demo again") from error
    console.print(summary(board))
    return 0


def _for_demo(settings: Settings, bootstrap_servers: str) -> Settings:
    """The settings for the demo's broker, which has no passwords and its own topics."""
    kafka = KafkaSettings(
        bootstrap_servers=bootstrap_servers,
        input_topic=INPUT_TOPIC,
        output_topic=OUTPUT_TOPIC,
        dead_letter_topic=DEAD_LETTER_TOPIC,
        group_id="demo",
        # The demo shows every reason for a dead letter, and counts one outcome for each message.
        tombstones="dead_letter",
    )
    http = settings.http.model_copy(update={"page": True, "score": True})
    if http.port == HttpSettings().port and _taken(http):
        http = http.model_copy(update={"port": 0})
    # The generator repeats its messages, and the demo should show them being scored.
    model = settings.model.model_copy(update={"repeats_max": 0})
    # Its broker does not refuse the commit of a member that has lost its partitions, as Kafka does.
    delivery = settings.delivery.model_copy(update={"mode": "at_least_once"})
    return settings.model_copy(
        update={"kafka": kafka, "http": http, "model": model, "delivery": delivery}
    )


def _taken(http: HttpSettings) -> bool:
    """Whether the port is in use: a newcomer's first minute must not fail because of that."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("" if http.host == HttpSettings().host else http.host, http.port))
        except OSError:
            return True
    return False


def _quieter(log: LogSettings) -> LogSettings:
    """Log only warnings and errors: any other line would be written across the view."""
    level = "error" if log.level == "error" else "warning"
    return log.model_copy(update={"level": level, "format": "console"})


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def first() -> None:
        stop.set()
        for number in signals:
            loop.remove_signal_handler(number)

    for number in signals:
        loop.add_signal_handler(number, first)


async def _run(
    settings: Settings, seconds: float | None, board: Board, stop: asyncio.Event, console: Console
) -> None:
    service = Service(settings)
    running = asyncio.create_task(service.run(), name="service")
    following = asyncio.create_task(follow(board, settings.kafka), name="follow")
    try:
        await _until_ready(service, stop, (running, following), console)
        if service.ready.is_set() and not stop.is_set():
            board.address = f"http://localhost:{service.http_port}/"
            if not console.is_terminal:
                console.print(f"live page: {board.address}", soft_wrap=True)
            await _play(settings, seconds, board, stop, (running, following), console)
        service.request_stop()
        await running
        await _until_settled(board, READ_LAST_S, (following,))
    finally:
        await _cancel(running, following)


async def _until_ready(
    service: Service, stop: asyncio.Event, needed: Sequence[asyncio.Task[None]], console: Console
) -> None:
    message = "loading the model and joining the consumer group …"
    if not console.is_terminal:
        console.print(message)
    with console.status(message):
        await _until((service.ready, stop), needed)


async def _play(
    settings: Settings,
    seconds: float | None,
    board: Board,
    stop: asyncio.Event,
    needed: Sequence[asyncio.Task[None]],
    console: Console,
) -> None:
    """Play messages and show them until `stop` or for `seconds`, then wait for the last ones."""
    kafka, silence = settings.kafka, asyncio.Event()
    board.start(time.monotonic())
    playing = asyncio.create_task(
        play(
            kafka.bootstrap_servers,
            kafka.input_topic,
            lambda: board.waiting < WAITING_MAX,
            board.sent,
            silence,
        ),
        name="play",
    )
    showing = asyncio.create_task(show(board, console), name="show")
    try:
        await _until((stop,), (*needed, playing, showing), seconds)
        silence.set()
        await playing
        await _until_settled(board, DRAIN_S, (*needed, showing))
    finally:
        await _cancel(playing, showing)


async def _until(
    events: Sequence[asyncio.Event],
    needed: Sequence[asyncio.Task[None]],
    timeout_s: float | None = None,
) -> None:
    """Wait for any event, for the end of a needed task, or for `timeout_s`."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(
            (*waiting, *needed), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        await _cancel(*waiting)
    for task in needed:
        if task.done():
            task.result()  # raises what ended it


async def _until_settled(
    board: Board, timeout_s: float, needed: Sequence[asyncio.Task[None]]
) -> None:
    """Wait until every message produced has come back, at most for `timeout_s`."""
    until = time.monotonic() + timeout_s
    while (  # noqa: ASYNC110 - the board is plain data, and this wait has a bound
        board.waiting and time.monotonic() < until and not any(task.done() for task in needed)
    ):
        await asyncio.sleep(_LOOK_INTERVAL_S)


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def summary(board: Board) -> RenderableType:
    """A table of what the demo did, and a line that says whether every message came back."""
    if board.produced == 0:
        return Text("the demo ended before a message was played")
    outcomes = board.scored + board.dead_lettered
    duration_s = board.last_outcome - board.started
    table = Table("sentiment-stream demo", "", "")
    table.add_row("messages produced", str(board.produced))
    table.add_row("scored", str(board.scored))
    for label, count in sorted(board.labels.items()):
        table.add_row(f"  {label.lower()}", f"{count}, {percent(count / board.scored)}")
    if board.unsure:
        table.add_row("unsure of", f"{board.unsure}, {percent(board.unsure / board.scored)}")
    table.add_row("dead letters", str(board.dead_lettered))
    for reason, count in board.reasons.most_common():
        table.add_row(f"  {reason}", str(count))
    table.add_row("delivered", "at least once; with Kafka, exactly once")
    table.add_row("duration", f"{duration_s:.1f} s")
    if duration_s > 0:
        table.add_row("rate", f"{outcomes / duration_s:.1f} messages/s")
    if latency := board.latency_ms():
        table.add_row(
            "latency p50 / p95 / p99",
            "{:.1f} / {:.1f} / {:.1f} ms".format(*latency) + f" (of the last {LATENCIES_MAX})",
        )
    if board.model:
        table.add_row("model", board.model)
    lost = board.over_budget()
    return Group(table, *([Text(lost, WARN)] if lost else []), accounted(board))


def accounted(board: Board) -> Text:
    """One line that compares the messages produced with those that came back."""
    outcomes = board.scored + board.dead_lettered
    if outcomes < board.produced:
        return Text(f"{board.waiting} messages had not come back when the demo ended", WARN)
    if outcomes > board.produced:
        return Text(f"{outcomes - board.produced} more came back than were produced", BAD)
    return Text("every message accounted for: produced = scored + dead letters", GOOD)
