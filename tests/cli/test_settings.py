"""Settings: allowed values, secrets, and one line with a remedy for each wrong value."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import service
from service.errors import SettingsError
from service.settings import (
    Settings,
    allowed,
    each_setting,
    load_settings,
    read_secret,
    variable,
)
from tools.environment import no_settings, settings_error  # noqa: F401 - a fixture

ALL = [(group, name) for group, name, _ in each_setting()]
DESCRIPTIONS = {variable(group, name): field.description for group, name, field in each_setting()}
SECRET = "hunter2-swordfish"  # noqa: S105 - stands for a secret


def test_the_defaults_load() -> None:
    """Without any variable, all values are the defaults of the classes."""
    settings = load_settings()
    assert settings == Settings()
    assert settings.kafka.input_topics == ("sentiment.messages",)
    assert settings.delivery.include_text is True


def test_every_setting_is_described_and_says_what_is_allowed() -> None:
    """Both are part of each message about a wrong value."""
    assert [name for name, text in DESCRIPTIONS.items() if not (text or "").endswith(".")] == []
    texts = {pair for pair in ALL if allowed(*pair) == "a text that is not empty"}
    registry = {("kafka", f"schema_registry_{name}") for name in ("username", "subject")}
    assert texts == registry | {("kafka", "sasl_username")} | {("model", "name"), ("http", "host")}


SERVERS = "set it to host:port, several separated by commas"
TOPICS = "set it to names of A-Z a-z 0-9 . _ - separated by commas"
WRONG = [
    ("KAFKA__BOOTSTRAP_SERVERS", "localhost", SERVERS),
    ("KAFKA__BOOTSTRAP_SERVERS", "a:9092, b:9092", SERVERS),
    ("KAFKA__BOOTSTRAP_SERVERS", "kafka://a:9092", SERVERS),
    ("KAFKA__BOOTSTRAP_SERVERS", "a:9092,b:65536", "has a port that is not within 1 to 65535"),
    ("KAFKA__INPUT_TOPIC", "posts,", TOPICS),
    ("KAFKA__INPUT_TOPIC", "posts reviews", TOPICS),
    ("KAFKA__OUTPUT_TOPIC", "événements", "set it to 1 to 249 of the characters A-Z a-z 0-9 . _ -"),
    ("KAFKA__DEAD_LETTER_TOPIC", "", "set it to 1 to 249 of the characters A-Z a-z 0-9 . _ -"),
    ("KAFKA__GROUP_ID", "x" * 250, "set it to 1 to 249 of the characters A-Z a-z 0-9 . _ -"),
    ("KAFKA__GROUP_INSTANCE_ID", "pod 0", "set it to 1 to 249 of the characters"),
    ("KAFKA__GROUP_INSTANCE_ID", "..", "is not allowed by Kafka; set it to 1 to 249 of the"),
    ("KAFKA__INPUT_FORMAT", "avro", "set it to json or text"),
    ("KAFKA__TEXT_FIELD", "text", "is not a JSON pointer (Location must start with /)"),
    ("KAFKA__TEXT_FIELD", "/a~2", "is not a JSON pointer (Found invalid escape ~2)"),
    ("KAFKA__TEXT_FIELD", "/a,", "has nothing before or after a comma or plus sign"),
    ("KAFKA__SKIP", "op=d", "is not a JSON pointer"),
    ("KAFKA__DROP_HEADERS", "a, b", "set it to names separated by commas without spaces"),
    ("KAFKA__DROP_HEADERS", "*", "set it to names separated by commas without spaces"),
    ("KAFKA__CARRY", "id", "has id, which is not a JSON pointer"),
    ("KAFKA__CARRY", "/id,", "has an empty pointer"),
    ("KAFKA__CARRY", "/id,/a/*/b", "has /a/*/b; a list is carried whole"),
    ("KAFKA__CARRY", ",".join(["/id"] * 101), "has more than 100 pointers"),
    ("KAFKA__AUTO_OFFSET_RESET", "none", "set it to earliest or latest"),
    ("KAFKA__SESSION_TIMEOUT_MS", "30s", "set it to a whole number from 1 to 86400000"),
    ("KAFKA__HEARTBEAT_INTERVAL_MS", "0", "set it to a whole number from 1 to 86400000"),
    ("KAFKA__SECURITY_PROTOCOL", "TLS", "set it to PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"),
    ("KAFKA__SASL_MECHANISM", "plain", "SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER"),
    ("KAFKA__SASL_USERNAME", "", "set it to a text that is not empty"),
    ("KAFKA__SASL_EXTENSIONS", "a=1, b=2", "set it to name=value, the name of A-Z a-z, the value"),
    ("KAFKA__SASL_EXTENSIONS", "a_b=1", "several separated by commas, each name once"),
    ("KAFKA__SASL_EXTENSIONS", "a=1,b=2,a=2", "names a twice"),
    ("KAFKA__SASL_EXTENSIONS", "a=1,auth=x", "names auth, which is the token's own place"),
    ("KAFKA__SSL_CA_FILE", "/no/such/file", "set it to the path of a file that exists"),
    ("KAFKA__SSL_CA_FILE", "/", "is a folder; set it to the path of a file that exists"),
    ("KAFKA__SASL_TOKEN_FILE", "", "is empty; set it to the path of a file that exists"),
    ("MODEL__TUNING_FILE", "", "is empty; set it to the path of a file that exists"),
    ("MODEL__REVISION", "main", "set it to 7 to 40 of the characters 0-9 a-f"),
    ("MODEL__DEVICE", "gpu", "set it to auto, cpu, mps, cuda or cuda:N"),
    ("MODEL__ENGINE", "tensorrt", "set it to auto, onnx_packed, torch_packed or torch_plain"),
    ("MODEL__PRECISION", "int4", "set it to auto, float32, bfloat16, float16 or int8"),
    ("MODEL__THREADS", "-1", "set it to a whole number from 0 to 1024"),
    ("BATCH__TOKENS_MAX", "511", "set it to a whole number from 512 to 1048576"),
    ("BATCH__RECORDS_MAX", "1.5", "set it to a whole number from 1 to 65536"),
    ("DELIVERY__MODE", "at_most_once", "set it to exactly_once or at_least_once"),
    ("DELIVERY__INCLUDE_TEXT", "maybe", "set it to true or false"),
    ("DELIVERY__BREAKER_SHARE", "0", "set it to a number above 0 and up to 1"),
    ("DELIVERY__BREAKER_SHARE", "nan", "set it to a number above 0 and up to 1"),
    ("HTTP__PORT", "65536", "set it to a whole number from 0 to 65535"),
    ("LOG__LEVEL", "INFO", "set it to debug, info, warning or error"),
    ("LOG__FORMAT", "xml", "set it to json or console"),
]


@pytest.mark.parametrize(("name", "value", "remedy"), WRONG)
def test_a_wrong_value_is_answered_with_variable_value_and_remedy(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, remedy: str
) -> None:
    """On one line: what was set, what is allowed, what the setting means."""
    name = f"SENTIMENT_{name}"
    message = settings_error(monkeypatch, **{name: value})
    shown = value if len(value) <= 100 else f"{value[:100]}… ({len(value) - 100} more)"
    assert message.startswith((f"{name}={shown}: ", f"{name}={shown} "))
    assert remedy in message
    assert "; set it to " in message or ": set it to " in message
    assert message.endswith(f". {DESCRIPTIONS[name]}")


def test_each_wrong_value_has_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """All errors are reported at once, in the order of the settings."""
    monkeypatch.setenv("SENTIMENT_LOG__LEVEL", "loud")
    monkeypatch.setenv("SENTIMENT_HTTP__PORT", "http")
    with pytest.raises(SettingsError) as caught:
        load_settings({"model": {"threads": "all"}})
    names = [line.partition("=")[0] for line in str(caught.value).splitlines()]
    assert names == ["SENTIMENT_MODEL__THREADS", "SENTIMENT_HTTP__PORT", "SENTIMENT_LOG__LEVEL"]


@given(st.text().map("?{}".format))
def test_any_value_is_shown_on_one_line(value: str) -> None:
    """Line breaks and control characters are escaped, long values cut."""
    with pytest.raises(SettingsError) as caught:
        load_settings({"model": {"engine": value}})
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_a_flag_overrides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the flag's group keeps its values; names may be in lower case."""
    monkeypatch.setenv("SENTIMENT_KAFKA__GROUP_ID", "from-environment")
    monkeypatch.setenv("sentiment_kafka__input_topic", "a,b")
    assert load_settings().kafka.group_id == "from-environment"
    kafka = load_settings({"kafka": {"group_id": "from-flag"}, "log": {}}).kafka
    assert (kafka.group_id, kafka.input_topics) == ("from-flag", ("a", "b"))


def test_secrets_are_read_from_files_and_shown_nowhere(tmp_path: Path) -> None:
    """The settings hold only the path."""
    file = tmp_path / "secret"
    file.write_text(SECRET)
    names = ("sasl_password_file", "ssl_ca_file", "ssl_certificate_file", "ssl_key_file")
    kafka = {"security_protocol": "SASL_SSL", "sasl_username": "u", **dict.fromkeys(names, file)}
    settings = load_settings({"kafka": kafka})
    assert read_secret(file) == SECRET
    assert SECRET not in settings.model_dump_json() + repr(settings)


@pytest.mark.parametrize("name", ["sasl_password_file", "ssl_key_file"])
@pytest.mark.parametrize(
    ("secret", "complaint"),
    [
        (SECRET, ": set it to the path"),
        # A whole key, longer than a file's name may be.
        (100 * SECRET, " cannot be looked at (File name too long); set it to the path"),
    ],
    ids=["short", "long"],
)
def test_a_secret_in_place_of_its_file_is_not_shown(name: str, secret: str, complaint: str) -> None:
    """An easy mistake, and the message goes into a log; a wrong path is shown."""
    with pytest.raises(SettingsError) as caught:
        load_settings({"kafka": {name: secret}})
    message = str(caught.value)
    assert message.startswith(f"{variable('kafka', name)}=(not shown){complaint}")
    assert SECRET not in message


def test_a_folder_in_place_of_a_file_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where its path is relative, as that of a mount that lacks the file's name."""
    (tmp_path / "secrets").mkdir()
    monkeypatch.chdir(tmp_path)
    for group, name in ALL:
        if name.endswith("_file"):
            message = settings_error(monkeypatch, **{variable(group, name): "secrets"})
            monkeypatch.delenv(variable(group, name))
            assert message.startswith(f"{variable(group, name)}=secrets is a folder; set it to")


@pytest.mark.parametrize(
    ("content", "secret"),
    [(b"a b\n", "a b"), (b"a\r\n", "a"), (b" a ", " a "), ("pä".encode(), "pä"), (b"", "")],
)
def test_a_trailing_line_break_is_not_part_of_a_secret(
    tmp_path: Path, content: bytes, secret: str
) -> None:
    """Editors add one; everything else belongs to the secret."""
    (tmp_path / "secret").write_bytes(content)
    assert read_secret(tmp_path / "secret") == secret


def test_a_secret_that_cannot_be_read(tmp_path: Path) -> None:
    """One line with the path and what to do, without the content."""
    with pytest.raises(SettingsError, match=r"none: cannot be read \(No such file.*\); mount"):
        read_secret(tmp_path / "none")
    (tmp_path / "secret").write_bytes(b"abc\xff")
    with pytest.raises(SettingsError) as caught:
        read_secret(tmp_path / "secret")
    assert str(caught.value).endswith("secret: is not UTF-8; write the secret to it as plain text")


def test_every_setting_is_read_somewhere() -> None:
    """One that nothing passes on would be accepted, documented and without effect."""
    folder = Path(service.__file__).parent
    read = set()
    for path in (folder / "settings" / "groups.py", folder / "settings" / "kafka.py"):
        read |= set(re.findall(r"self\.(\w+)", path.read_text(encoding="utf-8")))
    for path in folder.rglob("*.py"):
        if path.parent.name != "settings":
            read |= set(re.findall(r"\.(\w+)", path.read_text(encoding="utf-8")))
    assert [f"{group}.{name}" for group, name in ALL if name not in read] == []
