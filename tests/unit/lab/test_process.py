# SPDX-License-Identifier: MIT
"""Processes: ours are found and ended, others' never."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lablib import process
from lablib.process import Component, Process

BOOT = "11111111-2222-3333-4444-555555555555"
# Field 22, the start time, is 8423.
STAT = "4242 (%s) S 1 4242 4242 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 8423 1000 50 18446744073709551615"


@pytest.mark.parametrize("name", ["sleep", "a b", "x) R 1 1", "((", "kube-apiserver)"])
def test_a_programs_name_may_hold_anything(name: str) -> None:
    assert process.parse_stat(STAT % name) == (4242, "S", 8423)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{BOOT}\n{STAT % 'sh'}\n", Process(4242, 8423)),
        (f"another-boot\n{STAT % 'sh'}\n", None),
        (f"{BOOT}\n", None),  # its writer was killed
        (f"{BOOT}\n4242 (sh) S 1\n", None),
        ("", None),
    ],
)
def test_recorded(text: str, expected: Process | None) -> None:
    assert process.recorded(text, BOOT) == expected


@pytest.fixture
def marker() -> Iterator[str]:
    name = f"test-{os.getpid()}-{time.monotonic_ns()}"
    yield name
    process.stop(process.marked(name), 0)


def sleeper(name: str = "sleeper", seconds: int = 60) -> Component:
    return Component(name, [sys.executable, "-c", f"import time; time.sleep({seconds})"])


def test_started_once_found_again_and_stopped(tmp_path: Path, marker: str) -> None:
    record = tmp_path / "sleeper"
    assert process.start(sleeper(), tmp_path, tmp_path / "logs", marker)
    first = process.running(record)
    assert first
    assert not process.start(sleeper(), tmp_path, tmp_path / "logs", marker)
    assert process.running(record) == first
    assert process.stop([first]) == []
    assert process.running(record) is None


def test_another_command_or_input_replaces_it(tmp_path: Path, marker: str) -> None:
    config = tmp_path / "config"
    config.write_text("one")
    component = Component("sleeper", ["sleep", "60"], inputs=[config])
    assert process.start(component, tmp_path, tmp_path, marker)
    first = process.running(tmp_path / "sleeper")
    config.write_text("two")
    assert process.start(component, tmp_path, tmp_path, marker)
    second = process.running(tmp_path / "sleeper")
    assert first and second and first != second
    assert process.alive(first.pid) != first


def test_killed_is_started_again(tmp_path: Path, marker: str) -> None:
    process.start(sleeper(), tmp_path, tmp_path, marker)
    first = process.running(tmp_path / "sleeper")
    assert first
    os.kill(first.pid, signal.SIGKILL)
    process.wait_gone([first], 5)
    assert process.start(sleeper(), tmp_path, tmp_path, marker)
    assert process.running(tmp_path / "sleeper") not in (None, first)


def test_a_recycled_pid_is_another_process(tmp_path: Path) -> None:
    other = subprocess.Popen(["sleep", "60"])
    try:
        now = process.alive(other.pid)
        assert now
        past = Process(other.pid, now.started - 1)
        line = Path(f"/proc/{other.pid}/stat").read_text().rpartition(")")[2].split()
        line[19] = str(past.started)
        boot = process.BOOT_ID.read_text().strip()
        (tmp_path / "record").write_text(f"{boot}\n{other.pid} (sleep) {' '.join(line)}\n")
        assert process.running(tmp_path / "record") is None
        assert process.stop([past], 0.1) == []
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_zombie_does_not_run() -> None:
    child = subprocess.Popen(["true"])
    deadline = time.monotonic() + 5
    while process.alive(child.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.alive(child.pid) is None
    child.wait()


def test_orphans_are_found_by_the_marker_and_we_are_not(
    tmp_path: Path, marker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(process.MARKER, marker)  # of a child of ours, were there one
    orphan = Component("parent", ["/bin/sh", "-c", "sleep 61 & exec sleep 62"])
    process.start(orphan, tmp_path, tmp_path, marker)
    parent = process.running(tmp_path / "parent")
    assert parent
    deadline = time.monotonic() + 5
    while len(process.marked(marker)) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(parent.pid, signal.SIGKILL)
    process.wait_gone([parent], 5)
    left = process.marked(marker)
    assert len(left) == 1
    assert process.stop(left, 0) == []


def test_stubborn_ones_are_killed(tmp_path: Path, marker: str) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    process.start(Component("deaf", [sys.executable, "-c", code]), tmp_path, tmp_path, marker)
    deaf = process.running(tmp_path / "deaf")
    assert deaf
    deadline = time.monotonic() + 5
    while not (tmp_path / "deaf.log").read_text() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.stop([deaf], 0.2) == []
    assert process.alive(deaf.pid) != deaf


def test_the_callers_environment_stays_outside(
    tmp_path: Path, marker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example.com")
    process.start(Component("env", ["env"]), tmp_path, tmp_path, marker)
    deadline = time.monotonic() + 5
    while "LANG" not in (text := (tmp_path / "env.log").read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert "proxy" not in text
    assert f"{process.MARKER}={marker}" in text
