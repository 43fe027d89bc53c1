# SPDX-License-Identifier: MIT
"""Short commands: run, checked, their error told in words."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

from lablib.errors import LabError


def run(
    command: Sequence[str],
    *,
    stdin: str | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float | None = 120,
    cwd: str | None = None,
) -> str:
    """The command's standard output; LabError with its last lines of standard error when it fails."""
    try:
        done = subprocess.run(
            list(command),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            check=False,
            env=None if environment is None else dict(environment),
            timeout=timeout,
            cwd=cwd,
        )
    except FileNotFoundError as error:
        raise LabError(f"{command[0]}: not found") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(command)}: no end after {timeout:.0f} s") from error
    if done.returncode:
        raise LabError(
            f"{' '.join(command)}: status {done.returncode}: {tail(done.stderr or done.stdout)}"
        )
    return done.stdout


def succeeds(command: Sequence[str], timeout: float = 30) -> bool:
    try:
        run(command, timeout=timeout)
    except LabError:
        return False
    return True


def tail(text: str, lines: int = 15) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
