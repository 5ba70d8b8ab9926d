"""`POST /score` and `POST /explain`: both forms, each limit, each error, nothing in the logs."""

from __future__ import annotations

import asyncio
import gzip
import logging
from typing import Any

import pytest

import service.web.bodies
from service.errors import BusyError, InputError, ModelError
from service.web.bodies import BODY_BYTES_MAX, DISCARDED_BYTES_MAX
from service.web.score_api import REQUESTS_MAX, TOKENS_MAX
from service.web.score_contracts import EXPLAINED_CHARACTERS_MAX, TEXT_CHARACTERS_MAX, TEXTS_MAX
from tools.score_tools import JSON, TEXT_BYTES_MAX, MadeUpModel, asking

GOOD, BAD = "g" * 80, "b" * 30
POSITIVE = [{"label": "positive", "score": 0.8}, {"label": "negative", "score": pytest.approx(0.2)}]
NEGATIVE = [{"label": "negative", "score": 0.7}, {"label": "positive", "score": 0.3}]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # The label is that of an event: the unsure label where the model is unsure.
        (
            {"input_data": [GOOD, BAD]},
            [{"label": "positive", "score": 0.8}, {"label": "unsure", "score": 0.7}],
        ),
        ({"inputs": [GOOD, BAD]}, [POSITIVE, NEGATIVE]),
        ({"inputs": GOOD}, [POSITIVE]),
        ({"inputs": GOOD, "options": {"wait_for_model": True}}, [POSITIVE]),
        ({"inputs": BAD, "parameters": {"top_k": 1}}, [NEGATIVE[:1]]),
        ({"inputs": BAD, "parameters": {"top_k": 1.0}}, [NEGATIVE[:1]]),
        ({"inputs": [GOOD], "parameters": {}}, [POSITIVE]),
        ({"inputs": "😀 天 \u0000" + GOOD[:77]}, [POSITIVE]),
    ],
)
async def test_each_form_has_its_answer(body: Any, expected: Any) -> None:
    """In the order of the texts; Hugging Face's form has all labels, the likeliest first."""
    async with asking(MadeUpModel()) as client:
        assert (200, expected) == await client.post("/score", body)
        assert 1 == client.counted("/score", 200)


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "line 1 column 1"),
        (b'{"inputs": NaN}', 400, "line 1 column 12"),
        (b'{"inputs": "\xff"}', 400, "not JSON"),
        (b'{"inputs": "\\ud800"}', 400, "not JSON"),
        (b'{"inputs": ' + b"[" * 50_000, 400, "recursion limit"),
        (b"9" * 5000, 400, "out of range"),
        (["text"], 422, '"input_data" (a list of texts) or "inputs"'),
        (b"null", 422, '"input_data"'),
        ({}, 422, '"input_data"'),
        ({"input_data": "text"}, 422, "input_data: Input should be a valid list"),
        ({"input_data": []}, 422, "input_data: List should have at least 1 item"),
        ({"input_data": ["a", 7]}, 422, "input_data[1]: Input should be a valid string"),
        ({"input_data": ["a"], "inputs": "a"}, 422, "inputs: Extra inputs"),
        ({"inputs": None}, 422, "inputs: Input should be a valid string"),
        ({"inputs": ["a", None]}, 422, "inputs[1]: Input should be a valid string"),
        ({"inputs": ["a", " \n\u001c"]}, 422, "inputs[1]: holds nothing but white space"),
        ({"inputs": ""}, 422, "inputs: holds nothing but white space"),
        ({"inputs": "a", "parameters": {"top_k": 0}}, 422, "parameters.top_k: "),
        ({"inputs": "a", "parameters": {"top_k": "1"}}, 422, "parameters.top_k: "),
        ({"inputs": "a", "parameters": {"top_k": 1.5}}, 422, "parameters.top_k: "),
        (b'{"inputs": "a", "parameters": {"top_k": 1e999}}', 422, "parameters.top_k: "),
        ({"inputs": "a", "x" * 500: 1}, 422, "x" * 100 + ": Extra inputs"),
        ({"inputs": ["a"] * (TEXTS_MAX + 1)}, 422, f"inputs: List should have at most {TEXTS_MAX}"),
        (
            {"inputs": "a" * (TEXT_CHARACTERS_MAX + 1)},
            422,
            f"inputs: String should have at most {TEXT_CHARACTERS_MAX} characters",
        ),
        ({"inputs": ["a", "😀" * 6000]}, 422, f"inputs[1]: 24000 bytes, at most {TEXT_BYTES_MAX}"),
        (
            {"inputs": ["a " * 2000] * 5},
            422,
            f"more than {TOKENS_MAX} tokens in all",
        ),
    ],
)
async def test_an_error_names_what_is_wrong_and_where(body: Any, status: int, error: str) -> None:
    """In one line; it is counted by its status."""
    async with asking(MadeUpModel()) as client:
        found, answer = await client.post("/score", body)

        assert (status, True) == (found, error in answer["error"]), answer
        assert ["error"] == list(answer)
        assert 1 == client.counted("/score", status)


@pytest.mark.parametrize("size", [BODY_BYTES_MAX + 1, DISCARDED_BYTES_MAX - 1])
async def test_a_large_body_is_not_kept(size: int) -> None:
    """A client that sends all of it gets the reason."""
    async with asking(MadeUpModel()) as client:
        status, answer = await client.post("/score", b" " * size)
    assert (413, f"over {BODY_BYTES_MAX} bytes; send fewer texts at once") == (
        status,
        answer["error"],
    )


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Type": "text/plain"}, b"{}"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b'{"inputs": "a"}'),
        ({**JSON, "Content-Encoding": "gzip"}, gzip.compress(b'{"inputs": "a"}')),
    ],
)
async def test_only_plain_json_is_read(headers: dict[str, str], body: bytes) -> None:
    """So that a browser sends no request of another site without a CORS preflight."""
    async with (
        asking(MadeUpModel()) as client,
        client.session.post("/score", data=body, headers=headers) as response,
    ):
        assert 415 == response.status
        assert (await response.json())["error"].startswith(("send JSON", "send the body"))


async def test_a_body_that_does_not_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request ends after a timeout."""
    monkeypatch.setattr(service.web.bodies, "BODY_TIMEOUT_S", 0.05)

    async def body() -> Any:
        yield b"{"
        await asyncio.Event().wait()

    async with (
        asking(MadeUpModel()) as client,
        client.session.post("/score", data=body(), headers=JSON) as response,
    ):
        assert 408 == response.status
        assert 1 == client.counted("/score", 408)


async def test_a_client_that_disconnects(caplog: pytest.LogCaptureFixture) -> None:
    """In the middle of its body; the service logs no error."""
    async with asking(MadeUpModel()) as client:
        _, writer = await asyncio.open_connection("127.0.0.1", client.port)
        head = "POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: 100\r\n\r\nabc".encode())
        await writer.drain()
        writer.close()
        async with asyncio.timeout(10):
            while not client.counted("/score", 400):  # noqa: ASYNC110 - by the server's task
                await asyncio.sleep(0)
    assert "" == caplog.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BusyError("the model is busy with the stream; ask again later"), 503),
        (ModelError("the inference thread has ended; restart the service"), 503),
        (InputError("the model fails on one of these texts; send them one by one"), 422),
    ],
)
@pytest.mark.parametrize(
    ("path", "body"), [("/score", {"inputs": "a"}), ("/explain", {"text": "a"})]
)
async def test_errors_of_the_model(path: str, body: Any, error: Exception, status: int) -> None:
    """Retry-After stands only where another attempt may help."""
    model = MadeUpModel()
    model.error = error
    async with asking(model) as client, client.session.post(path, json=body) as response:
        assert (status, {"error": str(error)}) == (response.status, await response.json())
        assert ("1" if status == 503 else None) == response.headers.get("Retry-After")


async def test_while_there_is_no_model() -> None:
    """Before it is loaded, and after it is closed."""
    model = MadeUpModel()
    async with asking(None) as client:
        status, answer = await client.post("/score", {"inputs": "a"})
        assert (503, True) == (status, "being loaded" in answer["error"])
        client.api.open(model.encode, model.score)
        assert 200 == (await client.post("/score", {"inputs": "a"}))[0]
        client.api.close()
        assert 503 == (await client.post("/explain", {"text": "a"}))[0]


async def test_requests_that_wait_are_bounded() -> None:
    """More are refused at once; those that wait still get their answers."""
    free, model = asyncio.Event(), MadeUpModel()
    waiting = 0

    async def score(texts: Any) -> Any:
        nonlocal waiting
        waiting += 1
        await free.wait()
        return await model.score(texts)

    async with asking(model) as client:
        client.api.open(model.encode, score)
        posts = [
            asyncio.create_task(client.post("/score", {"inputs": GOOD}))
            for _ in range(REQUESTS_MAX)
        ]
        async with asyncio.timeout(10):
            while waiting < REQUESTS_MAX:  # noqa: ASYNC110 - counted above
                await asyncio.sleep(0)
        status, answer = await client.post("/score", {"inputs": "a"})
        free.set()
        assert {200} == {status for status, _ in await asyncio.gather(*posts)}
        assert (503, f"{REQUESTS_MAX} requests are under way; ask again later") == (
            status,
            answer["error"],
        )
        assert 200 == (await client.post("/score", {"inputs": "a"}))[0]


async def test_the_tokenizer_gets_small_parts() -> None:
    """The stream's texts wait for the same thread."""
    model = MadeUpModel()
    async with asking(model) as client:
        await client.post("/score", {"inputs": ["a" * 3000, "b" * 3000, "c" * 3000, "d" * 8192]})
    assert [[3000, 3000], [3000], [8192]] == [[len(text) for text in run] for run in model.runs]


async def test_an_explanation() -> None:
    """The effect of each word on the likeliest label, and the score with other countries."""
    text = f"{'w' * 50} in Kenya"
    async with asking(MadeUpModel()) as client:
        status, answer = await client.post("/explain", {"text": text})

    assert (200, "positive", 0.57, True) == (
        status,
        answer["label"],
        answer["score"],
        answer["confident"],
    )
    assert {"negative": pytest.approx(0.43), "positive": 0.57} == answer["scores"]
    assert [("w" * 50, 0, 50, 0.5), ("in", 51, 53, 0.02), ("Kenya", 54, 59, 0.05)] == [
        (w["text"], w["start"], w["end"], round(w["weight"], 6)) for w in answer["words"]
    ]
    scores = {country["name"]: country["score"] for country in answer["countries"]}
    assert (19, 0.58, 0.57) == (len(scores), scores["Norway"], scores["India"])


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"text": "a " * 65}, "text: 65 tokens in 65 words; at most 64 of each are explained"),
        ({"text": "a" * (EXPLAINED_CHARACTERS_MAX + 1)}, "text: String should have at most 1000"),
        ({"text": " "}, "text: holds nothing but white space"),
        ({}, "text: Field required"),
        ([], "the body: "),
    ],
)
async def test_a_text_that_is_too_long_to_explain(body: Any, error: str) -> None:
    """Up to 64 tokens in 64 words."""
    async with asking(MadeUpModel()) as client:
        status, answer = await client.post("/explain", body)
        assert (422, True) == (status, answer["error"].startswith(error)), answer
        assert 200 == (await client.post("/explain", {"text": "a " * 64}))[0]


async def test_no_text_enters_a_log(caplog: pytest.LogCaptureFixture) -> None:
    """Not even with an unexpected error, for which the client only gets the status 500."""
    caplog.set_level(logging.DEBUG)
    model = MadeUpModel()
    async with asking(model) as client:
        await client.post("/score", {"inputs": ["private words", 7], "private": 1})
        await client.post("/score", {"inputs": ["private words"]})
        model.error = ZeroDivisionError("who knows")
        async with client.session.post("/score", json={"inputs": "private words"}) as response:
            assert (500, False) == (response.status, "who knows" in await response.text())
        assert 1 == client.counted("/score", 500)
    assert "private" not in caplog.text
