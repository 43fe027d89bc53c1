# SPDX-License-Identifier: MIT
"""One run of a command against the lab, and all that was measured of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchlib import figures
from benchlib.audit import Request
from benchlib.cluster import ROOT, Cluster

BENCH = ROOT / "tests" / "bench"
USER_AGENT = "rhpds.litemaas"


class RunFailed(Exception):
    """A command ended with an error: what it measured would mean nothing."""


@dataclass(frozen=True)
class Run:
    """``seconds``: wall time. ``peak``: bytes. ``requests``: those of our client."""

    seconds: float
    cpu: float
    peak: int
    tasks: list[figures.Task] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    ready: float = 0.0  # when the last instance was complete, seconds since 1970

    @property
    def told(self) -> float:
        """Seconds of the user-info calls."""
        return figures.user_info(self.tasks)

    @property
    def own(self) -> float:
        return figures.own(
            self.seconds, self.told, figures.last_accepted(self.requests), self.ready
        )

    @property
    def writes(self) -> int:
        return sum(request.writes for request in self.requests)

    def task(self, name: str) -> float:
        """Seconds of the task of this name."""
        return sum(task.seconds for task in self.tasks if task.name == name)


class Runner:
    """Runs commands; their logs and figures go into a folder."""

    def __init__(self, cluster: Cluster, output: Path, say: Callable[[str], None]) -> None:
        self.cluster, self.output, self._say = cluster, output, say
        self._count = 0

    def command(
        self, name: str, *command: str | Path, environment: Mapping[str, str] | None = None
    ) -> Run:
        """Run a command inside the lab. Raises RunFailed."""
        self._count += 1
        base = self.output / f"{self._count:03d}-{name}"
        result, log, tasks = (base.with_suffix(end) for end in (".json", ".log", ".tasks"))
        audit = self.cluster.audit()
        measured = [sys.executable, BENCH / "measure.py", result, log, "--", *command]
        done = subprocess.run(
            self.cluster.inside(*measured),
            check=False,
            cwd=ROOT,
            env={**os.environ, "BENCH_TASKS": str(tasks), **(environment or {})},
        )
        if done.returncode:
            raise RunFailed(f"{name} failed with status {done.returncode}: {log}")
        found = json.loads(result.read_text(encoding="utf-8"))
        times = json.loads(tasks.read_text(encoding="utf-8")) if tasks.exists() else []
        run = Run(
            found["seconds"],
            found["cpu"],
            found["peak"],
            figures.tasks(times),
            audit.requests(USER_AGENT),
        )
        self._say(f"{name}: {run.seconds:.1f} s")
        return run

    def playbook(self, name: str, playbook: Path, variables: Mapping[str, Any]) -> Run:
        """Run a playbook with this environment's Ansible and the callback that notes the times."""
        arguments = self.output / "variables.json"
        arguments.write_text(json.dumps(variables), encoding="utf-8")
        return self.command(
            name,
            Path(sys.executable).with_name("ansible-playbook"),
            playbook,
            "-e",
            f"@{arguments}",
            environment={
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_CALLBACK_PLUGINS": str(BENCH / "callback_plugins"),
                "ANSIBLE_CALLBACKS_ENABLED": "bench_tasks",
            },
        )
