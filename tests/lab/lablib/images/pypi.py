# SPDX-License-Identifier: MIT
"""Python packages for an image: downloaded by this machine's pip for the image's Python, not for this machine's."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

from .host import BuildError, run

# The image's interpreter is Debian 12's. Its glibc is 2.36.
_TARGET = [
    "--python-version=3.11",
    "--implementation=cp",
    "--only-binary=:all:",
    *(
        f"--platform={name}"
        for name in (
            "manylinux_2_34_x86_64",
            "manylinux_2_28_x86_64",
            "manylinux_2_27_x86_64",
            "manylinux2014_x86_64",
            "manylinux1_x86_64",
            "linux_x86_64",
        )
    ),
]


def _pip(scratch: Path, *, log: Path) -> list[str | Path]:
    """A pip of this machine: this interpreter's, or one of a virtual environment made for it."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    environment = scratch / "venv"
    if not environment.exists():
        if not importlib.util.find_spec("ensurepip"):
            program = shutil.which("pip3")
            if program:
                return [program]
            raise BuildError("pip is not installed. Install it with: apt-get install python3-pip")
        run(
            [sys.executable, "-m", "venv", environment],
            what="making an environment for pip",
            log=log,
        )
    return [environment / "bin" / "python", "-m", "pip"]


def pip(command: str, *arguments: str | Path, scratch: Path, log: Path, what: str) -> str:
    """Run pip's `command` for the image's Python and return its standard output."""
    return run(
        [
            *_pip(scratch, log=log),
            "--disable-pip-version-check",
            "--no-input",
            command,
            *_TARGET,
            *arguments,
        ],
        what=what,
        log=log,
        env={"PIP_ROOT_USER_ACTION": "ignore", "PIP_NO_WARN_SCRIPT_LOCATION": "1"},
    )
