"""Fixtures that every room's tests share: brokers, topics, labelled data.

What a machine lacks skips its tests with the reason; under CI=true it fails them, so that nothing
goes untested without notice.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import HealthCheck, settings

from chaos.cluster import Cluster, running_cluster
from tools.chromium import REMEDY as CHROMIUM_REMEDY
from tools.chromium import chromium, running_chromium
from tools.kafka.broker import (
    Broker,
    BrokerUnavailableError,
    JarBroker,
    start_broker,
    start_jar_broker,
)
from tools.kafka.secured_broker import Secured, start_secured_broker
from tools.kafka.sessions import both, exact, kafka, real  # noqa: F401 - fixtures
from tools.kafka.streams import Stream
from tools.kafka.topics import Topics, topics_on
from tools.registry.apicurio import running_apicurio
from tools.registry.fake import registry  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

# Nothing is asserted of how long an example takes: a busy machine makes no test fail.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# In containers, of an image that is built first: `make image-test`.
collect_ignore = [] if "IMAGE" in os.environ else ["image"]

IN_CI = os.environ.get("CI") == "true"
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
REMEDY = "set KAFKA_BOOTSTRAP_SERVERS, start Docker, or install Java 17 and Maven"


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """Give a running broker; a mock one where there is no other, under CI=true never."""
    with contextlib.ExitStack() as stack:
        try:
            started = stack.enter_context(start_broker(allow_mock=not IN_CI))
        except BrokerUnavailableError as error:
            lacking(f"no Apache Kafka: {REMEDY} ({error})")
        yield started


@pytest.fixture(scope="session")
def real_broker(broker: Broker) -> Broker:
    """Give a running Apache Kafka, shared by all tests: they may not harm it."""
    if not broker.real:
        lacking(f"no Apache Kafka: {REMEDY} ({broker.passed_over})")
    return broker


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Give a secured broker."""
    with contextlib.ExitStack() as stack:
        try:
            folder = tmp_path_factory.mktemp("secured")
            started = stack.enter_context(start_secured_broker(folder))
        except BrokerUnavailableError as error:
            lacking(f"no Apache Kafka to secure: install Java 17 and Maven ({error})")
        yield started


@pytest.fixture
def jar_broker() -> Iterator[JarBroker]:
    """Give a running Apache Kafka of the test's own, to pause, kill and restart."""
    with contextlib.ExitStack() as stack:
        try:
            started = stack.enter_context(start_jar_broker())
        except BrokerUnavailableError as error:
            lacking(f"no Apache Kafka to harm: install Java 17 and Maven ({error})")
        yield started


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Give three brokers of the module's own, to harm."""
    with contextlib.ExitStack() as stack:
        try:
            started = stack.enter_context(running_cluster(tmp_path_factory.mktemp("brokers")))
        except BrokerUnavailableError as error:
            lacking(f"no Apache Kafka to harm: install Java 17 and Maven ({error})")
        yield started


@pytest.fixture
def topics(broker: Broker) -> Topics:
    """Give a maker of topics on the shared broker."""
    return topics_on(broker)


@pytest.fixture(scope="session")
def apicurio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a real schema registry."""
    if "CONSUMERS_TEST" not in os.environ:
        pytest.skip("a real schema registry: make consumers-test")
    with contextlib.ExitStack() as stack:
        try:
            url = stack.enter_context(running_apicurio(tmp_path_factory.mktemp("apicurio")))
        except BrokerUnavailableError as error:
            lacking(f"no schema registry: install Java 17 and Maven ({error})")
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a Chromium."""
    path = chromium()
    if path is None:
        lacking(f"no Chromium to show the page in: {CHROMIUM_REMEDY}")
    with running_chromium(path) as started:
        yield started


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Give the folder of labelled text, which lies beside the repository."""
    if not SHARED_DATA.is_dir():
        lacking("no labelled data: put it at ../shared/data, beside the repository")
    return SHARED_DATA


def lacking(reason: str) -> NoReturn:
    """Skip the test for what this machine lacks; under CI=true, fail it."""
    if IN_CI:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture
def stream(real_broker: Broker, topics: Topics) -> Stream:
    """Give fresh topics on real Kafka."""
    return Stream(real_broker, topics)
