"""The code of `schemas/consumers.md` reads the committed events of a topic, and no aborted ones.

The libraries are others', so this runs with `make consumers-test` alone: they are installed in
`.cache/consumers/recipes` once (1 GB, half a minute).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from confluent_kafka import Producer

from tools.others import on_request, python_with

if TYPE_CHECKING:
    from tools.kafka.broker import Broker
    from tools.kafka.topics import Topics

pytestmark = [on_request, pytest.mark.kafka]

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "schemas" / "consumers.md").read_text()
# The page names these versions.
PIP = (
    *("kafka-python==3.0.12", "aiokafka==0.14.0", "faststream[confluent,kafka]==0.7.8"),
    *("confluent-kafka==2.12.2", "quixstreams==3.28.1", "duckdb==2.0.1", "chdb==4.4.0"),
    "chdb-core==26.9.0",
)
WAIT_SECONDS = 90

[EVENT] = json.loads((ROOT / "schemas" / "sentiment-event.schema.json").read_bytes())["examples"]
# Types of free fields differ from event to event.
FREE = ({"metadata": {"a": 1}}, {"metadata": "a", "source_id": 7}, {"metadata": None, "lang": [1]})
TRANSACTIONS = (
    (True, ("committed-1", "committed-2")),
    (False, ("aborted-1", "aborted-2")),
    (True, ("committed-3",)),
)
ALL = [name for _, names in TRANSACTIONS for name in names]
COMMITTED = [name for kept, names in TRANSACTIONS if kept for name in names]


class Recipe(NamedTuple):
    """One fenced block of Python, by the heading above it."""

    name: str
    code: str

    @property
    def reads_kafka(self) -> bool:
        """Whether it reads the topic; else it reads a file of events."""
        return "broker:9092" in self.code


def _recipes() -> list[Recipe]:
    recipes = []
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        name = section.splitlines()[0]
        for code in re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE):
            recipes.append(Recipe(name, code))
            if "faststream.kafka" in code:
                other = code.replace("faststream.kafka", "faststream.confluent")
                recipes.append(Recipe(f"{name} on confluent-kafka", other))
    return recipes


ON_KAFKA = [recipe for recipe in _recipes() if recipe.reads_kafka]
ON_FILES = [recipe for recipe in _recipes() if not recipe.reads_kafka]
QUEUE = re.findall(r"^```sql\n(.*?)^```", PAGE.split("## ClickHouse")[-1], re.DOTALL | re.MULTILINE)


def test_the_page_names_the_versions_that_are_tried() -> None:
    """A newer one is tried before the page says so."""
    versions = dict(re.findall(r"^\| \[([^]]+)\]\(#[^)]+\) \| ([0-9.]+) \|", PAGE, re.MULTILINE))
    tried = {re.sub(r"\[.*\]", "", package): version for package, version in _versions()}
    for program, package in (
        *(("kafka-python", "kafka-python"), ("aiokafka", "aiokafka"), ("DuckDB", "duckdb")),
        *(("FastStream", "faststream"), ("Quix Streams", "quixstreams")),
    ):
        assert tried[package] == versions[program]
    assert f"chdb {tried['chdb']}" in PAGE


def _versions() -> list[tuple[str, str]]:
    pairs = [package.split("==") for package in PIP]
    return [(name, version) for name, version in pairs]


@pytest.fixture(scope="module")
def python() -> Path:
    """The Python that has the libraries, which are installed once."""
    return python_with("recipes", PIP)


@pytest.fixture
def topic(real_broker: Broker, topics: Topics) -> str:
    """A topic with events of committed and aborted transactions, in turns."""
    topic = topics("recipes")
    producer = Producer(
        {
            "bootstrap.servers": real_broker.bootstrap_servers,
            "transactional.id": uuid.uuid4().hex,
        }
    )
    producer.init_transactions(WAIT_SECONDS)
    for kept, names in TRANSACTIONS:
        producer.begin_transaction()
        for line in _lines(names):
            producer.produce(topic, key=b"key", value=line.encode())
        assert 0 == producer.flush(WAIT_SECONDS)
        (producer.commit_transaction if kept else producer.abort_transaction)(WAIT_SECONDS)
    return topic


def _lines(names: tuple[str, ...]) -> list[str]:
    return [json.dumps(EVENT | FREE[i % len(FREE)] | {"id": name}) for i, name in enumerate(names)]


def _here(code: str, broker: Broker, topic: str) -> str:
    """The code with the test's broker, topic and a group of its own in place of the page's."""
    group = f"recipe-{uuid.uuid4().hex}"
    for old, new in (
        ("broker:9092", broker.bootstrap_servers),
        ("sentiment.events", topic),
        ("my-group", group),
    ):
        assert old in code, f"the page's code names no {old}"
        code = code.replace(old, new)
    return code


async def _printed(python: Path, code: str, folder: Path) -> list[str]:
    """Ids that the code prints until it ends, or until it has printed the last one."""
    (folder / "recipe.py").write_text(code)
    process = await asyncio.create_subprocess_exec(
        *(python, "-u", "recipe.py"),
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    ids: list[str] = []
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            # FastStream's log lies between.
            async for line in process.stdout:
                name, *label = line.decode().split()
                if name in ALL:
                    assert [EVENT["label"]] == label
                    ids.append(name)
                if name == ALL[-1]:
                    break
    finally:
        # Not asked to end: Quix Streams would leave its group first, for some 10 s.
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
    return ids


@pytest.mark.parametrize("recipe", ON_KAFKA, ids=lambda recipe: recipe.name)
async def test_only_committed_events_are_read(
    recipe: Recipe, python: Path, real_broker: Broker, topic: str, tmp_path: Path
) -> None:
    """Those after an aborted transaction too, and once."""
    code = _here(recipe.code, real_broker, topic)
    assert COMMITTED == await _printed(python, code, tmp_path)


@pytest.mark.parametrize("recipe", ON_KAFKA, ids=lambda recipe: recipe.name)
async def test_what_happens_without_the_isolation_level(
    recipe: Recipe, python: Path, real_broker: Broker, topic: str, tmp_path: Path
) -> None:
    """Most show aborted events then, as the page says; its one exception does not."""
    code = re.sub(r"^.*isolation.level.*\n", "", recipe.code, flags=re.MULTILINE)
    assert recipe.code != code
    expected = COMMITTED if recipe.name == "Quix Streams" else ALL
    assert expected == await _printed(python, _here(code, real_broker, topic), tmp_path)


@pytest.mark.parametrize("recipe", ON_FILES, ids=lambda recipe: recipe.name)
async def test_a_file_of_events_is_read(recipe: Recipe, python: Path, tmp_path: Path) -> None:
    """Also where the type of a free field changes from line to line."""
    lines = _lines(tuple(COMMITTED))
    (tmp_path / "events.jsonl").write_text("".join(f"{line}\n" for line in lines))
    assert COMMITTED == await _printed(python, recipe.code, tmp_path)


CLICKHOUSE = """
import contextlib
from chdb.session import Session

session = Session("database")
for statement in {statements!r}:
    # In a library nothing reads in the background: it says so, but makes the table.
    with contextlib.suppress(RuntimeError) if "ENGINE = Kafka" in statement else contextlib.nullcontext():
        rows = session.query(statement, "CSV")
print(str(rows).replace('"', "").replace(",", " "))
"""  # noqa: E501


async def test_tables_of_clickhouse(
    python: Path, real_broker: Broker, topic: str, tmp_path: Path
) -> None:
    """Its own client reads committed; the view's query is asked by hand."""
    [sql] = QUEUE
    sql, count = re.subn(r"CREATE MATERIALIZED VIEW \w+ TO (\w+) AS", r"INSERT INTO \1", sql)
    assert count == 1
    direct = " SETTINGS stream_like_engine_allow_direct_select = 1;"
    sql = sql.replace("FROM sentiment_events_queue;", f"FROM sentiment_events_queue{direct}")
    assert direct in sql
    statements = _here(sql, real_broker, topic).split(";")[:-1]
    assert COMMITTED == await _printed(python, CLICKHOUSE.format(statements=statements), tmp_path)
