"""A figure that is added to readings appears wherever readings are shown."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

import service.wire.encode
from service.lab.figures import in_json
from service.lab.score import score_texts
from service.records import ModelInfo, Reading, Verdict
from service.scoring.batch import BatchScorer
from service.scoring.readings import LogitsReader
from service.scoring.texts import LoadedModel
from service.settings import Settings
from service.text.encoder import TextEncoder
from service.wire import Encoder
from service.wire.contracts import SentimentEvent
from tools.score_tools import MadeUpModel, asking
from tools.scripted_engine import WARM_UP, ScriptedEngine, document
from tools.tiny_model import CountingEngine, tiny_tokenizer
from tools.values import verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

INFO = ModelInfo("m", "r", "e", "float32", "cpu", ("negative", "positive"))


@dataclass(frozen=True, slots=True)
class Wider(Reading):
    """A reading with one more figure: the margin of the likeliest label over the next."""

    margin: float = 0.0


class WiderReader(LogitsReader):
    """Computes the figure."""

    def reading(
        self, labels: Sequence[str], probabilities: Sequence[float], *, can_judge: bool = True
    ) -> Reading:
        """See `LogitsReader.reading`."""
        found = super().reading(labels, probabilities, can_judge=can_judge)
        *_, second, first = sorted(probabilities)
        return Wider(**found.as_dict(), margin=first - second)


class WiderEvent(SentimentEvent):
    """The contract, with the figure."""

    margin: float


def test_scoring_and_repeats_keep_it() -> None:
    """For a text, its repeat in the same batch, and a repeat in the next batch."""
    scorer = BatchScorer(WARM_UP, WiderReader(), repeats_max=10)
    engine = ScriptedEngine()
    outcomes = scorer.score(engine, [document(80), document(80)])
    outcomes += scorer.score(engine, [document(80)])

    readings = [outcome.reading for outcome in outcomes if isinstance(outcome, Verdict)]
    assert [False, True, True] == [o.repeated for o in outcomes if isinstance(o, Verdict)]
    assert [pytest.approx(0.8)] * 3 == [r.margin for r in readings if isinstance(r, Wider)]


def test_the_event_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The encoder copies all figures; a contract without this one rejects it."""
    outcome = replace(verdict(), reading=Wider(**verdict().reading.as_dict(), margin=0.5))
    encoder = Encoder("o", "d", True, INFO, "0")
    with pytest.raises(ValueError, match="margin"):
        encoder.encode(outcome, 0.0, 0.0)
    monkeypatch.setattr(service.wire.encode, "SentimentEvent", WiderEvent)
    assert 0.5 == json.loads(encoder.encode(outcome, 0.0, 0.0).value or b"")["margin"]


def test_lines_of_score_have_it() -> None:
    """`sentiment-stream score` prints all figures of a reading."""
    model = LoadedModel(CountingEngine(INFO), TextEncoder(tiny_tokenizer(), 64), WiderReader())
    out = io.StringIO()
    score_texts(["good good bad"], in_json(out), Settings(), model)
    line = json.loads(out.getvalue())
    assert {*Wider.__match_args__, "language", "truncated"} == set(line)
    assert line["margin"] == pytest.approx(2 * line["score"] - 1)


async def test_answers_over_http_keep_their_published_forms() -> None:
    """`POST /score` still has label and score alone, as its forms require."""

    class Model(MadeUpModel):
        """A model whose readings have the figure."""

        def reading(self, letters: int) -> Reading:
            """See `MadeUpModel.reading`."""
            return Wider(**super().reading(letters).as_dict(), margin=0.25)

    async with asking(Model(("negative", "neutral", "positive"))) as client:
        for address in ("/score", "/score?labels=poles"):
            status, answer = await client.post(address, {"input_data": ["a fine day"]})
            assert 200 == status
            assert [{"label", "score"}] == [set(one) for one in answer]
