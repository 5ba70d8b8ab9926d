"""Scores lines of a file or a pipe: `sentiment-stream score`.

Exists so that texts and files can be scored without Kafka. The service's own decoder decides what
can be scored. Memory is bounded, however long the input is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TextIO

from rich.text import Text

from service.records import Message, Partition, Reading, Reason, Record, Rejected, Skipped
from service.scoring.texts import CHUNK_TEXTS, LoadedModel, Scorer, load_model
from service.sequences import with_results
from service.settings.places import text_places
from service.terminal import QUIET, WARN, labelled, printable
from service.text.prepare import without_markup
from service.wire import Decoder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from service.records import Headers, TextFormat
    from service.settings import Settings

# A request of the published endpoint is one object, so all of it is held in memory.
REQUEST_KEY = "input_data"
REQUEST_BYTES_MAX = 64 * 2**20

ScoredLine = Rejected | tuple[Message, Reading]
Writer = Callable[[Iterable[ScoredLine]], None]

_NOWHERE = Partition("", 0)
_JSON = (("content-type", b"application/json"),)
_TEXT = (("content-type", b"text/plain"),)


def in_json(out: TextIO) -> Writer:
    """Writes a JSON object for each text: `label`, `score`, `scores`, `confident`, or `error`."""

    def write(outcomes: Iterable[ScoredLine]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Rejected):
                line = {"error": str(outcome.reason)}
            else:
                line = outcome[1].as_dict()
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
        out.flush()

    return write


def in_colour(console: Console) -> Writer:
    """Writes a line for each text: its label and score, and the text as far as it fits.

    With more than two labels, the other scores follow, the likeliest first.
    """

    def write(outcomes: Iterable[ScoredLine]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Rejected):
                line = Text.assemble((str(outcome.reason), WARN), "  cannot be scored")
            else:
                message, reading = outcome
                unsure = "" if reading.confident else "  (not confident)"
                line = labelled(reading.label).append(f" {reading.score:.3f}")
                line.append(unsure, QUIET).append(_others(reading), QUIET)
                line.append("  " + printable(message.text))
            line.truncate(console.width, overflow="ellipsis")
            console.print(line)

    return write


def _others(reading: Reading) -> str:
    if len(reading.scores) == 2:
        return ""
    _, *others = sorted(reading.scores.items(), key=lambda item: -item[1])
    return "  " + ", ".join(f"{printable(label)} {score:.3f}" for label, score in others)


def score_lines(
    lines: Iterable[bytes],
    write: Writer,
    settings: Settings,
    model: LoadedModel | None = None,
) -> None:
    """Write the reading of each line, or the reason (as of a dead letter) why it has none.

    A line is a text, or a JSON object with the key `text`. If the whole input is a request of the
    published endpoint, `{"input_data": [...]}`, each of its elements counts as a line. `model` is
    one that is loaded already. Markup is taken out as `settings.kafka.text_format` says.

    Raises:
        SettingsError, ModelError: as `load_model`, or the model has stopped working.
    """
    scorer = Scorer(model or load_model(settings.model))
    decoder = Decoder("json", text_places("/text"), settings.model.text_bytes_max)
    remaining = _decoded(iter(lines), decoder)
    while chunk := list(islice(remaining, CHUNK_TEXTS)):
        write(_scored(chunk, scorer, settings.kafka.text_format))


def score_texts(
    texts: Iterable[str],
    write: Writer,
    settings: Settings,
    model: LoadedModel | None = None,
) -> None:
    """As `score_lines`, for texts given as arguments, none of which is parsed as JSON."""
    scorer = Scorer(model or load_model(settings.model))
    decoder = Decoder("text", text_places("/text"), settings.model.text_bytes_max)
    # Restores bytes of the shell that are not UTF-8, so that the decoder rejects them.
    encoded = (text.encode(errors="surrogateescape") for text in texts)
    decoded = chain.from_iterable(_decode(text, _TEXT, decoder) for text in encoded)
    write(_scored(list(decoded), scorer, settings.kafka.text_format))


def _scored(
    decoded: list[Message | Rejected], scorer: Scorer, form: TextFormat
) -> Iterator[ScoredLine]:
    found = [_bare(one, form) if isinstance(one, Message) else one for one in decoded]
    messages = [one for one in found if isinstance(one, Message)]
    readings = scorer.score_each(message.text for message in messages)
    yield from with_results(found, Message, zip(messages, readings, strict=True))


def _bare(message: Message, form: TextFormat) -> Message | Rejected:
    """The message with the text that is scored."""
    plain = without_markup(message, form)
    return plain if isinstance(plain, Rejected) else replace(message, text=plain.text)


def _decoded(lines: Iterator[bytes], decoder: Decoder) -> Iterator[Message | Rejected]:
    head = next(lines, None)
    if head is None:
        return
    if head.lstrip().startswith(b"{") and (
        head.strip() == b"{" or f'"{REQUEST_KEY}"'.encode() in head
    ):
        held = list(_up_to(REQUEST_BYTES_MAX, chain([head], lines)))
        elements = _elements(b"".join(held))
        if elements is not None:
            for element in elements:
                yield from _decode(json.dumps({"text": element}).encode(), _JSON, decoder)
            return
        lines = chain(held, lines)
    else:
        lines = chain([head], lines)
    for line in lines:
        yield from _decode_line(line.rstrip(b"\r\n"), decoder)


def _up_to(bytes_max: int, lines: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for line in lines:
        yield line
        size += len(line)
        if size > bytes_max:
            return


def _elements(value: bytes) -> list[Any] | None:
    try:
        request = json.loads(value)
    except (ValueError, RecursionError):
        return None
    elements = request.get(REQUEST_KEY) if isinstance(request, dict) else None
    return elements if isinstance(elements, list) else None


def _decode_line(line: bytes, decoder: Decoder) -> list[Message | Rejected]:
    if line.lstrip().startswith(b"{"):
        decoded = _decode(line, _JSON, decoder)
        if not any(isinstance(one, Rejected) and one.reason is Reason.NOT_JSON for one in decoded):
            return decoded
    return _decode(line, _TEXT, decoder)


def _decode(value: bytes, headers: Headers, decoder: Decoder) -> list[Message | Rejected]:
    """Messages of a line, several if it is an event whose data is a list; at least one."""
    return [
        Rejected(one.record, Reason.TEXT_MISSING, "the list is empty", "decode")
        if isinstance(one, Skipped)
        else one
        for one in decoder.decode(_record(value, headers))
    ]


def _record(value: bytes, headers: Headers) -> Record:
    """A record for the decoder; its coordinates mean nothing."""
    return Record(_NOWHERE, 0, 0, None, value, headers, 0, 0.0)
