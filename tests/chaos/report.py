"""The table at the end of a run, for the terminal and, the same, as Markdown. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import rich.table

from chaos.breaking.faults_upgrade import UPGRADE_FAULTS
from chaos.plan import FAULTS
from chaos.play import RECORD_FAULTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaos.plan import Controlled
    from chaos.play import Played

UPGRADED_BY = {fault.kind: fault.observed_by for fault in UPGRADE_FAULTS}
OBSERVED_BY = {kind: fault.observed_by for kind, fault in FAULTS.items()} | RECORD_FAULTS
# Each has a column of its own; what else was found counts as other.
JUDGED = ("lost", "doubled", "out of order")


class Table(NamedTuple):
    """Rows of text under a heading."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def rich(self) -> rich.table.Table:
        """For the terminal."""
        table = rich.table.Table(title=self.title, title_justify="left")
        for column in self.columns:
            table.add_column(column, overflow="fold")
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        """For a page."""
        lines = [self.columns, tuple("---" for _ in self.columns), *self.rows]
        table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        return f"### {self.title}\n\n{table}\n"


@dataclass(frozen=True)
class Report:
    """All that a run found out."""

    command: str
    seed: int
    seconds: float
    phases: Sequence[Played]
    controls: Sequence[Controlled]

    @property
    def records(self) -> int:
        """Records that were put in, those of the controls left out."""
        return sum(played.records for played in self.phases)

    @property
    def done(self) -> Counter[str]:
        """How often each kind of fault was done, those of the controls left out."""
        return sum((played.done for played in self.phases), Counter())

    @property
    def observed(self) -> Counter[str]:
        """How often its effect was seen."""
        return sum((played.observed for played in self.phases), Counter())

    def wrong(self, records: int, faults: int, *, every_kind: bool) -> list[str]:
        """Why the run does not pass: with too little in it, it proves nothing."""
        lines = [f"{p.part.name}: {line}" for p in self.phases for line in p.wrong]
        lines += [
            f"the control '{one.control.sabotage}' was not caught, or the honest service failed: "
            f"{one.honest.wrong}"
            for one in self.controls
            if not one.caught
        ]
        if self.records < records:
            lines.append(f"{self.records} records, at least {records} are wanted")
        if self.observed.total() < faults:
            lines.append(f"{self.observed.total()} faults observed, at least {faults} are wanted")
        if every_kind:
            lines += [f"never observed: {k}" for k in OBSERVED_BY if not self.observed[k]]
        return lines

    def tables(self) -> list[Table]:
        """Faults, phases, controls."""
        observed, done = self.observed, self.done
        faults: list[tuple[str, ...]] = [
            (kind, str(done[kind]), str(observed[kind]), how)
            for kind, how in (OBSERVED_BY | UPGRADED_BY).items()
            if done[kind]
        ]
        faults.append(("all", str(done.total()), str(observed.total()), ""))
        tables = [
            Table("Faults", ("fault", "done", "observed", "by what it was observed"), faults),
            Table("Phases", PHASE_COLUMNS, [_phase_row(played) for played in self.phases]),
        ]
        if self.controls:
            tables.append(
                Table(
                    "Negative controls", CONTROL_COLUMNS, [_control_row(c) for c in self.controls]
                )
            )
        return tables

    def headline(self) -> str:
        """The run in a line."""
        return (
            f"`{self.command}`, seed {self.seed}: {self.records:,} records, "
            f"{self.observed.total()} observed faults, {self.seconds / 60:.0f} minutes"
        )

    def markdown(self) -> str:
        """All of it."""
        return "\n".join([self.headline() + "\n", *(table.markdown() for table in self.tables())])


PHASE_COLUMNS = (
    "phase",
    "delivery",
    "engine",
    "records",
    "events",
    "dead letters",
    "aborted",
    *JUDGED,
    "other",
    "seconds",
)


def _phase_row(played: Played) -> tuple[str, ...]:
    counts = played.findings.counts
    other = sum(count for kind, count in counts.items() if kind not in JUDGED)
    return (
        played.part.name,
        played.part.mode,
        ", ".join(sorted(played.engines)) or "none",
        *(f"{n:,}" for n in (played.records, played.events, played.letters, played.aborted)),
        *(str(counts[kind]) for kind in JUDGED),
        str(other + len(played.problems)),
        f"{played.seconds:.0f}",
    )


CONTROL_COLUMNS = ("sabotage", "fault", "records", *JUDGED, "tries", "the same, not sabotaged")


def _control_row(one: Controlled) -> tuple[str, ...]:
    counts = one.sabotaged.findings.counts
    return (
        one.control.sabotage,
        ", ".join(fault.kind for fault in one.control.faults) or "oversized records",
        f"{one.sabotaged.records:,}",
        *(str(counts[kind]) for kind in JUDGED),
        str(one.tries),
        "; ".join(one.honest.wrong) or "nothing wrong",
    )
