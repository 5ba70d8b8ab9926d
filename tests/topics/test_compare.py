"""Comparison of two models' events: joined by message, in bounded memory, on real Kafka too."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from service.cli import main
from service.errors import BrokerError, RetriableError
from service.kafka.once import outputs
from service.settings import KafkaSettings
from service.topics.compare import compare, print_comparison
from service.topics.comparison import Comparison
from tools.kafka.broker import Broker
from tools.kafka.streams import good_messages, tweets
from tools.kafka.topics import Message, create_topic, produce
from tools.service_process import running_service
from tools.tiny_model import write_model

if TYPE_CHECKING:
    from pathlib import Path

    from service.records import Record
    from tools.kafka.jar_broker import JarBroker
    from tools.kafka.streams import Stream
    from tools.kafka.topics import Topics


def _event(offset: int, score: float, *, text: str | None = None, partition: int = 0) -> bytes:
    event = {
        "source_id": f"id-{offset}",
        "text": text,
        "label": "POSITIVE" if score >= 0.5 else "NEGATIVE",
        "scores": {"NEGATIVE": 1 - score, "POSITIVE": score},
        "model": {"name": "m", "revision": "r", "precision": "float32", "engine": "e"},
        "origin": {"topic": "in", "partition": partition, "offset": offset, "timestamp": None},
    }
    return json.dumps(event).encode()


def _compared(base: list[float], candidate: list[float], **options: Any) -> dict[str, Any]:
    comparison = Comparison(("a", "b"), options.pop("examples", 10), **options)
    for offset, score in enumerate(base):
        comparison.add(0, _event(offset, score))
    for offset, score in reversed(list(enumerate(candidate))):
        comparison.add(1, _event(offset, score))
    return comparison.figures()


def test_agreement_flips_and_shifts() -> None:
    """In whatever order the two events come."""
    figures = _compared([0.9, 0.8, 0.2, 0.6], [0.9, 0.6, 0.7, 0.1])
    assert (4, 0.5) == (figures["joined"], figures["agreement"])
    assert [
        {"from": "NEGATIVE", "to": "POSITIVE", "count": 1},
        {"from": "POSITIVE", "to": "NEGATIVE", "count": 1},
    ] == sorted(figures["flips"], key=lambda flip: str(flip["from"]))
    shift = figures["shift"]
    assert shift["mean"] == pytest.approx((0 - 0.2 + 0.5 - 0.5) / 4)
    assert shift["mean_absolute"] == pytest.approx((0 + 0.2 + 0.5 + 0.5) / 4)
    assert (0.2, 0.5, 0.5) == (shift["p50"], shift["p95"], shift["p100"])
    assert {2, 3} == {e["origin"]["offset"] for e in figures["flipped_examples"]}
    assert [1, 0] == [e["origin"]["offset"] for e in figures["shifted_examples"]]
    example = figures["shifted_examples"][0]
    assert ("id-1", [0.8, 0.6]) == (example["source_id"], example["scores"])


def _three(offset: int, label: str, scores: tuple[float, float, float]) -> bytes:
    labels = ("negative", "neutral", "positive")
    event = {
        **json.loads(_event(offset, 0)),
        "label": label,
        "scores": dict(zip(labels, scores, strict=True)),
    }
    return json.dumps(event).encode()


def test_a_candidate_with_a_neutral_label() -> None:
    """Its labels are spelt differently; neutral is between the poles, so no pole flip."""
    comparison = Comparison(("a", "b"), 10)
    for offset, score in enumerate((0.9, 0.5, 0.1, 0.8)):
        comparison.add(0, _event(offset, score))
    for event in (
        _three(0, "positive", (0.1, 0.0, 0.9)),
        _three(1, "neutral", (0.0, 1.0, 0.0)),
        _three(2, "neutral", (0.1, 0.8, 0.1)),
        _three(3, "negative", (0.7, 0.2, 0.1)),
    ):
        comparison.add(1, event)
    figures = comparison.figures()
    assert (4, 0.25, 0.25) == tuple(figures[k] for k in ("joined", "agreement", "pole_flips"))
    pairs = [
        ("POSITIVE", "positive"), ("POSITIVE", "neutral"), ("NEGATIVE", "neutral"),
        ("POSITIVE", "negative"),
    ]  # fmt: skip
    assert sorted(pairs) == sorted((p["from"], p["to"]) for p in figures["labels"])
    assert sorted(pairs[1:]) == sorted((p["from"], p["to"]) for p in figures["flips"])
    assert figures["shift"]["mean"] == pytest.approx((0 + 0 + 0.4 - 0.6) / 4)
    found = {e["origin"]["offset"]: e["scores"] for e in figures["flipped_examples"]}
    expected = {1: [0.5, 0.5], 2: [0.1, 0.5], 3: [0.8, 0.2]}
    assert {n: pytest.approx(scores) for n, scores in expected.items()} == found
    console = Console(file=io.StringIO(), width=200)
    print_comparison(figures, console)
    assert isinstance(console.file, io.StringIO)
    assert "opposite poles for 25.00 %" in console.file.getvalue()


def test_a_shift_goes_by_the_names_of_labels() -> None:
    """In whatever order a model has its labels."""
    comparison = Comparison(("a", "b"), 10)
    comparison.add(0, _event(1, 0.9))
    event = json.loads(_event(1, 0.9))
    scores = dict(reversed(event["scores"].items()))
    comparison.add(1, json.dumps({**event, "scores": scores}).encode())
    assert 0.0 == comparison.figures()["shift"]["mean"]


def test_events_without_another_half_are_counted() -> None:
    """On both sides; an event that came twice counts once."""
    comparison = Comparison(("a", "b"), 10)
    for offset in (1, 2, 2, 3):
        comparison.add(0, _event(offset, 0.9))
    comparison.add(1, _event(3, 0.9))
    comparison.add(1, _event(3, 0.9, partition=1))
    sides = comparison.figures()["sides"]
    assert [(4, 2, 1), (2, 1, 0)] == [
        (side["events"], side["without_other_half"], side["repeats"]) for side in sides
    ]


def test_few_events_wait_and_the_oldest_are_given_up() -> None:
    """Memory is bounded if nothing matches, and so is the number of examples."""
    comparison = Comparison(("a", "b"), 3, waiting_max=50)
    for offset in range(1000):
        comparison.add(0, _event(offset, 0.9))
    for offset in range(1000):
        comparison.add(1, _event(offset, offset / 1000))
    figures = comparison.figures()
    assert figures["joined"] == 50
    assert 950 == figures["sides"][0]["given_up_waiting"]
    assert [999, 998, 997] == [e["origin"]["offset"] for e in figures["shifted_examples"]]
    assert len(comparison.sides[0].waiting) == 0
    assert len(comparison.sides[1].waiting) == 50


def test_the_side_that_is_behind_is_read() -> None:
    """So that few events wait."""
    comparison = Comparison(("a", "b"), 1)
    assert comparison.behind() == 0
    comparison.add(0, _event(1, 0.9))
    assert comparison.behind() == 1
    comparison.add(1, _event(1, 0.9))
    assert comparison.behind() == 0


@pytest.mark.parametrize(
    "value",
    [
        None, b"", b"no json", b"[]", b"{}", b"[" * 100_000, b'{"origin": 1}',
        _event(1, 0.9).replace(b'"scores": {', b'"scores": {}, "x": {'),
        _event(1, 0.9).replace(b'"scores": {', b'"scores": [], "x": {'),
    ],
)  # fmt: skip
def test_what_is_no_scored_event(value: bytes | None) -> None:
    """It is counted, and nothing else happens; an event without scores is one of these."""
    comparison = Comparison(("a", "b"), 1)
    comparison.add(0, value)
    assert (1, 0) == tuple(comparison.figures()["sides"][0][k] for k in ("unreadable", "events"))


def test_the_largest_shifts_are_kept_whatever_ids_are() -> None:
    """Ids of any type, texts with brackets, equal shifts: ids and texts are never compared."""
    comparison = Comparison(("a", "b"), 2)
    for offset in range(6):
        for side, score in ((0, 0.9), (1, 0.9 - offset // 2 / 10)):
            event = json.loads(_event(offset, score, text=f"[bold]x{offset}[/nothing]"))
            comparison.add(side, json.dumps({**event, "source_id": {"a": offset}}).encode())
    figures = comparison.figures()
    assert {4, 5} == {e["origin"]["offset"] for e in figures["shifted_examples"]}
    console = Console(file=io.StringIO(), width=200)
    print_comparison(figures, console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    for text in ("6 messages", "[bold]x5[/nothing]", "100.00 %", "in/0/5", "m r float32"):
        assert text in shown


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("a", "a"), 2, "error: these are the same topic; name two\n"),
        (("a", "b", "--kafka-bootstrap-servers", "localhost:1"), 1, "error: localhost:1: "),
    ],
)
def test_errors_are_one_line(arguments: tuple[str, ...], code: int, message: str) -> None:
    """What cannot be compared, and a broker that is not there."""
    done = CliRunner().invoke(main, ["compare", *arguments])
    assert (code, 1, "") == (done.exit_code, done.stderr.count("\n"), done.stdout)
    assert done.stderr.startswith(message)


def _settings(stream: Stream) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=stream.bootstrap)


@pytest.mark.kafka
async def test_an_unknown_topic(stream: Stream) -> None:
    """The error has its name, or the names of both; none is created."""
    quiet = Console(file=io.StringIO())
    with pytest.raises(BrokerError, match="there is no topic nowhere-at-all; name two"):
        await compare(_settings(stream), (stream.output, "nowhere-at-all"), 5, quiet)
    with pytest.raises(BrokerError, match="there is no topic nor-here and no topic nowhere-at-all"):
        await compare(_settings(stream), ("nowhere-at-all", "nor-here"), 5, quiet)


@pytest.mark.kafka
async def test_empty_and_uneven_topics(stream: Stream, topics: Topics) -> None:
    """Topics with different numbers of partitions; an empty one ends too."""
    quiet = Console(file=io.StringIO())
    other = topics("candidate", 1)
    figures = await compare(_settings(stream), (stream.output, other), 5, quiet)
    assert figures["joined"] == 0
    events = [_event(offset, 0.9) for offset in range(3000)]
    await produce(
        stream.bootstrap, stream.output,
        [Message(value=event, partition=n % 3) for n, event in enumerate(events)],
    )  # fmt: skip
    await produce(stream.bootstrap, other, [Message(value=event) for event in events[1000:]])
    figures = await compare(_settings(stream), (stream.output, other), 5, quiet)
    assert (2000, 1.0) == (figures["joined"], figures["agreement"])
    assert [1000, 0] == [side["without_other_half"] for side in figures["sides"]]


@pytest.mark.kafka
async def test_events_that_do_not_come_are_an_error(
    jar_broker: JarBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comparison of what was read by then must not pass for the whole."""
    monkeypatch.setattr(outputs, "READ_TIMEOUT_MS", 50)
    broker = Broker(jar_broker.bootstrap_servers, "jars")
    for topic in ("base", "candidate"):
        create_topic(broker, topic, 1, {})
        await produce(broker.bootstrap_servers, topic, [Message(value=_event(0, 0.9))])
    settings = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)

    async def none(self: outputs.Outputs, topic: str) -> list[Record]:
        jar_broker.pause()
        return await read(self, topic)

    read = outputs.Outputs.read
    monkeypatch.setattr(outputs.Outputs, "read", none)
    try:
        with pytest.raises(RetriableError, match=r"no event came for 20 reads, and not all are"):
            await compare(settings, ("base", "candidate"), 5, Console(file=io.StringIO()))
    finally:
        jar_broker.resume()


@pytest.mark.kafka
@pytest.mark.model
async def test_two_releases(
    stream: Stream, topics: Topics, shared_data: Path, tmp_path: Path
) -> None:
    """A candidate with its own group and output topic, on the same input; each names its model."""
    count = 400
    await produce(stream.bootstrap, stream.input, good_messages(tweets(shared_data), count))
    candidate = topics("candidate", 2)
    releases = {
        stream.output: {},
        candidate: {
            "KAFKA__GROUP_ID": f"{stream.group}-candidate",
            "KAFKA__OUTPUT_TOPIC": candidate,
            "MODEL__NAME": str(write_model(tmp_path / "tiny")),
            "DELIVERY__INCLUDE_TEXT": "false",
        },
    }
    for more in releases.values():
        with running_service(tmp_path, stream.settings(**more)) as service:
            await stream.wait_published(service, count)
            assert service.stop() == 0
    quiet = Console(file=io.StringIO())
    figures = await compare(_settings(stream), (stream.output, candidate), 5, quiet)
    assert count == figures["joined"]
    assert [0, 0] == [side["without_other_half"] for side in figures["sides"]]
    names = [next(iter(side["models"])).split()[0] for side in figures["sides"]]
    assert ["bundled", "tiny"] == names
    flips = sum(flip["count"] for flip in figures["flips"])
    assert flips == round((1 - figures["agreement"]) * count)
    assert flips > 0
    assert figures["shift"]["p100"] > 0.1
    example = figures["flipped_examples"][0]
    assert example["text"]
    assert stream.input == example["origin"]["topic"]
