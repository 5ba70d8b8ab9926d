"""Scores over HTTP: `POST /score`, `POST /explain`, and their documentation.

Exists for clients without Kafka, and for the text box of the live page. Only reads requests and
writes responses: texts go through the tokenizer's thread and the inference thread like those of the
stream, which go first. No content of a request is logged.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import web

from service.errors import BusyError, InputError, ServiceError
from service.scoring.poles import two_way
from service.sequences import split_by_size
from service.web.bodies import RefusedError, json_body, validated
from service.web.docs_page import docs_page
from service.web.explain import EXPLAINED_TOKENS_MAX, explanation, variants_of
from service.web.openapi import PROBLEMS, openapi
from service.web.score_contracts import (
    TEXT_CHARACTERS_MAX,
    EndpointRequest,
    ExplainRequest,
    HuggingFaceRequest,
    ScoreQuery,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from service.observe.metrics import Metrics
    from service.records import Encoded, Reading

    Encode = Callable[[Sequence[str]], Awaitable[list[Encoded]]]
    Score = Callable[[Sequence[Encoded]], Awaitable[list[Reading]]]

# Most requests at a time: bounds the memory of bodies, and the texts that wait for the model.
REQUESTS_MAX = 16
# Most tokens of a request: half a second of the model on two cores.
TOKENS_MAX = 8192
RETRY_AFTER_S = 1
_STATUSES = (200, *PROBLEMS, 500)
_NO_SCRIPT = "default-src 'none'; style-src 'unsafe-inline'"


class ScoreApi:
    """A part of the HTTP server; answers 503 until the model is loaded."""

    def __init__(self, metrics: Metrics, text_bytes_max: int) -> None:
        """`text_bytes_max` is the longest text in bytes of UTF-8, as in the stream."""
        self._metrics = metrics
        self._text_bytes_max = text_bytes_max
        self._encode: Encode | None = None
        self._score: Score | None = None
        self._requests = 0
        for path in ("/score", "/explain"):
            for status in _STATUSES:
                metrics.score_requests.labels(path, status)

    def routes(self) -> list[web.RouteDef]:
        """See `server.Part`."""
        return [
            web.post("/score", self._post_score),
            web.post("/explain", self._post_explain),
            web.get("/openapi.json", _get_openapi),
            web.get("/docs", _get_docs),
        ]

    def open(self, encode: Encode, score: Score) -> None:
        """Score requests from now on: `encode` tokenizes texts, `score` scores them.

        `score` raises BusyError if the stream leaves no time, InputError if the texts are at fault.
        """
        self._encode, self._score = encode, score

    def close(self) -> None:
        """Answer 503 from now on; may be called twice."""
        self._encode = self._score = None

    async def _post_score(self, request: web.Request) -> web.Response:
        query = {name: request.query.getall(name) for name in request.query}
        return await self._answered(request, partial(self._scores, query))

    async def _post_explain(self, request: web.Request) -> web.Response:
        return await self._answered(request, self._explanation)

    async def _answered(
        self, request: web.Request, answer: Callable[[Any], Awaitable[Any]]
    ) -> web.Response:
        status, headers = 500, {}
        try:
            with self._admitted():
                response: Any = await answer(await json_body(request))
            status = 200
        except RefusedError as error:
            status, response = error.status, {"error": error.reason}
        except BusyError as error:
            status, response = 503, {"error": str(error)}
        except InputError as error:
            status, response = 422, {"error": str(error)}
        except ServiceError as error:
            # The stream raises it too, and ends the service.
            status, response = 503, {"error": str(error)}
        finally:
            self._metrics.score_requests.labels(request.path, status).inc()
        if status == 503:
            headers["Retry-After"] = str(RETRY_AFTER_S)
        return web.json_response(response, status=status, headers=headers)

    @contextlib.contextmanager
    def _admitted(self) -> Iterator[None]:
        if self._requests >= REQUESTS_MAX:
            raise RefusedError(503, f"{REQUESTS_MAX} requests are under way; ask again later")
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1

    async def _scores(self, query: dict[str, list[str]], body: Any) -> Any:
        labels = _labels(query)
        form = _form(body)
        if isinstance(form, EndpointRequest):
            texts, places = form.input_data, _elements("input_data", form.input_data)
        elif isinstance(form.inputs, str):
            texts, places = [form.inputs], ["inputs"]
        else:
            texts, places = form.inputs, _elements("inputs", form.inputs)
        readings = await self._readings(texts, places)
        if labels == "poles":
            readings = [_two_way_reading(reading) for reading in readings]
        if isinstance(form, EndpointRequest):
            return [{"label": r.label, "score": r.score} for r in readings]
        count = form.parameters.top_k if form.parameters is not None else None
        return [_ranked(reading, count) for reading in readings]

    async def _explanation(self, body: Any) -> Any:
        variants = variants_of(validated(ExplainRequest, body).text)
        words = len(variants.words)
        text, marks = await self._encoded([variants.text, ""], ["text", ""])
        tokens = text.stats.tokens - marks.stats.tokens
        if max(tokens, words) > EXPLAINED_TOKENS_MAX:
            raise RefusedError(
                422,
                f"text: {tokens} tokens in {words} words; at most {EXPLAINED_TOKENS_MAX} of each "
                "are explained",
            )
        texts = variants.texts()
        readings = await self._readings(texts, ["text"] * len(texts))
        return explanation(variants, readings).model_dump()

    async def _readings(self, texts: Sequence[str], places: Sequence[str]) -> list[Reading]:
        encoded = await self._encoded(texts, places)
        if self._score is None:
            raise _no_model()
        return await self._score(encoded)

    async def _encoded(self, texts: Sequence[str], places: Sequence[str]) -> list[Encoded]:
        """Tokenize in small parts, because the stream's texts wait for the same thread."""
        for text, place in zip(texts, places, strict=True):
            size = len(text.encode())
            if size > self._text_bytes_max:
                raise RefusedError(
                    422, f"{place}: {size} bytes, at most {self._text_bytes_max} are scored"
                )
        encoded: list[Encoded] = []
        tokens = 0
        for part in split_by_size(texts, TEXT_CHARACTERS_MAX):
            if self._encode is None:
                raise _no_model()
            found = await self._encode(part)
            encoded += found
            tokens += sum(len(window) for one in found for window in one.windows)
            if tokens > TOKENS_MAX:
                raise RefusedError(
                    422,
                    f"more than {TOKENS_MAX} tokens in all, the most of one request; send fewer or "
                    "shorter texts",
                )
        return encoded


def _form(body: Any) -> EndpointRequest | HuggingFaceRequest:
    if isinstance(body, dict) and "input_data" in body:
        return validated(EndpointRequest, body)
    if isinstance(body, dict) and "inputs" in body:
        return validated(HuggingFaceRequest, body)
    raise RefusedError(
        422,
        'the body must be an object with "input_data" (a list of texts) or "inputs" (one or more)',
    )


def _labels(query: dict[str, list[str]]) -> str:
    """The `labels` parameter; a parameter that is given twice stays a list, which is rejected."""
    single = {name: values[0] if len(values) == 1 else values for name, values in query.items()}
    return validated(ScoreQuery, single).labels


def _two_way_reading(reading: Reading) -> Reading:
    scores = two_way(reading.scores)
    if scores is None:
        raise RefusedError(
            422,
            "labels=poles: this model's labels do not name a negative and a positive one; leave "
            "it out, or name them in id2label of the model's config.json",
        )
    label = max(scores, key=scores.__getitem__)
    return replace(reading, label=label, score=scores[label], scores=scores)


def _elements(name: str, texts: Sequence[str]) -> list[str]:
    return [f"{name}[{index}]" for index in range(len(texts))]


def _ranked(reading: Reading, count: int | None) -> list[dict[str, Any]]:
    ranked = sorted(reading.scores.items(), key=lambda item: -item[1])
    return [{"label": label, "score": score} for label, score in ranked[:count]]


def _no_model() -> RefusedError:
    return RefusedError(503, "there is no model: it is being loaded, or the service is stopping")


async def _get_openapi(_request: web.Request) -> web.Response:
    return web.json_response(openapi())


async def _get_docs(_request: web.Request) -> web.Response:
    return web.Response(
        text=docs_page(openapi()),
        content_type="text/html",
        headers={"Content-Security-Policy": _NO_SCRIPT, "X-Content-Type-Options": "nosniff"},
    )
