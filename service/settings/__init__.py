"""All settings, immutable and checked against each other; the only reader of the environment.

`SENTIMENT_<GROUP>__<NAME>` sets a value, and a command's flag overrides it. A wrong value or an
unknown name stops the program before it does anything else.
"""

from __future__ import annotations

import difflib
import os
import re
from typing import TYPE_CHECKING, Any, Self

import pydantic
from pydantic import BaseModel, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from service.errors import SettingsError
from service.settings.feeds import FeedSource
from service.settings.fields import IS_FOLDER
from service.settings.groups import (
    BatchSettings,
    DeliverySettings,
    HttpSettings,
    LogSettings,
    ModelSettings,
    TracingSettings,
)
from service.settings.kafka import KafkaSettings
from service.settings.mounted import Mounted, MountedContext
from service.settings.places import foreign_list
from service.settings.registry import registry_conflicts
from service.settings.security import security_conflicts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pydantic.fields import FieldInfo

__all__ = [
    "PREFIX",
    "PUBLISHED_MODEL",
    "PUBLISHED_REVISION",
    "BatchSettings",
    "DeliverySettings",
    "HttpSettings",
    "KafkaSettings",
    "LogSettings",
    "ModelSettings",
    "Mounted",
    "MountedContext",
    "Settings",
    "TracingSettings",
    "allowed",
    "each_setting",
    "load_settings",
    "named_secret",
    "read_secret",
    "variable",
]

PREFIX = "SENTIMENT_"

PUBLISHED_MODEL = "distilbert-base-uncased-finetuned-sst-2-english"
# The commit of the published model on the hub that was measured.
PUBLISHED_REVISION = "714eb0fa89d2f80546fda750413ed43d93601a13"

# Variables that Kubernetes sets in every container for a Service named `sentiment-…`.
_SERVICE_LINK = re.compile(
    r"_SERVICE_HOST=|_SERVICE_PORT(_[A-Z0-9_]+)?=[0-9]+$"
    r"|_PORT(_[0-9]+_(TCP|UDP|SCTP))?=[a-z]+://|_PORT_[0-9]+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR)="
)
# Least similarity of a misspelt name and the setting that is suggested for it, both without the
# prefix: a name without its group is still recognised, and unrelated names are not.
_SIMILARITY_MIN = 0.65
# Enough to recognise a value; a whole file pasted into a variable is not shown.
_VALUE_CHARACTERS_MAX = 100


class Settings(BaseSettings):
    """All settings, by group."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    kafka: KafkaSettings = KafkaSettings()
    model: ModelSettings = ModelSettings()
    batch: BatchSettings = BatchSettings()
    delivery: DeliverySettings = DeliverySettings()
    http: HttpSettings = HttpSettings()
    log: LogSettings = LogSettings()
    tracing: TracingSettings = TracingSettings()

    @classmethod
    def settings_customise_sources(  # noqa: D102 - pydantic's
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # What is set comes first; the defaults come last, by themselves.
        return init_settings, env_settings, FeedSource(settings_cls)

    @model_validator(mode="after")
    def _no_conflicts(self) -> Self:
        conflict = next(_conflicts(self), None)
        if conflict is not None:
            raise ValueError(conflict)
        return self


def _conflicts(settings: Settings) -> Iterator[str]:
    kafka = settings.kafka
    ours = [*kafka.input_topics, kafka.output_topic, kafka.dead_letter_topic]
    if len(set(ours)) < len(ours):
        yield (
            f"SENTIMENT_KAFKA__INPUT_TOPIC={kafka.input_topic}, "
            f"SENTIMENT_KAFKA__OUTPUT_TOPIC={kafka.output_topic} and "
            f"SENTIMENT_KAFKA__DEAD_LETTER_TOPIC={kafka.dead_letter_topic} share a topic, "
            "which would feed the service its own output; name different ones"
        )
    foreign = foreign_list(kafka.places, kafka.conditions)
    if foreign is not None:
        yield (
            f"SENTIMENT_KAFKA__SKIP={kafka.skip} looks at each element of {foreign.written}, but "
            f"SENTIMENT_KAFKA__TEXT_FIELD={kafka.text_field} does not take that list apart; name "
            "the same list in both, or one element by its number"
        )
    for name, value, limit_name, limit in (
        ("HEARTBEAT_INTERVAL_MS", kafka.heartbeat_ms, "SESSION_TIMEOUT_MS / 3",
         kafka.session_timeout_ms / 3),
        ("TRANSACTION_TIMEOUT_MS", kafka.transaction_ms, "SESSION_TIMEOUT_MS",
         kafka.session_timeout_ms),
        ("SESSION_TIMEOUT_MS", kafka.session_timeout_ms, "MAX_POLL_INTERVAL_MS", kafka.max_poll_ms),
        ("REBALANCE_TIMEOUT_MS", kafka.rebalance_ms, "MAX_POLL_INTERVAL_MS", kafka.max_poll_ms),
    ):  # fmt: skip
        if value > limit:
            yield (
                f"SENTIMENT_KAFKA__{name}={value} is above SENTIMENT_KAFKA__{limit_name} "
                f"({limit:.0f}); lower the first or raise the second"
            )
    yield from security_conflicts(kafka)
    yield from registry_conflicts(kafka)


def each_setting() -> Iterator[tuple[str, str, FieldInfo]]:
    """Every setting as (group, name, field), in the order of the classes."""
    for group, field in Settings.model_fields.items():
        model = field.annotation
        assert isinstance(model, type), group  # noqa: S101 - for the type checker
        assert issubclass(model, BaseModel), group  # noqa: S101
        for name, inner in model.model_fields.items():
            yield group, name, inner


def variable(group: str, name: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{group}__{name}".upper()


def allowed(group: str, name: str) -> str:
    """The allowed values of a setting, in words."""
    model = Settings.model_fields[group].annotation
    assert isinstance(model, type), group  # noqa: S101 - for the type checker
    assert issubclass(model, BaseModel), group  # noqa: S101
    schema = model.model_json_schema()["properties"][name]
    match schema.get("anyOf", [schema])[0]:
        case {"allowed": str(own_words)}:
            words = own_words
        case {"enum": [*first, last]}:
            words = f"{', '.join(first)} or {last}"
        case {"type": "boolean"}:
            words = "true or false"
        case {"minimum": lowest, "maximum": highest}:
            words = f"a whole number from {lowest} to {highest}"
        case {"exclusiveMinimum": bound, "maximum": highest}:
            words = f"a number above {bound:g} and up to {highest:g}"
        case {"format": "file-path"}:
            words = "the path of a file that exists"
        case _:
            words = "a text that is not empty"
    return words


def load_settings(flags: Mapping[str, Mapping[str, Any]] | None = None) -> Settings:
    """Read the environment; `flags`, by group and name, override it.

    Raises:
        SettingsError: one line for each wrong setting, with the variable, its value and what to do,
            or for each variable that is no setting.
    """
    unknown = list(_unknown_names())
    if unknown:
        raise SettingsError("\n".join(unknown))
    given = {group: dict(values) for group, values in (flags or {}).items() if values}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except pydantic.ValidationError as error:
        raise SettingsError("\n".join(_lines(error))) from None


def _unknown_names() -> Iterator[str]:
    """A line for each variable with the prefix that is no setting, in the order of their names.

    The value is not shown: under a misspelt name it may be a secret.
    """
    known = [variable(group, name).removeprefix(PREFIX) for group, name, _ in each_setting()]
    for name, value in sorted(os.environ.items()):
        own = name.upper().removeprefix(PREFIX)
        if own == name.upper() or own in known or _SERVICE_LINK.search(f"{name}={value}"):
            continue
        similar = difflib.get_close_matches(own, known, 1, _SIMILARITY_MIN)
        remedy = f"did you mean {PREFIX}{similar[0]}?" if similar else "correct or unset it"
        yield (
            f"{_in_line(name)} is not a setting; {remedy} (`sentiment-stream run --help` lists all)"
        )


def _lines(error: pydantic.ValidationError) -> Iterator[str]:
    descriptions = {
        (group, name): " ".join((field.description or "").split())
        for group, name, field in each_setting()
    }
    for problem in error.errors(include_url=False):
        # The service's own validators give the reason. Pydantic's messages would only repeat what
        # is allowed.
        own = str(problem.get("ctx", {}).get("error", ""))
        if len(problem["loc"]) < 2:
            yield own
            continue
        group, name = str(problem["loc"][0]), str(problem["loc"][1])
        value, complaint = str(problem["input"]), f" {own};" if own else ":"
        # The value may be the secret itself, set by mistake in place of its file.
        shown = not name.endswith("_file") or value.startswith(("/", ".")) or own == IS_FOLDER
        shown = shown or not value
        # An address may hold a login.
        shown = shown and not (name.endswith("_url") and "@" in value)
        yield (
            f"{variable(group, name)}={_in_line(value) if shown else '(not shown)'}{complaint} "
            f"set it to {allowed(group, name)}. {descriptions[(group, name)]}"
        )


def _in_line(value: str) -> str:
    """The value on one line, control characters escaped and cut if it is long."""
    shown = value if value.isprintable() else repr(value)[1:-1]
    left_out = len(shown) - _VALUE_CHARACTERS_MAX
    return shown if left_out <= 0 else f"{shown[:_VALUE_CHARACTERS_MAX]}… ({left_out} more)"


def read_secret(path: Path) -> str:
    """The content of a mounted secret, without a trailing line break.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        return path.read_bytes().decode().rstrip("\r\n")
    except OSError as error:
        why = f"cannot be read ({error.strerror}); mount the secret there, readable"
    except UnicodeDecodeError:
        why = "is not UTF-8; write the secret to it as plain text"
    raise SettingsError(f"{path}: {why}")


def named_secret(variable: str, file: Path, what: str = "password", *, strips: bool = False) -> str:
    """The secret in the file that a variable names; errors name the variable and the remedy.

    With `strips`, white space around it does not count.

    Raises:
        SettingsError: it cannot be read, or is empty.
    """
    try:
        content = read_secret(file)
    except SettingsError as error:
        raise SettingsError(f"{variable}={error}") from None
    secret = content.strip() if strips else content
    if not secret:
        raise SettingsError(f"{variable}={file} is empty; write the {what} to it")
    return secret
