"""HTTP requests and responses as pydantic models; `schemas/openapi.json` is generated from these.

No HTTP here (see `score_api`), and only limits that a schema can express.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    Tag,
)

# A page of posts, which takes about a second on the smallest machine.
TEXTS_MAX = 64
# Longer than the part of an English text that the model reads by default; tokenized in 10 ms.
TEXT_CHARACTERS_MAX = 8192
EXPLAINED_CHARACTERS_MAX = 1000


def _not_blank(text: str) -> str:
    if not text or text.isspace():
        raise ValueError("holds nothing but white space")
    return text


def _integral(value: object) -> object:
    # JSON does not distinguish 1.0 from 1.
    return int(value) if isinstance(value, float) and value.is_integer() else value


# The same check in the schema: what Python or ECMAScript treats as white space.
_NOT_BLANK: dict[str, Any] = {"pattern": r"[^\s\u001c-\u001f\u0085\ufeff]"}
Text = Annotated[
    str,
    Field(max_length=TEXT_CHARACTERS_MAX, json_schema_extra=_NOT_BLANK),
    AfterValidator(_not_blank),
]
ExplainedText = Annotated[
    str,
    Field(max_length=EXPLAINED_CHARACTERS_MAX, json_schema_extra=_NOT_BLANK),
    AfterValidator(_not_blank),
]
Texts = Annotated[list[Text], Field(min_length=1, max_length=TEXTS_MAX)]
Probability = Annotated[float, Field(ge=0, le=1)]


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )


class ScoreQuery(_Model):
    """Query parameters of `POST /score`, for both forms of its body."""

    labels: Literal["all", "poles"] = "all"
    """`poles`: only the negative and the positive label, for a client that knows no other. The
    probability of each is divided by the sum of both, and the likelier one is the label. `all`, the
    default: every label of the model."""


class EndpointRequest(_Model):
    """The form of the published model's managed endpoints."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"input_data": ["I like you. I love you", "Never again."]}]}
    )

    input_data: Texts
    """The texts to score."""


class Parameters(_Model):
    """Parameters of Hugging Face's form."""

    top_k: Annotated[int, Field(ge=1, le=1000), BeforeValidator(_integral)] | None = None
    """Number of labels to return, the likeliest first; all by default."""


class HuggingFaceRequest(_Model):
    """The form of Hugging Face's inference API for text classification."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"inputs": "I like you. I love you"},
                {"inputs": ["I like you.", "Never again."], "parameters": {"top_k": 1}},
            ]
        }
    )

    inputs: Annotated[
        Annotated[Text, Tag("text")] | Annotated[Texts, Tag("texts")],
        Discriminator(lambda value: "texts" if isinstance(value, list) else "text"),
    ]
    """A text, or several."""
    parameters: Parameters | None = None
    options: dict[str, Any] | None = None
    """Ignored: there is no cache to choose and no model to wait for."""


class ExplainRequest(_Model):
    """A text to explain."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "This film was filmed in France."}]}
    )

    text: ExplainedText
    """At most 64 tokens in at most 64 words."""


class LabelScore(_Model):
    """A label and its probability."""

    label: str
    """The labels depend on the model, so a client must accept any; a client that knows only a
    negative and a positive label asks with `labels=poles`."""
    score: Probability


class EndpointAnswer(RootModel[list[LabelScore]]):
    """For each text the label that its event would have, and the likeliest label's probability.

    With `labels=poles` the likelier pole and its probability.
    """


class HuggingFaceAnswer(RootModel[list[list[LabelScore]]]):
    """For each text a list of its labels, the likeliest first; also for a single text."""


class Word(_Model):
    """A word of the text and its effect on the likeliest label."""

    text: str
    start: Annotated[int, Field(ge=0)]
    """Index of its first Unicode code point in the text."""
    end: Annotated[int, Field(ge=0)]
    """Index after its last Unicode code point."""
    weight: Annotated[float, Field(ge=-1, le=1)]
    """Probability of the likeliest label with all words, minus that without this one."""


class CountryScore(_Model):
    """The score with this country in place of the one that the text names."""

    name: str
    score: Probability
    """Probability of the label that is likeliest for the text itself."""


class Explanation(_Model):
    """A text's score, its words, and the same text with other countries in place."""

    label: str
    """As in an event: may differ from the likeliest label where the model is not confident."""
    score: Probability
    confident: bool
    scores: dict[str, Probability]
    words: list[Word]
    countries: list[CountryScore]
    """Empty where the text names no country."""


class Problem(_Model):
    """Why there is no score; never holds text of the request."""

    error: str
    """One line that says what is wrong, where, and what to do."""
