# SPDX-License-Identifier: MIT
"""Long-running processes of a lab: started, found again, stopped; and never anybody else's.

Every process leaves a record: the boot's id and the process's own line of /proc/PID/stat, written by the process
itself before it becomes the program, so that a lab killed at any moment knows what it started. A pid counts only while boot
and start time are those of the record: a recycled pid is another process. Children that outlive their parent (a router, a
container's shim) are found by the variable MARKER in their environment.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MARKER = "LITEMAAS_LAB"
LOG_LIMIT = 20 * 2**20  # bytes; a longer log is put aside at the next start
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

# The record first, then the program; `$0` is the record's path.
_LAUNCH = 'read -r boot <"$1" && read -r stat <"/proc/$$/stat" && printf "%s\\n%s\\n" "$boot" "$stat" >"$0" && shift && exec "$@"'


@dataclass(frozen=True)
class Process:
    """A running process, told apart from a later one of the same pid by its start time (clock ticks since boot)."""

    pid: int
    started: int


@dataclass(frozen=True)
class Component:
    """A program that a lab runs; when one of its `inputs` (files) changes, the running one is no longer it."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    inputs: Sequence[Path] = ()

    @property
    def identity(self) -> str:
        """Two components of the same identity would behave the same."""
        contents = {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in self.inputs
        }
        return json.dumps([list(self.command), dict(self.environment), contents], sort_keys=True)


def parse_stat(line: str) -> tuple[int, str, int]:
    """(pid, state, start time) of a line of /proc/PID/stat, whose second field may itself hold blanks and brackets."""
    head, _, tail = line.rpartition(")")
    fields = tail.split()
    return int(head.split("(", 1)[0]), fields[0], int(fields[19])


def alive(pid: int, proc: Path = Path("/proc")) -> Process | None:
    """The process that has this pid now; None when there is none, or only a zombie."""
    try:
        _, state, started = parse_stat((proc / str(pid) / "stat").read_text())
    except (OSError, ValueError, IndexError):
        return None
    return None if state in "ZX" else Process(pid, started)


def recorded(text: str, boot: str) -> Process | None:
    """The process that a record speaks of; None when it is of another boot or incomplete."""
    lines = text.splitlines()
    if len(lines) != 2 or lines[0] != boot:
        return None
    try:
        pid, _, started = parse_stat(lines[1])
    except (ValueError, IndexError):
        return None
    return Process(pid, started)


def running(record: Path) -> Process | None:
    """The recorded process while it lives."""
    try:
        text = record.read_text()
    except OSError:
        return None
    process = recorded(text, BOOT_ID.read_text().strip())
    return process if process and alive(process.pid) == process else None


def start(component: Component, records: Path, logs: Path, marker: str) -> bool:
    """Start a component unless it runs already (False); one of another identity is replaced."""
    for directory in (records, logs):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    record, wanted = records / component.name, records / f"{component.name}.json"
    identity = component.identity
    process = running(record)
    if process:
        if wanted.exists() and wanted.read_text() == identity:
            return False
        stop([process])
    wanted.write_text(identity)
    log = logs / f"{component.name}.log"
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        child = subprocess.Popen(
            ["/bin/sh", "-c", _LAUNCH, str(record), str(BOOT_ID), *component.command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=records,
            env={**basic_environment(), **component.environment, MARKER: marker},
        )
    # The record must be there before anybody looks for it.
    for _ in range(500):
        if child.poll() is not None or running(record):
            break
        time.sleep(0.01)
    return True


def end(name: str, records: Path) -> None:
    """End a component for good: it no longer counts as started."""
    record = records / name
    process = running(record)
    if process:
        stop([process])
    for path in (record, records / f"{name}.json"):
        path.unlink(missing_ok=True)


def basic_environment() -> dict[str, str]:
    """What of the caller's environment a component gets: its proxies, credentials and locale are not the lab's business."""
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
        "LANG": "C.UTF-8"
    }


def marked(marker: str, proc: Path = Path("/proc")) -> list[Process]:
    """Every living process whose environment carries this marker, save ourselves and our parents."""
    wanted = f"{MARKER}={marker}".encode()
    return [process for process in _every(proc) if wanted in _environment(proc, process.pid)]


def inside(network_namespace: Path, proc: Path = Path("/proc")) -> list[Process]:
    """Every living process in this network namespace, save ourselves and our parents."""
    try:
        wanted = os.stat(network_namespace)
    except OSError:
        return []
    found = []
    for process in _every(proc):
        with contextlib.suppress(OSError):
            status = os.stat(proc / str(process.pid) / "ns/net")
            if (status.st_dev, status.st_ino) == (wanted.st_dev, wanted.st_ino):
                found.append(process)
    return found


def _every(proc: Path) -> list[Process]:
    pids = {int(entry.name) for entry in proc.iterdir() if entry.name.isdigit()} - set(
        _ancestors(proc)
    )
    return [process for pid in pids if (process := alive(pid, proc))]


def _ancestors(proc: Path) -> Iterable[int]:
    pid = os.getpid()
    while pid > 1:
        yield pid
        try:
            pid = int((proc / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return


def _environment(proc: Path, pid: int) -> list[bytes]:
    try:
        return (proc / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def send(process: Process, number: signal.Signals) -> None:
    """Signal exactly this process: the pidfd holds on to it while its start time is compared."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:
        return
    try:
        if alive(process.pid) == process:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, number)
    finally:
        os.close(descriptor)


def wait_gone(processes: Iterable[Process], seconds: float) -> list[Process]:
    """Those that still live after at most this many seconds."""
    left = list(processes)
    deadline = time.monotonic() + seconds
    while True:
        left = [process for process in left if alive(process.pid) == process]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


def stop(processes: Sequence[Process], grace: float = 10.0) -> list[Process]:
    """End processes, kindly first; returns those that even SIGKILL did not end within 5 seconds."""
    for process in processes:
        send(process, signal.SIGTERM)
    stubborn = wait_gone(processes, grace)
    for process in stubborn:
        send(process, signal.SIGKILL)
    return wait_gone(stubborn, 5.0)
