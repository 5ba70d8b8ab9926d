"""Scores texts of the command line, lines and tables: the work of `sentiment-stream score`.

Exists so that texts and files can be scored without Kafka, with the readings of the stream. Each
row has one answer, in order: its figures, or the reason why it has none. Memory is bounded, however
long the input is.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from service.lab.figures import Outcome, Tally
from service.lab.lines import decoder_of, text_of_argument, texts_of_lines
from service.records import Reason
from service.scoring.texts import CHUNK_TEXTS, LoadedModel, Scorer, load_model
from service.sequences import with_results
from service.tables.ahead import in_chunks
from service.tables.rows import Row
from service.text.markup import Plain, plain_text
from service.wire.documents.json_values import RejectError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from service.lab.figures import Write
    from service.lab.lines import Line
    from service.records import TextFormat
    from service.settings import Settings
    from service.tables.reading import Table
    from service.tables.rows import Column


class Ask(NamedTuple):
    """A row with its text, or with the reason why it has none."""

    row: Row
    text: str
    reason: str | None

    @property
    def size(self) -> int:
        """Bytes that it holds, more or less."""
        return self.row.size


def score_texts(
    texts: Iterable[str],
    write: Write,
    settings: Settings,
    model: LoadedModel | None = None,
) -> Tally:
    """Write what is found for texts given as arguments, none of which is parsed as JSON.

    `model` is one that is loaded already. Markup is taken out as `settings.kafka.text_format` says.

    Raises:
        SettingsError, ModelError: as `load_model`, or the model has stopped working.
    """
    decoder = decoder_of(settings.model.text_bytes_max)
    lines = [text_of_argument(text, decoder) for text in texts]
    scorer = Scorer(model or load_model(settings.model))
    return score_all(map(_ask, lines), write, scorer, settings.kafka.text_format)


def score_lines(
    lines: Iterable[bytes],
    write: Write,
    settings: Settings,
    model: LoadedModel | None = None,
) -> Tally:
    """As `score_texts`, for each line: a text, or a JSON object with the key `text`."""
    found = texts_of_lines(lines, decoder_of(settings.model.text_bytes_max))
    scorer = Scorer(model or load_model(settings.model))
    return score_all(map(_ask, found), write, scorer, settings.kafka.text_format)


def asks_of(table: Table, column: Column, text_bytes_max: int, skip: int = 0) -> Iterator[Ask]:
    """The rows of a table behind the first `skip`, with their texts.

    Raises:
        InputError: the table is broken.
    """
    if table.form == "text":
        lines = (row.document for row in table.rows())
        found = texts_of_lines(lines, decoder_of(text_bytes_max))
        yield from islice(map(_ask, found), skip, None)
        return
    for row in table.rows(skip):
        yield Ask(row, "", row.reason) if row.reason else _asked(row, column, text_bytes_max)


def _ask(line: Line) -> Ask:
    return Ask(Row(line.number, size=len(line.text)), line.text, line.reason)


def _asked(row: Row, column: Column, text_bytes_max: int) -> Ask:
    try:
        text = column.text(row.document)
    except RejectError as error:
        return Ask(row, "", error.reason)
    # No character has more than four bytes.
    if 4 * len(text) > text_bytes_max and len(text.encode()) > text_bytes_max:
        return Ask(row, "", Reason.TEXT_TOO_LARGE)
    return Ask(row, text, None)


def score_all(
    asks: Iterable[Ask],
    write: Write,
    scorer: Scorer,
    form: TextFormat,
    progress: Callable[[int], None] = lambda _: None,
) -> Tally:
    """Write what is found, as soon as it is; after each write `progress` gets the rows so far.

    Raises:
        ModelError: the model has stopped working.
    """
    tally = Tally()
    for chunk in in_chunks(asks, CHUNK_TEXTS):
        outcomes = outcomes_of(chunk, scorer, form)
        write(outcomes)
        tally.add(outcomes)
        progress(tally.rows)
    return tally


def outcomes_of(asks: Sequence[Ask], scorer: Scorer, form: TextFormat) -> list[Outcome]:
    """What is found for a few rows, in order.

    Raises:
        ModelError: the model has stopped working.
    """
    texts = [_plain(ask, form) for ask in asks]
    scored = scorer.score([text.text for text in texts if isinstance(text, Plain)])
    found = with_results(texts, Plain, scored)
    return [
        Outcome(ask.row, text.text if isinstance(text, Plain) else "", one)
        for ask, text, one in zip(asks, texts, found, strict=True)
    ]


def _plain(ask: Ask, form: TextFormat) -> Plain | str:
    """The text that is scored, or why there is none."""
    if ask.reason is not None:
        return str(ask.reason)
    try:
        plain = plain_text(ask.text, form)
    except Exception:  # noqa: BLE001 - of a library; one text must not stop all others
        return str(Reason.WRONG_TYPE)
    return plain if plain.text else str(Reason.TEXT_EMPTY)
