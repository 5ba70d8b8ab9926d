"""Names of variables: misspelt settings are refused, variables of Kubernetes are ignored."""

from __future__ import annotations

import pytest

from service.errors import ExitCode, SettingsError
from service.settings import Settings, load_settings
from tools.environment import no_settings, settings_error  # noqa: F401 - a fixture

SECRET = "hunter2-swordfish"  # noqa: S105 - stands for a secret


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SENTIMENT_KAFKA__TOPIC", "KAFKA__INPUT_TOPIC"),
        ("SENTIMENT_KAFKA_GROUP_ID", "KAFKA__GROUP_ID"),
        ("sentiment_kafka__groupid", "KAFKA__GROUP_ID"),
        ("SENTIMENT_KAFAK__GROUP_ID", "KAFKA__GROUP_ID"),
        ("SENTIMENT_KAFKA__GROUP_ID__X", "KAFKA__GROUP_ID"),
        ("SENTIMENT_GROUP_ID", "KAFKA__GROUP_ID"),
        ("SENTIMENT_KAFKA__SASL_PASSWORD", "KAFKA__SASL_PASSWORD_FILE"),
        ("SENTIMENT_MODEL__NAMES", "MODEL__NAME"),
        ("SENTIMENT_LOGLEVEL", "LOG__LEVEL"),
        ("SENTIMENT_HTTP_PORT", "HTTP__PORT"),
        ("SENTIMENT_KAFKA", None),
        ("SENTIMENT_API_TOKEN", None),
        ("SENTIMENT_", None),
    ],
)
def test_an_unknown_name_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str | None
) -> None:
    """Otherwise a misspelt setting would be ignored. Its value is not shown."""
    remedy = "correct or unset it" if meant is None else f"did you mean SENTIMENT_{meant}?"
    expected = f"is not a setting; {remedy} (`sentiment-stream run --help` lists all)"
    assert settings_error(monkeypatch, **{name: SECRET}) == f"{name} {expected}"


def test_each_unknown_name_has_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """All are reported at once, as wrong values are."""
    monkeypatch.setenv("SENTIMENT_MODEL__DEVISE", "cpu")
    monkeypatch.setenv("SENTIMENT_KAFKA__GROUPID", "g")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert caught.value.exit_code == ExitCode.USAGE
    assert [line.partition(" (")[0] for line in str(caught.value).splitlines()] == [
        "SENTIMENT_KAFKA__GROUPID is not a setting; did you mean SENTIMENT_KAFKA__GROUP_ID?",
        "SENTIMENT_MODEL__DEVISE is not a setting; did you mean SENTIMENT_MODEL__DEVICE?",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SENTIMENT_STREAM_SERVICE_HOST", "10.0.0.1"),
        ("SENTIMENT_STREAM_SERVICE_PORT", "8080"),
        ("SENTIMENT_STREAM_SERVICE_PORT_HTTP", "8080"),
        ("SENTIMENT_STREAM_PORT", "tcp://10.0.0.1:8080"),
        ("SENTIMENT_STREAM_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ("SENTIMENT_STREAM_PORT_8080_TCP_PROTO", "tcp"),
        ("SENTIMENT_STREAM_PORT_8080_TCP_PORT", "8080"),
        ("SENTIMENT_STREAM_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("SENTIMENT_KAFKA_PORT", "tcp://10.0.0.1:9092"),
        ("SENTIMENT_KAFKA_SERVICE_HOST", "10.0.0.1"),
        ("SENTIMENTS", "1"),
    ],
)
def test_variables_of_kubernetes_are_ignored(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """It sets some for every Service, and one may be named sentiment-stream or sentiment-kafka."""
    monkeypatch.setenv(name, value)
    assert load_settings() == Settings()
