"""`POST /score` with a three-label model, and for a client that knows only two labels."""

from __future__ import annotations

from typing import Any

import pytest

from tools.score_tools import MadeUpModel, asking

GOOD, BAD = "g" * 80, "b" * 30
THREE = ("NEGATIVE", "NEUTRAL", "POSITIVE")
POLES = [
    {"label": "POSITIVE", "score": pytest.approx(0.8)},
    {"label": "NEGATIVE", "score": pytest.approx(0.2)},
]
OF_TWO = [{"label": "positive", "score": 0.8}, {"label": "negative", "score": pytest.approx(0.2)}]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # Neutral for the model, or unsure: the likelier pole, with its share of both.
        (
            {"input_data": [GOOD, BAD]},
            [POLES[0], {"label": "NEGATIVE", "score": pytest.approx(0.7)}],
        ),
        ({"inputs": GOOD}, [POLES]),
        ({"inputs": [GOOD], "parameters": {"top_k": 1}}, [POLES[:1]]),
    ],
)
async def test_a_client_of_two_labels(body: Any, expected: Any) -> None:
    """The query asks for two labels, so the body of either form is unchanged."""
    async with asking(MadeUpModel(THREE)) as client:
        assert (200, expected) == await client.post("/score?labels=poles", body)
        assert 1 == client.counted("/score", 200)


async def test_a_model_of_three_labels_answers_with_all() -> None:
    """Unless the query asks for less."""
    neutral = {"label": "NEUTRAL", "score": 0.5}
    async with asking(MadeUpModel(THREE)) as client:
        for path in ("/score", "/score?labels=all"):
            assert (200, [neutral]) == await client.post(path, {"input_data": [GOOD]})
            status, [ranked] = await client.post(path, {"inputs": GOOD})
            assert (200, ["NEUTRAL", "POSITIVE", "NEGATIVE"]) == (
                status,
                [element["label"] for element in ranked],
            )


async def test_two_labels_are_their_own_poles() -> None:
    """The answer for a two-label model is the same with either query."""
    async with asking(MadeUpModel()) as client:
        assert (200, [OF_TWO]) == await client.post("/score?labels=poles", {"inputs": GOOD})


@pytest.mark.parametrize(
    ("query", "labels", "error"),
    [
        ("labels=two", THREE, "labels: Input should be 'all' or 'poles'"),
        ("labels=", THREE, "labels: Input should be 'all' or 'poles'"),
        ("labels=poles&labels=all", THREE, "labels: Input should be 'all' or 'poles'"),
        ("label=poles", THREE, "label: Extra inputs are not permitted"),
        ("labels=poles", ("LABEL_0", "LABEL_1"), "labels=poles: this model's labels do not name"),
        ("labels=poles", ("1 star", "5 stars"), "or name them in id2label of the model's config"),
    ],
)
async def test_a_wrong_query_is_refused(query: str, labels: tuple[str, ...], error: str) -> None:
    """No parameter is ignored, and labels without the names of poles are not used as poles."""
    async with asking(MadeUpModel(labels)) as client:
        for body in ({"input_data": [GOOD]}, {"inputs": GOOD}):
            status, answer = await client.post(f"/score?{query}", body)
            assert (422, True) == (status, error in answer["error"]), answer
        assert 2 == client.counted("/score", 422)
