"""The bench counts arithmetic right, and reports what it measured; how fast is not asserted."""

from __future__ import annotations

import json
import struct
from collections import Counter
from typing import TYPE_CHECKING
from xml.etree.ElementTree import fromstring

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from bench.delivery import main as delivery
from service.bench.full_size import write_full_size
from service.bench.limits import SQUARES, arithmetic, squares
from service.bench.null import NullEngine
from service.bench.report import Report
from service.bench.tables import plot
from service.bench.whole import steady_rate
from service.checkpoint.files import resolve
from service.cli import main
from service.engines.layout import load_layout
from service.settings import ModelSettings
from tools.kafka.counting import Requests

if TYPE_CHECKING:
    from pathlib import Path

    from tools.kafka.broker import Broker
    from tools.kafka.counting import Kind


def test_arithmetic_of_one_text() -> None:
    """By hand, for the bundled model: width 384, hidden 1536, six layers, three labels."""
    layout = load_layout(resolve(ModelSettings()))
    length, width, hidden = 20, 384, 1536
    linear = 2 * length * (4 * width * width + 2 * width * hidden)
    attention = 2 * 2 * length * length * width
    # There each head attends to whole tokens, and no keys and values are formed.
    last = 2 * (4 * width * width + 2 * width * hidden) + 2 * 2 * length * width * layout.heads
    head = 2 * (width * width + 3 * width)

    assert 5 * (linear + attention) + last + head == arithmetic(layout, [length])
    assert 2 * arithmetic(layout, [length]) == arithmetic(layout, [length, length])


def test_every_square_is_measured() -> None:
    """The smallest size of each precision and library."""
    assert [] == [name for name, measure in squares(1).items() if not measure(SQUARES[0] // 8) > 0]


def test_the_full_size_is_that_of_the_published_model(tmp_path: Path) -> None:
    """67 million weights, and an engine runs them."""
    folder = write_full_size(tmp_path / "full")
    checkpoint = resolve(ModelSettings(name=str(folder)))
    layout = load_layout(checkpoint)

    assert 6 == len(layout.layers)
    assert 66_955_010 == (folder / "model.safetensors").stat().st_size // 4 - _header_words(folder)
    assert checkpoint.labels == ("NEGATIVE", "POSITIVE")


def _header_words(folder: Path) -> int:
    with (folder / "model.safetensors").open("rb") as file:
        return (8 + int.from_bytes(file.read(8), "little")) // 4


def test_the_null_engine_says_the_same_of_all() -> None:
    """Equal shares."""
    assert [[0.0, 0.0]] * 3 == NullEngine(("a", "b")).logits([[1], [2], [3]]).tolist()


@given(size=st.integers(1, 256), batches=st.integers(4, 50), interval=st.floats(0.01, 5))
def test_a_rate_is_that_of_batches_however_large(size: int, batches: int, interval: float) -> None:
    """Not less for large ones, though the clock begins and ends within one."""
    times = [number * interval for number in range(batches) for _ in range(size)]

    if batches * size >= 20:
        assert size / interval == pytest.approx(steady_rate(times))


def test_the_bars_are_xml_whatever_the_model_is_called() -> None:
    """A folder may have any name."""
    report = Report({"model": "R&D/<new>", "threads": 1}, engines={"onnx_packed int8": [3.0, 1.0]})
    svg = fromstring(plot(report))  # noqa: S314 - our own
    texts = [element.text for element in svg if element.tag.endswith("text")]
    assert ["messages/s, R&D/<new>, 1 threads", "onnx_packed int8", "2"] == texts


@given(
    sent=st.lists(st.tuples(st.sampled_from((0, 24, 26)), st.integers(0, 12), st.binary())),
    pieces=st.lists(st.integers(1, 40)),
)
def test_requests_are_counted_in_whatever_pieces_they_come(
    sent: list[tuple[int, int, bytes]], pieces: list[int]
) -> None:
    """Each once, by the name and version in its head; content that looks like a head is none."""
    names = {0: "Produce", 24: "AddPartitionsToTxn", 26: "EndTxn"}
    stream = b"".join(
        struct.pack(">ihhi", 8 + len(content), kind, version, 7) + content
        for kind, version, content in sent
    )
    counts: Counter[Kind] = Counter()
    requests = Requests(counts)
    for length in pieces:
        requests.feed(stream[:length])
        stream = stream[length:]
    requests.feed(stream)

    assert Counter((names[kind], version) for kind, version, _ in sent) == counts


def test_what_is_no_request_is_an_error() -> None:
    """As the first bytes of TLS or HTTP would be, if they happen to give a short length."""
    with pytest.raises(ValueError, match="no request to Kafka has 5 bytes"):
        Requests(Counter()).feed(struct.pack(">ihh", 5, 0, 0))


def test_the_bench_of_delivery_shows_how_it_is_called() -> None:
    """With an example."""
    shown = CliRunner().invoke(delivery, ["--help"])
    assert 0 == shown.exit_code
    assert "Example: python tests/bench/delivery.py --before ../before" in shown.output


@pytest.mark.kafka
@pytest.mark.model
@pytest.mark.timeout(600)
def test_a_whole_report(real_broker: Broker, tmp_path: Path) -> None:
    """Limits, engines, baselines and the service on a real broker, in one JSON object."""
    plot = tmp_path / "bench.svg"
    arguments = ["bench", "--count", "80", "--rounds", "1", "--seconds", "1", "--json"]
    done = CliRunner().invoke(
        main,
        [*arguments, "--plot", str(plot), "--bootstrap-servers", real_broker.bootstrap_servers],
        catch_exceptions=False,
    )
    assert 0 == done.exit_code, done.output
    report = json.loads(done.stdout)

    assert 80 == report["conditions"]["texts"]
    assert {"onnx_packed float32", "onnx_packed int8"} <= set(report["engines"])
    assert all(rate > 0 for rates in report["engines"].values() for rate in rates)
    assert all(figures["messages_per_s"] > 0 for figures in report["services"].values())
    with_engine = {name for name, figures in report["services"].items() if "of_engine" in figures}
    assert {
        name for name in report["services"] if "float32" in name or "int8" in name
    } == with_engine
    assert 5 == len(report["latencies"])
    assert plot.read_text().startswith("<svg")
