# SPDX-License-Identifier: MIT
"""The demo, as `make demo` runs it once the lab is up; and again, when everything is in place."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def demo(kubeconfig: str) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests/demo/demo.py")],
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
        env={
            **os.environ,
            "KUBECONFIG": kubeconfig,
            "LITEMAAS_DEMO_LAB": "0",
            "ANSIBLE_NOCOLOR": "1",
        },
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    return done.stdout


def credentials(output: str) -> list[str]:
    """What it says under "How to log in"."""
    return re.findall(r"^  (?:URL|User|Password|Master key|Virtual key) .*$", output, re.MULTILINE)


@pytest.fixture(scope="module")
def first(kubeconfig, play):
    play(remove=True)
    yield demo(kubeconfig)
    play(remove=True)


def test_it_chats_through_the_route_and_prints_how_to_log_in(first):
    assert "through the Route, TLS verified" in first
    assert re.search(r"lab-model: \S+", first)
    assert int(re.search(r"streamed: .*\((\d+) pieces", first).group(1)) > 1
    assert len(credentials(first)) == 5
    for name in (
        "Deploy LiteMaaS with the role",
        "Add a model over the API",
        "Make a virtual key for it",
    ):
        assert re.search(rf"^  {name} +\d+\.\d s$", first, re.MULTILINE)


def test_a_second_time_it_changes_nothing(first, kubeconfig, audit):
    audit.mark()

    second = demo(kubeconfig)

    assert re.search(r"changed=0 ", second)
    assert credentials(second) == credentials(first)
    homes = ["/namespaces/litemaas/", "/namespaces/litemaas?", "/namespaces/models"]
    assert audit.entries(containing=homes), "the audit log shows nothing of this run"
    assert audit.writes(containing=homes) == []
