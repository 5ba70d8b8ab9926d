"""The flags of a backfill: its group, what it reads, its exit codes and its summary."""

from __future__ import annotations

import errno
import json
import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from service.cli import main
from service.errors import BreakerError, ExitCode
from service.kafka.backfill.span import Bound, Span
from tools.tiny_model import write_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

    from service.settings import Settings

SUMMARY = {"group": "g-backfill", "done": True, "records": 3}
STOPPED = {**SUMMARY, "done": False}


class Service:
    """Stands for the service: notes what it is given, and ends as it is told."""

    def __init__(self) -> None:
        """Be done with everything."""
        self.runs: list[tuple[Settings, Span | None]] = []
        self.result: dict[str, Any] | None = SUMMARY
        self.error: Exception | None = None

    async def __call__(self, settings: Settings, span: Span | None = None) -> Any:
        """See `service.app.run_service`."""
        self.runs.append((settings, span))
        if self.error is not None:
            raise self.error
        return self.result


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Give it in the place of the real one."""
    service = Service()
    monkeypatch.setattr("service.app.run_service", service)
    monkeypatch.setattr("service.observe.logs.configure_logging", lambda _: None)
    yield service
    logging.getLogger().handlers.clear()


def run(*arguments: str) -> Result:
    """The command, with a group for the service."""
    return CliRunner().invoke(main, ["run", "--kafka-group-id", "g", *arguments])


def test_a_backfill_has_a_group_of_its_own(service: Service) -> None:
    """Never the service's, unless somebody names another one, which is taken."""
    for arguments in ((), ("--group", "again")):
        assert run("--until-end", *arguments).exit_code == ExitCode.DONE

    groups = [settings.kafka.group_id for settings, _ in service.runs]
    assert ["g-backfill", "again"] == groups
    assert [Span(), Span()] == [span for _, span in service.runs]


def test_it_begins_where_it_is_told_to(service: Service) -> None:
    """Whatever AUTO_OFFSET_RESET says for the service."""
    result = run(
        "--until-end", "--kafka-auto-offset-reset", "latest", "--from", "2026-11-01T00:00Z",
        "--to", "1500",
    )  # fmt: skip

    assert result.exit_code == 0, result.output
    [(settings, span)] = service.runs
    assert settings.kafka.auto_offset_reset == "earliest"
    assert Span(Bound(1_793_491_200_000, is_time=True), Bound(1500, is_time=False)) == span


def test_the_summary_goes_to_standard_output(service: Service) -> None:
    """As lines for programs, or as JSON."""
    assert "records\t3" in run("--until-end").stdout.splitlines()
    assert SUMMARY == json.loads(run("--until-end", "--json").stdout)
    assert 2 == len(service.runs)


def test_one_that_was_stopped_is_not_done(service: Service) -> None:
    """Whoever started it has to start it again, and reads what it has done."""
    service.result = STOPPED

    for arguments, lines in (((), "done\tFalse"), (("--json",), '"done": false,')):
        result = run("--until-end", *arguments)

        assert ExitCode.INTERRUPTED == result.exit_code
        assert lines in result.stdout
        assert "stopped before the end of the backfill; the same command goes on" in result.stderr


def test_one_that_was_stopped_before_it_began_has_no_summary(service: Service) -> None:
    """Its exit code is the same."""
    service.result = None

    result = run("--until-end")

    assert (ExitCode.INTERRUPTED, "") == (result.exit_code, result.stdout)
    assert "stopped before the end of the backfill; the same command goes on" in result.stderr


@pytest.mark.parametrize(("summary", "is_said"), [(SUMMARY, True), (STOPPED, False)])
def test_a_summary_that_cannot_be_written_is_not_the_work(
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    summary: dict[str, Any],
    is_said: bool,
) -> None:
    """All is committed; nobody needs to run it again for that."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    service.result = summary
    # The command has the name of its module.
    monkeypatch.setattr(import_module("service.cli.run"), "print_figures", full)

    result = run("--until-end")

    assert ExitCode.FAILED == result.exit_code
    assert "cannot write (No space left on device)" in result.stderr
    assert is_said == ("the backfill is done and committed" in result.stderr)


def test_a_check_says_how_a_span_was_understood(service: Service, tmp_path: Path) -> None:
    """On standard error, since the settings on standard output are JSON."""
    model = str(write_files(tmp_path / "model"))
    given = ("--until-end", "--from", "2026-11-01", "--to", "1500")

    result = run("--check-config", "--model-name", model, *given)

    assert 0 == result.exit_code, result.output
    assert "g-backfill" == json.loads(result.stdout)["kafka"]["group_id"]
    [line] = result.stderr.splitlines()
    start = "the first record at or after 2026-11-01T00:00:00Z"
    assert f"the backfill reads each partition from {start} up to offset 1500, without it" == line
    assert [] == service.runs


def test_the_breaker_ends_a_backfill(service: Service) -> None:
    """As it ends the service."""
    service.error = BreakerError("too many")

    assert ExitCode.BREAKER == run("--until-end").exit_code


def test_the_service_has_no_end(service: Service) -> None:
    """Stopped, it ends with 0 and without a summary."""
    service.result = None

    result = run()

    assert (0, "") == (result.exit_code, result.stdout)
    assert [None] == [span for _, span in service.runs]
    assert "g" == service.runs[0][0].kafka.group_id


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from", "5"), "add --until-end"),
        (("--to", "5"), "add --until-end"),
        (("--group", "x"), "add --until-end"),
        (("--json",), "add --until-end"),
        (("--until-end", "--group", "g"), "is the service's"),
        (("--until-end", "--group", ""), "is no name of a group"),
        (("--until-end", "--group", "a b"), "is no name of a group"),
        (("--until-end", "--from", "yesterday"), "give earliest, a time like"),
        (("--until-end", "--to", "2999-01-01"), "lies ahead"),
        (("--until-end", "--from", "5", "--to", "5"), "is not before"),
        (("--until-end", "--kafka-group-id", "x" * 245), "SENTIMENT_KAFKA__GROUP_ID with -back"),
        (("--until-end", "--from", "2999-01-01"), "lies ahead"),
        (("--until-end", "--to", "1793491260000"), "give a time like 2026-11-01T00:01:00Z"),
        (("--until-end", "--check-cluster", "--json"), "leave it out of a check"),
        (("--check-config", "--json"), "leave it out of a check"),
    ],
)
def test_wrong_flags_are_one_line(
    service: Service, arguments: tuple[str, ...], message: str
) -> None:
    """Before anything is started."""
    result = run(*arguments)

    assert result.exit_code == ExitCode.USAGE
    [line] = result.stderr.splitlines()
    assert message in line
    assert [] == service.runs
