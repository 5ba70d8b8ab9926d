"""The examples in `schemas/` run unchanged, against the service on real Kafka."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tools.kafka.topics import Message, produce, read_all
from tools.service_process import running_service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from tools.kafka.streams import Stream

pytestmark = [pytest.mark.kafka, pytest.mark.model]

EXAMPLES = Path(__file__).resolve().parents[2] / "schemas" / "examples"
WAIT_SECONDS = 120


class Collector(ThreadingHTTPServer):
    """Receives spans by OTLP over HTTP, and keeps them."""

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Export)
        self.spans: list[Span] = []

    @property
    def endpoint(self) -> str:
        """The address to send spans to."""
        return f"http://127.0.0.1:{self.server_port}/v1/traces"


class _Export(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        assert isinstance(self.server, Collector)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.server.spans += scope.spans
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log no requests."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A running collector."""
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


async def _run(example: str, *arguments: str) -> list[str]:
    """Run an example to its end; returns the lines that it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLES / example), *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            out, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert 0 == process.returncode, errors.decode()
    return out.decode().splitlines()


async def _sent(stream: Stream, *texts: str) -> dict[str, str]:
    """Send texts with the example; returns the trace of each by its id."""
    brokers = ("--brokers", stream.bootstrap)
    lines = await _run("produce.py", *texts, *brokers, "--topic", stream.input)
    found = [re.fullmatch(r"sent (\S{36}) in trace ([0-9a-f]{32})", line) for line in lines]
    return {match[1]: match[2] for match in found if match}


async def _read(stream: Stream, count: int, group: str) -> list[str]:
    topics = ("--events", stream.output, "--dead-letters", stream.letters)
    brokers = ("--brokers", stream.bootstrap)
    return await _run("consume.py", *brokers, *topics, "--count", str(count), "--group", group)


async def _refused(example: str, *arguments: str) -> str:
    """Run an example that ends with 1; returns what it says, which is one line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLES / example), *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(WAIT_SECONDS):
        _, errors = await process.communicate()
    assert 1 == process.returncode
    lines = errors.decode().splitlines()
    assert 1 == len(lines), errors.decode()
    return lines[0]


async def test_without_a_broker_the_examples_end_with_a_line() -> None:
    """It says which address did not answer, and what names another one."""
    for example, arguments in (("produce.py", ["good"]), ("consume.py", [])):
        line = await _refused(example, "--brokers", "127.0.0.1:1", *arguments)
        assert line.startswith("no broker ")
        assert line.endswith(
            "at 127.0.0.1:1; start one, or give --brokers or SENTIMENT_KAFKA__BOOTSTRAP_SERVERS"
        )


async def test_without_a_topic_the_examples_end_with_a_line(stream: Stream) -> None:
    """On a cluster that makes none by itself."""
    brokers = ("--brokers", stream.bootstrap)
    line = await _refused("produce.py", "good", *brokers, "--topic", "no-such-topic")
    assert line.startswith("no-such-topic: ")
    assert line.endswith("; create the topic, or give --topic")
    topics = ("--events", stream.output, "--dead-letters", "no-such-topic")
    line = await _refused("consume.py", *brokers, *topics)
    assert line == (
        f"{stream.bootstrap} has no topic no-such-topic; create what is missing, or give "
        "--dead-letters"
    )
    topics = ("--events", "no-events", "--dead-letters", "no-letters")
    line = await _refused("consume.py", *brokers, *topics)
    assert line == (
        f"{stream.bootstrap} has no topic no-events and no topic no-letters; create what is "
        "missing, or give --events and --dead-letters"
    )


async def test_a_trace_from_the_producer_through_the_service_to_the_consumer(
    stream: Stream, collector: Collector, tmp_path: Path
) -> None:
    """One example reads what the other sent, in the same trace, with the service's spans."""
    settings = stream.settings(TRACING__EXPORTER="otlp", TRACING__ENDPOINT=collector.endpoint)
    with running_service(tmp_path, settings) as service:
        service.wait_ready()
        traces = await _sent(stream, "It works, and I love it!", "Never again, it is awful.", " ")
        lines = await _read(stream, 3, f"{stream.group}-reader")
        assert 0 == service.stop(), service.log()
        assert "" == "".join(line for line in service.log().splitlines() if "Failed" in line)

    assert 3 == len(traces)
    [good, bad] = [line.split() for line in sorted(lines) if line.startswith("event")]
    assert {"POSITIVE", "NEGATIVE"} == {good[2], bad[2]}
    assert {good[1]: good[-1], bad[1]: bad[-1]}.items() <= traces.items()
    [letter] = [line for line in lines if line.startswith("dead letter")]
    assert "text_empty: 1 characters of white space in trace" in letter
    assert set(traces.values()) == {line.split()[-1] for line in lines}

    records = [
        r for t in (stream.output, stream.letters) for r in await read_all(stream.bootstrap, t)
    ]
    created = {bytes(s.span_id).hex(): s for s in collector.spans if s.name.startswith("create")}
    processed = {bytes(s.span_id): s for s in collector.spans if s.name.startswith("process")}
    for record in records:
        _, trace, span, _ = dict(record.headers)["traceparent"].decode().split("-")
        assert trace in traces.values()
        assert trace == bytes(created[span].trace_id).hex()
        assert trace == bytes(processed[created[span].parent_span_id].trace_id).hex()
    assert 3 == len(created) == len(processed) == len(records)


async def test_the_consumer_handles_a_repeated_event_once(stream: Stream) -> None:
    """`at_least_once` may repeat an event."""
    header = [("traceparent", b"nonsense")]
    events = [
        Message(value=b'{"id": "%d", "source_id": %d, "label": null, "score": null, '
                      b'"confident": null}' % (n, n), headers=header, partition=0)
        for n in (1, 2, 1, 2, 1, 3)
    ]  # fmt: skip
    await produce(stream.bootstrap, stream.output, events)
    lines = await _read(stream, 3, f"{stream.group}-reader")
    assert [f"event {n} None None (not confident)" for n in (1, 2, 3)] == lines


@pytest.mark.parametrize(
    ("label", "confident", "shown"),
    [
        ("NEUTRAL", True, "NEUTRAL 0.9, file it"),
        ("POSITIVE", True, "POSITIVE 0.9, thank for it"),
        ("POSITIVE", False, "POSITIVE 0.9 (not confident)"),
        ("5 stars", True, "5 stars 0.9, a person decides"),
    ],
)
async def test_the_consumer_accepts_any_label(
    stream: Stream, label: str, confident: bool, shown: str
) -> None:
    """A neutral text, one that the model is unsure of, and another model's label."""
    event = {"id": "1", "source_id": 7, "label": label, "score": 0.9, "confident": confident}
    await produce(stream.bootstrap, stream.output, [Message(value=json.dumps(event).encode())])
    assert [f"event 7 {shown}"] == await _read(stream, 1, f"{stream.group}-reader")


async def test_the_consumer_passes_over_what_is_something_else(stream: Stream) -> None:
    """Each with a line that says where it is, and reads what comes after."""
    event = {"id": "1", "source_id": 7, "label": None, "score": None, "confident": None}
    values = [b'{"id": "1"}', b"[]", b"\xff", None, b"[" * 100_000, json.dumps(event).encode()]
    await produce(stream.bootstrap, stream.output, [Message(value=v, partition=0) for v in values])
    await produce(stream.bootstrap, stream.letters, [Message(value=b"{}", partition=0)])
    topics = ("--events", stream.output, "--dead-letters", stream.letters)
    brokers = ("--brokers", stream.bootstrap, "--group", f"{stream.group}-reader")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLES / "consume.py"), *brokers, *topics,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            told = {(await process.stderr.readline()).decode() for _ in range(6)}
            handled = (await process.stdout.readline()).decode()
    finally:
        process.kill()
        await process.wait()
    assert "event 7 None None (not confident)\n" == handled
    end = "of the service\n"
    assert told == {
        *(f"{stream.output}/0/{n} is passed over, since it holds no event in JSON {end}"
          for n in range(5)),
        f"{stream.letters}/0/0 is passed over, since it holds no dead letter {end}",
    }  # fmt: skip


async def test_the_service_runs_without_its_collector(stream: Stream, tmp_path: Path) -> None:
    """Events are published with their traces, and the service stops in time."""
    nowhere = "http://127.0.0.1:9/v1/traces"
    settings = stream.settings(TRACING__EXPORTER="otlp", TRACING__ENDPOINT=nowhere)
    with running_service(tmp_path, settings) as service:
        service.wait_ready()
        traces = await _sent(stream, *["It works, and I love it!"] * 300)
        lines = await _read(stream, 300, f"{stream.group}-reader")
        assert 0 == service.stop(), service.log()
    assert set(traces.values()) == {line.split()[-1] for line in lines}
    assert len(service.log().splitlines()) < 60, service.log()
