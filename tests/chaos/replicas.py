"""The service's processes, and who starts them again when they end, as Kubernetes would.

A replica is a name that outlives its processes. What is done to them is not decided here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chaos.cluster import happens
from chaos.orders import ENGINE_VARIABLE, FOLDER_VARIABLE, SABOTAGE_VARIABLE, Orders
from tools.service_process import ServiceProcess, free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a pod waits before it is started again, cut short.
RESTART_SECONDS = 0.5
WATCH_SECONDS = 0.1
# Start, model, group, with three brokers and two more replicas on the same two cores; and three
# times the 40 s that the client gives a request on a connection that has died.
READY_SECONDS = 180
# The drain's own bound and the closing of all connections to brokers that do not answer.
STOP_SECONDS = 60
# The tree that replicas are of, unless they are of an older one.
HERE = Path(__file__).resolve().parents[2]


class Replica:
    """One named replica: its process of now, and how the earlier ones ended."""

    def __init__(
        self,
        name: str,
        folder: Path,
        settings: Mapping[str, str],
        own: Mapping[str, str],
        tree: Path = HERE,
    ) -> None:
        """Start nothing yet; `settings` are the service's, `own` variables are the harness's.

        `tree` has the code of the next process, and `more` are variables of it alone.
        """
        self.name = name
        self.tree = tree
        self.more: Mapping[str, str] = {}
        self.ends: list[int] = []
        self.wanted = False
        # Held by the one fault that is at work on it.
        self.taken = asyncio.Lock()
        self._folder = folder / name
        self._folder.mkdir()
        self.orders = Orders(self._folder)
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("SENTIMENT_")}
        self._environment |= {f"SENTIMENT_{k}": v for k, v in settings.items()}
        self._environment |= {FOLDER_VARIABLE: str(self._folder), "PYTHONUNBUFFERED": "1", **own}
        self.service: ServiceProcess | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process of now."""
        assert self.service is not None, f"replica {self.name} was not started"
        return self.service.process

    @property
    def older(self) -> bool:
        """Whether its process, or the next one, is of an older tree."""
        return self.tree != HERE

    @property
    def running(self) -> bool:
        """Whether there is a process."""
        return self.service is not None and self.process.poll() is None

    def start(self) -> None:
        """Start a process; does not wait for it."""
        port = free_port()
        log_file = self._folder / f"service-{len(self.ends)}.log"
        environment = {**self._environment, **self.more}
        environment |= {"SENTIMENT_HTTP__PORT": str(port), "SENTIMENT_HTTP__HOST": "127.0.0.1"}
        # The harness is this one, whichever service it wraps.
        environment["PYTHONPATH"] = f"{HERE / 'tests'}{os.pathsep}{self.tree}"
        if self.older:
            # It is of what this version does.
            environment[SABOTAGE_VARIABLE] = ""
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "chaos.breaking.wrapped"],
                # Before PYTHONPATH Python looks for modules here.
                cwd=self.tree,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.service = ServiceProcess(process, port, log_file)
        self.wanted = True

    def signal(self, number: int) -> None:
        """Send a signal, where there is a process."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def stopped(self) -> bool:
        """Whether the process stands still by SIGSTOP."""
        try:
            status = Path(f"/proc/{self.process.pid}/stat").read_text()
        except OSError:
            return False
        return status.rpartition(")")[2].split()[0] == "T"

    async def ready(self) -> bool:
        """Whether /readyz says yes."""
        service = self.service
        if service is None or not self.running or self.stopped():
            return False
        return (await asyncio.to_thread(service.get, "/readyz"))[0] == 200

    async def wait_ready(self) -> None:
        """Wait until it is ready.

        Raises:
            TimeoutError: it is not; its log then says what it waits for.
        """
        if await happens(self.ready, READY_SECONDS):
            return
        if self.running:
            self.signal(signal.SIGUSR1)
            await asyncio.sleep(1)
        log = self.service.log_file if self.service else "no log"
        raise TimeoutError(f"replica {self.name} is not ready in {READY_SECONDS} s; see {log}")

    async def metric(self, name: str, **labels: str) -> float:
        """A metric of the process of now; 0 where it does not answer."""
        if self.service is None:
            return 0.0
        return await asyncio.to_thread(self.service.metric, name, **labels)

    async def unready(self) -> str:
        """What /readyz gives as its reason; empty where it is ready or does not answer."""
        if self.service is None or not self.running or self.stopped():
            return ""
        status, text = await asyncio.to_thread(self.service.get, "/readyz")
        return text if status == 503 else ""

    def logged(self, text: str) -> int:
        """How many lines with this text all its processes have logged."""
        files = self._folder.glob("service-*.log")
        return sum(file.read_text(errors="replace").count(text) for file in files)

    def lines(self, event: str) -> list[dict[str, Any]]:
        """What all its processes have logged of an event, parsed."""
        files = sorted(self._folder.glob("service-*.log"))
        lines = [line for file in files for line in file.read_text(errors="replace").splitlines()]
        # What a library writes, and a line cut short by SIGKILL, is no JSON.
        whole = [line for line in lines if line.startswith("{") and line.endswith("}")]
        return [json.loads(line) for line in whole if event in line]


class Replicas:
    """All replicas of a group, watched."""

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str],
        names: str = "abc",
        engine: str = "",
        sabotage: str = "",
        tree: Path = HERE,
    ) -> None:
        """Start nothing yet; an empty engine is the service's own, an empty sabotage is none."""
        own = {ENGINE_VARIABLE: engine, SABOTAGE_VARIABLE: sabotage}
        self.all = [Replica(name, folder, settings, own, tree) for name in names]
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start all, and whatever ends by itself from here on."""
        for replica in self.all:
            replica.start()
        self._watching = asyncio.create_task(self._watch())
        await self.wait_ready()

    async def wait_ready(self) -> None:
        """Wait until all that are wanted are ready.

        Raises:
            TimeoutError: as for `Replica.wait_ready`.
        """
        await asyncio.gather(*(replica.wait_ready() for replica in self.all if replica.wanted))

    async def _watch(self) -> None:
        while True:
            for replica in self.all:
                if replica.wanted and not replica.running:
                    replica.ends.append(replica.process.returncode)
                    await asyncio.sleep(RESTART_SECONDS)
                    # Unless somebody has scaled it down meanwhile.
                    if replica.wanted:
                        replica.start()
            await asyncio.sleep(WATCH_SECONDS)

    async def scale_down(self, replica: Replica) -> int:
        """End one by SIGTERM for as long as it is not started again; gives its exit code."""
        replica.wanted = False
        replica.signal(signal.SIGTERM)
        code = await asyncio.to_thread(replica.process.wait, STOP_SECONDS)
        replica.ends.append(code)
        return code

    async def stop(self) -> list[int]:
        """End all by SIGTERM; gives their exit codes."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        running = [replica for replica in self.all if replica.running]
        return list(await asyncio.gather(*map(self.scale_down, running)))

    def kill(self) -> None:
        """End all without warning, whatever state they are in."""
        if self._watching is not None:
            self._watching.cancel()
        for replica in self.all:
            replica.wanted = False
            if replica.service is not None:
                replica.signal(signal.SIGKILL)
                replica.process.wait(STOP_SECONDS)
