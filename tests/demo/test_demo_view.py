"""The demo's view: what it counts, and what it draws."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest
from rich.console import Console

from service.demo import INPUT_TOPIC, summary
from service.demo.board import LATENCIES_MAX, LETTERS_SHOWN, MESSAGES_SHOWN, RATE_WINDOW_S, Board
from service.demo.view import picture, status_line
from service.terminal import TEXT_CHARACTERS_MAX, label_style
from service.wire.contracts import SentimentEvent
from service.wire.letters import CONNECT_PREFIX, OWN_PREFIX


def an_event(label: str = "POSITIVE", **changes: Any) -> SentimentEvent:
    """An event as the service writes it."""
    values: dict[str, Any] = {
        "id": "0", "source_id": 1, "source": "survey", "lang": None, "created_at": None,
        "metadata": None, "extra": {}, "text": "Parking!!", "label": label, "score": 0.97,
        "scores": {label: 0.97}, "confident": True, "language": "en",
        "model": {"name": "bundled", "revision": "0", "engine": "plain", "precision": "float32"},
        "text_stats": {"tokens": 5, "truncated": False, "windows": 1, "unknown_share": 0.0},
        "origin": {"topic": INPUT_TOPIC, "partition": 0, "offset": 0, "timestamp": 0},
        "processed_at": "2026-05-04T09:30:00.000Z", "latency_ms": 12.0,
        "schema_version": "1.2",
    }  # fmt: skip
    return SentimentEvent.model_validate(values | changes)


def letter_headers(reason: str, detail: str = "why") -> dict[str, bytes]:
    """The headers of a dead letter that the view reads."""
    return {
        OWN_PREFIX + "reason": reason.encode(),
        CONNECT_PREFIX + "exception.message": detail.encode(),
    }


def drawn(renderable: Any, width: int = 100) -> str:
    """What a renderable looks like on a pipe."""
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_board_counts_labels_and_reasons() -> None:
    """What was produced and has not come back is waiting."""
    board = Board(100.0)
    for _ in range(5):
        board.sent()
    board.event(an_event("POSITIVE"), 101.0)
    board.event(an_event("NEGATIVE"), 101.5)
    board.event(an_event("POSITIVE"), 102.0)
    board.dead_letter(letter_headers("not_json"), 102.5)
    assert (board.scored, board.dead_lettered, board.waiting) == (3, 1, 1)
    assert board.shares() == [("NEGATIVE", 1 / 3), ("POSITIVE", 2 / 3)]
    assert dict(board.reasons) == {"not_json": 1}
    assert board.last_outcome == 102.5


def test_the_rate_is_of_the_last_seconds() -> None:
    """The window slides; what is older, and the second that has just begun, do not count."""
    board = Board(0.0)
    assert board.rate_per_s(5.0) == 0.0
    for tenth in range(400):
        board.event(an_event(), tenth / 10)
    assert board.rate_per_s(40.0) == 10.0
    assert board.rate_per_s(40.0 + RATE_WINDOW_S / 2) == 5.0
    assert board.rate_per_s(1000.0) == 0.0


def test_latency_percentiles_are_of_the_last_messages() -> None:
    """Old latencies leave; without any there is no figure."""
    board = Board(0.0)
    assert board.latency_ms() is None
    for number in range(LATENCIES_MAX):
        board.event(an_event(latency_ms=5000.0 + number), 1.0)
    for number in range(LATENCIES_MAX):
        board.event(an_event(latency_ms=float(number)), 2.0)
    assert board.latency_ms() == pytest.approx((499.5, 949.05, 989.01))


def test_the_board_is_bounded() -> None:
    """Whatever comes, the view keeps a few messages and seconds."""
    board = Board(0.0)
    for number in range(3000):
        board.event(an_event(text="long " * 1000, source={"deep": ["x"] * 1000}), number / 2)
        board.dead_letter(letter_headers("not_json", "d" * 500), number / 2)
    assert len(board.messages) == MESSAGES_SHOWN
    assert len(board.letters) == LETTERS_SHOWN
    assert len(board._latencies_ms) == LATENCIES_MAX
    assert len(board._seconds) == RATE_WINDOW_S + 1
    assert max(len(value) for value in board.messages[0][3:]) <= TEXT_CHARACTERS_MAX


def test_the_picture_takes_texts_as_they_are() -> None:
    """Markup of rich within a message is text, and a long text does not take a second line."""
    board = Board(0.0)
    board.sent()
    board.event(an_event(text="[bold]not markup[/bold] " + "x" * 500, source="[red]"), 1.0)
    board.dead_letter(letter_headers("too_deep", "nested [/] deep"), 1.0)
    board.address = "http://localhost:1/metrics"
    lines = drawn(picture(board, 2.0, 40)).splitlines()
    assert all(len(line) <= 100 for line in lines)
    (line,) = [line for line in lines if "not markup" in line]
    assert "0.970 positive  [red]             [bold]not markup[/bold] xxx" in line
    for expected in ("nested [/] deep", "bundled · plain · float32", board.address):
        assert any(expected in line for line in lines)


@pytest.mark.parametrize("height", [24, 30, 60])
def test_the_picture_fits_the_terminal(height: int) -> None:
    """The last line of the view is never pushed out of sight."""
    board = Board(0.0)
    for number in range(30):
        board.event(an_event(text=f"text {number}"), 1.0)
        board.dead_letter(letter_headers("not_json"), 1.0)
    assert len(drawn(picture(board, 2.0, height)).splitlines()) <= height


def test_a_line_for_pipes_has_all_figures() -> None:
    """One line, without control codes."""
    board = Board(0.0)
    for _ in range(4):
        board.sent()
    board.event(an_event(), 1.0)
    board.event(an_event("NEGATIVE"), 1.0)
    board.dead_letter(letter_headers("not_json"), 1.0)
    assert status_line(board, 3.0) == (
        "3 s  1/s  scored 2  dead 1  waiting 1  p50 12 p95 12 p99 12 ms  negative 50%  positive 50%"
    )


def test_a_lost_budget_has_its_reason() -> None:
    """In the line, the picture and the summary; nothing is said while the budget is kept."""
    boards = [Board(0.0, budget_ms) for budget_ms in (12.0, 11.0)]
    for board in boards:
        board.sent()
        board.event(an_event(), 1.0)
    kept, lost = [
        (status_line(b, 3.0), " ".join(drawn(picture(b, 2.0, 40)).split()), drawn(summary(b)))
        for b in boards
    ]
    assert not any("budget" in text for text in kept)
    assert lost[0].endswith(
        "p95 is over the budget of 11 ms: other programs keep this machine busy, or it is slower "
        "than the messages come"
    )
    assert "over the budget" in lost[1]
    assert "p95 is over the budget of 11 ms" in lost[2]


@pytest.mark.parametrize(
    ("produced", "expected"),
    [
        (2, "every message accounted for"),
        (5, "3 messages had not come back"),
        (1, "1 more came back than were produced"),
    ],
)
def test_the_summary_says_whether_every_message_came_back(produced: int, expected: str) -> None:
    """Nothing is called complete that is not."""
    board = Board(0.0)
    board.start(10.0)
    for _ in range(produced):
        board.sent()
    board.event(an_event(), 11.0)
    board.dead_letter(letter_headers("not_utf8"), 12.0)
    shown = drawn(summary(board))
    assert expected in shown
    for figure in ("positive", "1, 100.0 %", "not_utf8", "2.0 s", "1.0 messages/s", "12.0 / 12.0"):
        assert figure in shown
    assert "delivered\tat least once; with Kafka, exactly once" in shown


def test_three_labels_are_counted_and_told_apart() -> None:
    """The line, the picture and the summary have all of them; what is unsure is marked."""
    board = Board(0.0)
    for label, count in {"NEGATIVE": 1, "NEUTRAL": 2, "POSITIVE": 1}.items():
        for _ in range(count):
            board.sent()
            board.event(an_event(label, confident=label != "NEUTRAL"), 1.0)
    assert status_line(board, 3.0).endswith("negative 25%  neutral 50%  positive 25%")
    shown = drawn(picture(board, 2.0, 40))
    assert "0.970 negative  survey" in shown
    assert "0.970 neutral?  survey" in shown
    assert "██████████ 50%" in shown
    table = drawn(summary(board))
    for line in ("  negative\t1, 25.0 %", "  neutral\t2, 50.0 %", "unsure of\t2, 50.0 %"):
        assert line in table
    assert len({label_style(label) for label in board.labels}) == 3


def test_more_labels_than_have_room_are_one() -> None:
    """The largest stand by name, and the shares have the sum 1."""
    board = Board(0.0)
    for number in range(1, 8):
        for _ in range(number):
            board.sent()
            board.event(an_event(f"{number} stars"), 1.0)
    said = "5 stars 18%  6 stars 21%  7 stars 25%  4 more 36%"
    assert status_line(board, 3.0).endswith(said)
    assert "7 stars" in drawn(picture(board, 2.0, 24))
    assert "\n  1 stars\t1, 3.6 %" in drawn(summary(board))


def test_the_summary_of_nothing_is_one_line() -> None:
    """Ended while the model was loading, there is nothing to account for."""
    assert drawn(summary(Board(time.monotonic()))) == "the demo ended before a message was played\n"
