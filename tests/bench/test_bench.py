"""The bench counts arithmetic right, and reports what it measured; how fast is not asserted."""

from __future__ import annotations

import io
import json
import struct
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bench.delivery import main as delivery
from service.bench.engines import contenders
from service.bench.full_size import write_full_size
from service.bench.limits import SQUARES, arithmetic, squares
from service.bench.null import NullEngine
from service.bench.peers.loading import block, padded
from service.bench.peers.search import Peer, Trial, at_its_best, difference_p99, unexplained
from service.bench.report import Report
from service.bench.tables import of_the_best_other, plot, show
from service.bench.whole import steady_rate
from service.checkpoint.files import resolve
from service.cli import main
from service.engines.layout import load_layout
from service.errors import ModelError
from service.lab.data.texts import read_texts
from service.settings import ModelSettings
from tools.kafka.counting import Requests

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from service.bench.peers.search import Score
    from service.checkpoint.files import Checkpoint
    from service.text.encoder import TextEncoder
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


def _peers(load: Callable[[int], Score]) -> Peer:
    """What the search finds for texts of 1 to 40 tokens, of which the first says the logits."""
    sequences = [[number, *[7] * (number % 40)] for number in range(90)]
    trial = Trial(cast("Checkpoint", None), cast("TextEncoder", None), 2, sequences, RIGHT)
    return at_its_best(load, trial, "float32")


RIGHT = np.arange(180, dtype=np.float32).reshape(90, 2)


def _right(batch: Sequence[Sequence[int]]) -> NDArray[np.float32]:
    return RIGHT[[ids[0] for ids in batch]]


def test_a_peer_gets_sorted_batches_and_gives_the_order_of_the_texts() -> None:
    """The longest first; no batch is larger than its size."""
    batches = []

    def score(batch: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        batches.append([len(ids) for ids in batch])
        return _right(batch)

    sequences = [[3], [5, 7, 7], [9, 7], [1, 7, 7, 7]]
    with ThreadPoolExecutor(1) as pool:
        peer = Peer(cast("TextEncoder", None), score, pool, streams=1, size=3)
        assert RIGHT[[3, 5, 9, 1]].tolist() == peer.logits(sequences).tolist()
    assert [[4, 3, 2], [1]] == batches


def test_a_way_with_wrong_scores_is_not_searched() -> None:
    """As OpenVINO computes some int8 constants wrong with two streams, and says nothing."""
    found = _peers(lambda streams: _right if streams == 1 else lambda batch: -_right(batch))
    assert (1, 0) == (found.streams, found.difference_p99)


@pytest.mark.parametrize("factor", [-1, 0, np.nan])
def test_a_peer_with_wrong_scores_is_none(factor: float) -> None:
    """Whatever its speed."""
    with pytest.raises(ModelError, match="its scores are wrong"):
        _peers(lambda _: lambda batch: _right(batch) * np.float32(factor))


def test_wrong_is_told_where_all_scores_are_alike() -> None:
    """With random weights the probabilities of all texts differ by less than int8 may."""
    alike = np.array([[0.5, 0.5001], [0.5, 0.5003], [0.5, 0.5002]], np.float32)
    assert 0 == unexplained(alike, alike)
    assert 1e-4 > difference_p99(alike[::-1], alike)
    assert 1 < unexplained(alike[[1, 0, 2]], alike)


def test_padding_is_masked() -> None:
    """For models of transformers, and for the service's own graph."""
    assert [[5, 6, 7], [8, 0, 0]] == padded([[5, 6, 7], [8]])["input_ids"].tolist()
    assert [[1, 1, 1], [1, 0, 0]] == padded([[5, 6, 7], [8]])["attention_mask"].tolist()
    inputs = block([[5, 6, 7], [8]])
    assert [5, 6, 7, 8, 0, 0] == inputs["ids"].tolist()
    assert [[0, 0, 0], [0, 1, 1]] == inputs["mask"][:, 0, 0].astype(bool).tolist()


def test_the_peer_that_is_always_there_scores_the_bundled_model() -> None:
    """ONNX Runtime's own int8; the others are left out where their libraries are."""
    texts = read_texts(None, 12)
    loaded = contenders(ModelSettings(), 1, texts)["ONNX Runtime dynamic int8"]()
    loaded(texts)
    assert loaded.figures().keys() == {"batch_texts", "at_a_time", "difference_p99"}


def test_engines_are_compared_with_the_best_other_of_their_precision_in_each_round() -> None:
    """A slow minute slows both; what is left out is in the table with its reason."""
    report = Report(
        {"model": "m", "threads": 2},
        engines={
            "onnx_packed int8": [30, 10, 20],
            "OpenVINO int8 by NNCF": [20, 5, 10],
            "CTranslate2 int8": [4, 4, 4],
            "onnx_packed float32": [6, 6, 6],
            "transformers pipeline": [2, 2, 2],
            "torch_packed bfloat16": [8, 8, 8],
        },
        peers={
            "OpenVINO int8 by NNCF": {"batch_texts": 16, "at_a_time": 2, "difference_p99": 0.05},
            "OpenVINO float32": {"left_out": "its scores are wrong"},
        },
        operations_per_message=1e9,
    )
    ratios = {name: of_the_best_other(report, name) for name in report.engines}
    assert (2, 3, None) == (
        ratios["onnx_packed int8"],
        ratios["onnx_packed float32"],
        ratios["torch_packed bfloat16"],
    )
    shown = io.StringIO()
    show(report, Console(file=shown, width=200))
    assert "16, 2 at a time" in shown.getvalue()
    assert "its scores are wrong" in shown.getvalue()


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
