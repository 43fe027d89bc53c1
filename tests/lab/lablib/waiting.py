# SPDX-License-Identifier: MIT
"""Waiting for a component to answer, and telling why it does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from lablib import commands, process
from lablib.errors import LabError
from lablib.settings import Settings


def until(
    settings: Settings, components: Sequence[str], check: Callable[[], bool], timeout: float = 120
) -> None:
    """Return once `check` holds, which depends on these components.

    LabError with the end of the log when one of them dies, or the last named is not ready after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while not check():
        all_run(settings, components)
        if time.monotonic() > deadline:
            raise LabError(
                f"{components[-1]} is not ready after {timeout:.0f} s: {_log(settings, components[-1])}"
            )
        time.sleep(0.2)


def all_run(settings: Settings, components: Sequence[str]) -> None:
    """LabError with the end of its log when one does not run."""
    for name in components:
        if not process.running(settings.records / name):
            raise LabError(f"{name} ended: {_log(settings, name)}")


def _log(settings: Settings, component: str) -> str:
    log = settings.logs / f"{component}.log"
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            text = file.read().decode(errors="replace")
    except OSError:
        return f"no log {log}"
    return f"the end of {log}:\n{commands.tail(text)}"
