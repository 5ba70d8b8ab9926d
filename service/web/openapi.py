"""The OpenAPI document of the HTTP API, generated from the models in `score_contracts`.

Exists so that document and code cannot differ. No HTTP here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from service.web.score_contracts import (
    EndpointAnswer,
    EndpointRequest,
    ExplainRequest,
    Explanation,
    HuggingFaceAnswer,
    HuggingFaceRequest,
    Problem,
    ScoreQuery,
)

if TYPE_CHECKING:
    from pydantic import BaseModel

# The version of the HTTP API, not of the service.
API_VERSION = "1.1"
PROBLEMS = {
    400: "The body is not JSON.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The Content-Type is not application/json.",
    422: "The JSON or the query has a wrong form, or a text exceeds a limit; the error says where.",
    503: "The model is being loaded, or busy with the stream; ask again after Retry-After seconds.",
}

_REQUESTS: tuple[type[BaseModel], ...] = (EndpointRequest, HuggingFaceRequest, ExplainRequest)
_ANSWERS: tuple[type[BaseModel], ...] = (EndpointAnswer, HuggingFaceAnswer, Explanation, Problem)
_DESCRIPTION = """Scores texts with the model that scores the stream, between the stream's batches.
A text gets the same scores as in the stream, and is scored whatever its language:
SENTIMENT_MODEL__OTHER_LANGUAGES applies to the stream alone. There is no authentication: anyone who
can reach the port can send requests.
"""


def openapi() -> dict[str, Any]:
    """The document, OpenAPI 3.1."""
    _, schemas = models_json_schema(
        [
            *((model, "validation") for model in _REQUESTS),
            *((model, "serialization") for model in _ANSWERS),
        ],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "sentiment-stream",
            "version": API_VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": {
            "/score": {
                "post": _operation(
                    "score",
                    "Score texts, in the form of the published model's endpoints or in Hugging "
                    "Face's; the answer has the form of the request.",
                    (EndpointRequest, HuggingFaceRequest),
                    (EndpointAnswer, HuggingFaceAnswer),
                    ScoreQuery,
                )
            },
            "/explain": {
                "post": _operation(
                    "explain",
                    "Score a text, with the effect of each word on the score, and the score with "
                    "other countries in place of the one that the text names.",
                    (ExplainRequest,),
                    (Explanation,),
                )
            },
        },
        "components": {"schemas": schemas["$defs"]},
    }


def _operation(
    name: str,
    summary: str,
    requests: tuple[type[BaseModel], ...],
    answers: tuple[type[BaseModel], ...],
    query: type[BaseModel] | None = None,
) -> dict[str, Any]:
    responses: dict[str, Any] = {"200": {"description": "The scores.", "content": _json(answers)}}
    for status, meaning in PROBLEMS.items():
        responses[str(status)] = {"description": meaning, "content": _json((Problem,))}
    responses["503"]["headers"] = {
        "Retry-After": {
            "required": True,
            "description": "Seconds to wait before the next attempt.",
            "schema": {"type": "integer", "minimum": 1},
        }
    }
    return {
        "operationId": name,
        "summary": summary,
        **({"parameters": _parameters(query)} if query is not None else {}),
        "requestBody": {"required": True, "content": _json(requests)},
        "responses": responses,
    }


def _parameters(query: type[BaseModel]) -> list[dict[str, Any]]:
    found = []
    for name, schema in query.model_json_schema()["properties"].items():
        description = schema.pop("description")
        found.append({"name": name, "in": "query", "description": description, "schema": schema})
    return found


def _json(models: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    refs = [{"$ref": f"#/components/schemas/{model.__name__}"} for model in models]
    # Not oneOf: an empty list fits both forms of the answer.
    return {"application/json": {"schema": {"anyOf": refs} if len(refs) > 1 else refs[0]}}
