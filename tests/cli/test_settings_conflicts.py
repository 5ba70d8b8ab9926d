"""Settings that depend on each other: derived defaults, and one line for each contradiction."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import SettingsError
from service.settings import KafkaSettings, load_settings
from tools.environment import no_settings  # noqa: F401 - a fixture


def test_timeouts_are_derived_from_the_session_timeout() -> None:
    """Unless they are set."""
    kafka = KafkaSettings(session_timeout_ms=6000)
    derived = (kafka.heartbeat_ms, kafka.rebalance_ms, kafka.max_poll_ms, kafka.transaction_ms)
    assert derived == (600, 12_000, 60_000, 4000)
    kafka = KafkaSettings(
        heartbeat_interval_ms=1, rebalance_timeout_ms=2, max_poll_interval_ms=3,
        transaction_timeout_ms=4,
    )  # fmt: skip
    explicit = (kafka.heartbeat_ms, kafka.rebalance_ms, kafka.max_poll_ms, kafka.transaction_ms)
    assert explicit == (1, 2, 3, 4)


@given(st.integers(10, 24 * 3600 * 1000))
def test_derived_timeouts_never_conflict(session_timeout_ms: int) -> None:
    """At any session timeout."""
    load_settings({"kafka": {"session_timeout_ms": session_timeout_ms}})


FILE = __file__
SHARED = "share a topic, which would feed the service its own output; name different ones"
LOG_IN = "needs SENTIMENT_KAFKA__SASL_USERNAME and SENTIMENT_KAFKA__SASL_PASSWORD_FILE; set both"
NO_LOG_IN = "does not log in; set it to SASL_SSL or SASL_PLAINTEXT"
NEEDS_FILE = "needs SENTIMENT_KAFKA__SASL_TOKEN_FILE; set it to the token's file"
NO_USER = "unset SENTIMENT_KAFKA__SASL_USERNAME and SENTIMENT_KAFKA__SASL_PASSWORD_FILE"
OTHER_LOG_IN = "logs in by a password; set it to OAUTHBEARER"
BY_TOKEN = {"security_protocol": "SASL_SSL", "sasl_mechanism": "OAUTHBEARER"}
NO_TLS = "does not use TLS; set it to SSL or SASL_SSL"
BOTH = "SENTIMENT_KAFKA__SSL_KEY_FILE belong together; set both or neither"
OTHER_LIST = "take that list apart; name the same list in both, or one element by its number"
OR_RAISE = "; lower the first or raise the second"
REGISTRY = "SENTIMENT_KAFKA__SCHEMA_REGISTRY_"
REGISTRY_URL = {"schema_registry_url": "http://r:8081"}
NO_URL = f"{REGISTRY}USERNAME or {REGISTRY}*_FILE is set without {REGISTRY}URL; set that too"
NO_REGISTRY_TLS = f"{REGISTRY}URL=http://r:8081 does not use TLS; begin it with https://"
NOTHING_TO_DO = f"{REGISTRY}SUBJECT, REGISTER or IDS is set without {REGISTRY}URL; set that too"
COLON = "has a colon, where HTTP's basic login puts the password; use another user"
TOGETHER = "belong together; set both or neither"

CONFLICTS = [
    ({"output_topic": "sentiment.messages"}, SHARED),
    ({"input_topic": "a,b", "output_topic": "b"}, SHARED),
    ({"input_topic": "a,b", "dead_letter_topic": "a"}, SHARED),
    ({"output_topic": "a", "dead_letter_topic": "a"}, SHARED),
    ({"input_topic": "a,b,a"}, SHARED),
    ({"heartbeat_interval_ms": 10_001}, f"SESSION_TIMEOUT_MS / 3 (10000){OR_RAISE}"),
    ({"transaction_timeout_ms": 30_001}, f"SESSION_TIMEOUT_MS (30000){OR_RAISE}"),
    ({"max_poll_interval_ms": 29_999}, f"MAX_POLL_INTERVAL_MS (29999){OR_RAISE}"),
    ({"rebalance_timeout_ms": 300_001}, f"MAX_POLL_INTERVAL_MS (300000){OR_RAISE}"),
    ({"security_protocol": "SASL_SSL"}, LOG_IN),
    ({"security_protocol": "SASL_SSL", "sasl_username": "u"}, LOG_IN),
    ({"security_protocol": "SASL_PLAINTEXT", "sasl_password_file": FILE}, LOG_IN),
    ({"sasl_username": "u"}, NO_LOG_IN),
    ({"security_protocol": "SSL", "sasl_password_file": FILE}, NO_LOG_IN),
    (BY_TOKEN, NEEDS_FILE),
    (BY_TOKEN | {"sasl_token_file": FILE, "sasl_username": "u"}, NO_USER),
    ({"security_protocol": "SASL_SSL", "sasl_token_file": FILE}, OTHER_LOG_IN),
    ({"security_protocol": "SASL_SSL", "sasl_extensions": "a=1"}, OTHER_LOG_IN),
    ({"sasl_token_file": FILE}, NO_LOG_IN),
    ({"ssl_ca_file": FILE}, NO_TLS),
    ({"ssl_certificate_file": FILE, "ssl_key_file": FILE}, NO_TLS),
    ({"security_protocol": "SSL", "ssl_certificate_file": FILE}, BOTH),
    ({"security_protocol": "SSL", "ssl_key_file": FILE}, BOTH),
    ({"skip": "!/e/*/text"}, f"text does not {OTHER_LIST}"),
    ({"text_field": "/e/*/text", "skip": "/a,/f/*/b=1"}, f"/e/*/text does not {OTHER_LIST}"),
    ({"text_field": "/e/*/text", "skip": "/a==/e/*/f/*"}, f"/e/*/text does not {OTHER_LIST}"),
    ({"schema_registry_username": "u", "schema_registry_password_file": FILE}, NO_URL),
    ({"schema_registry_subject": "events"}, NOTHING_TO_DO),
    ({"schema_registry_register": "false"}, NOTHING_TO_DO),
    ({"schema_registry_ids": "global"}, NOTHING_TO_DO),
    (
        {**REGISTRY_URL, "schema_registry_username": "a:b", "schema_registry_password_file": FILE},
        COLON,
    ),
    ({"schema_registry_ca_file": FILE}, NO_URL),
    (REGISTRY_URL | {"schema_registry_username": "u"}, f"PASSWORD_FILE {TOGETHER}"),
    (REGISTRY_URL | {"schema_registry_password_file": FILE}, f"PASSWORD_FILE {TOGETHER}"),
    (REGISTRY_URL | {"schema_registry_key_file": FILE}, f"KEY_FILE {TOGETHER}"),
    (REGISTRY_URL | {"schema_registry_ca_file": FILE}, NO_REGISTRY_TLS),
]


@pytest.mark.parametrize(("kafka", "complaint"), CONFLICTS)
def test_settings_that_contradict_each_other(kafka: dict[str, object], complaint: str) -> None:
    """Each conflict names the variables, their values, and what to change, on one line."""
    with pytest.raises(SettingsError) as caught:
        load_settings({"kafka": kafka})
    message = str(caught.value)
    assert (message.isprintable(), message.endswith(complaint)) == (True, True)
    if complaint.endswith(OR_RAISE):
        ((name, value),) = kafka.items()
        above = "SESSION_TIMEOUT_MS=30000" if "POLL" in name.upper() else f"{name.upper()}={value}"
        assert message == f"SENTIMENT_KAFKA__{above} is above SENTIMENT_KAFKA__{complaint}"


@pytest.mark.parametrize(
    "kafka",
    [
        {"heartbeat_interval_ms": 10_000, "transaction_timeout_ms": 30_000},
        {"max_poll_interval_ms": 30_000, "rebalance_timeout_ms": 30_000},
        {"security_protocol": "SSL"},
        {"security_protocol": "SSL", "ssl_ca_file": FILE},
        {"security_protocol": "SSL", "ssl_certificate_file": FILE, "ssl_key_file": FILE},
        {"security_protocol": "SASL_PLAINTEXT", "sasl_username": "u", "sasl_password_file": FILE},
        BY_TOKEN | {"sasl_token_file": FILE, "sasl_extensions": "logicalCluster=lkc-1,pool=p_1:2"},
    ],
)
def test_settings_without_a_conflict(kafka: dict[str, object]) -> None:
    """The bounds themselves are allowed, and so is each complete way to connect."""
    assert kafka.items() <= load_settings({"kafka": kafka}).kafka.model_dump(mode="json").items()


def test_an_address_that_holds_a_login_is_not_shown() -> None:
    """It is refused, since addresses are in messages and in what `run --check-config` prints."""
    with pytest.raises(SettingsError) as caught:
        load_settings({"kafka": {"schema_registry_url": "https://user:s3cret@registry:8081"}})
    message = str(caught.value)
    assert "s3cret" not in message
    assert message.startswith(f"{REGISTRY}URL=(not shown) holds a login; set {REGISTRY}USERNAME")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://registry:99999", "has a port that is not within 1 to 65535"),
        ("http://registry:x/", "has a port that is not within 1 to 65535"),
        ("http://a:8081,http://b:8081", "names several servers; name one"),
        ("http://registry:8081?x=1", "has a ? or #"),
    ],
)
def test_an_address_that_no_request_can_go_to_is_refused(url: str, told: str) -> None:
    """By `run --check-config`, not by waiting for a registry that cannot be there."""
    with pytest.raises(SettingsError, match=re.escape(told)):
        load_settings({"kafka": {"schema_registry_url": url}})


@pytest.mark.parametrize("url", ["https://[::1]:8081/apis/ccompat/v7", "https://[::1]", "http://r"])
def test_an_address_may_be_ipv6_or_have_no_port(url: str) -> None:
    """As other addresses may."""
    assert url == load_settings({"kafka": {"schema_registry_url": url}}).kafka.schema_registry_url
