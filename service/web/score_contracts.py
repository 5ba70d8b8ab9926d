"""What is asked and answered over HTTP, as pydantic models; `schemas/openapi.json` is made of them.

No HTTP here (see `score_api`), and no limits but those that a schema can say.
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

# As many as one request may hold: a page of posts, and a second's work on the smallest machine.
TEXTS_MAX = 64
# More than the model reads of an English text by default, and 10 ms of the tokenizer.
TEXT_CHARACTERS_MAX = 8192
EXPLAINED_CHARACTERS_MAX = 1000


def _not_blank(text: str) -> str:
    if not text or text.isspace():
        raise ValueError("holds nothing but white space")
    return text


def _whole(value: object) -> object:
    # JSON knows one kind of number: 1.0 is as whole as 1.
    return int(value) if isinstance(value, float) and value.is_integer() else value


# Says the same to who reads the schema: what Python and ECMAScript take for space.
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
    """What the address of `POST /score` may ask for, whatever the form of its body."""

    labels: Literal["all", "poles"] = "all"
    """`poles`: only the negative and the positive label, for a client that knows no other. The
    probability of each is divided by the sum of both, and the likelier one is called. `all`, the
    default: every label of the model."""


class EndpointRequest(_Model):
    """The form of the published model's managed endpoints."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"input_data": ["I like you. I love you", "Never again."]}]}
    )

    input_data: Texts
    """The texts to score."""


class Parameters(_Model):
    """What Hugging Face's form may ask for."""

    top_k: Annotated[int, Field(ge=1, le=1000), BeforeValidator(_whole)] | None = None
    """Only so many of the likeliest labels; all without it."""


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
    """Is let be: there is no cache to choose and no model to wait for."""


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
    """Which ones there are depends on the model, so a client must take any; one that knows the two
    poles alone asks with `labels=poles`."""
    score: Probability


class EndpointAnswer(RootModel[list[LabelScore]]):
    """For each text the label that an event would have, and the probability of the likeliest.

    With `labels=poles` the likelier pole and its probability.
    """


class HuggingFaceAnswer(RootModel[list[list[LabelScore]]]):
    """For each text, a single one too, its labels with the likeliest first."""


class Word(_Model):
    """A word of the text and what it does for the label."""

    text: str
    start: Annotated[int, Field(ge=0)]
    """Where it begins, in Unicode code points."""
    end: Annotated[int, Field(ge=0)]
    """Where it ends, likewise."""
    weight: Annotated[float, Field(ge=-1, le=1)]
    """Probability of the likeliest label with all words, minus that without this one."""


class CountryScore(_Model):
    """What the score would be."""

    name: str
    score: Probability
    """Probability of the label that is likeliest for the text itself."""


class Explanation(_Model):
    """A text's score, its words, and the same text with other countries in place."""

    label: str
    """As in an event: may be another than the likeliest where the model is not confident."""
    score: Probability
    confident: bool
    scores: dict[str, Probability]
    words: list[Word]
    countries: list[CountryScore]
    """Empty where the text names no country."""


class Problem(_Model):
    """Why there is no score; never holds text of the request."""

    error: str
    """One line that names the place and the remedy, under the name that clients look for."""
