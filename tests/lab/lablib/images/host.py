# SPDX-License-Identifier: MIT
"""Commands of the machine that builds, run with their output in a log; and a sign of life while something takes long."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from lablib.errors import LabError

Report = Callable[[str], None]

# A builder is never silent for longer than this, in seconds.
SIGN_OF_LIFE = 20.0


class BuildError(LabError):
    """An image could not be built; the message says which command failed and shows the end of its output."""


@contextlib.contextmanager
def signs_of_life(report: Report, every: float = SIGN_OF_LIFE) -> Iterator[Report]:
    """A `report` that repeats its last line, with the time since, whenever nothing was said for `every` seconds."""
    last = ("working", time.monotonic())
    spoken = threading.Condition()
    ended = False

    def speak(line: str) -> None:
        nonlocal last
        with spoken:
            last = (line, time.monotonic())
            spoken.notify()
        report(line)

    def watch() -> None:
        with spoken:
            while not ended:
                if not spoken.wait(every) and not ended:
                    line, since = last
                    report(f"  still: {line.strip()} ({time.monotonic() - since:.0f} s)")

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield speak
    finally:
        with spoken:
            ended = True
            spoken.notify()
        watcher.join()


def run(
    command: Sequence[str | Path],
    *,
    what: str,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run `command` to its end and return its standard output; its errors go to `log`.

    `what` names the work in the error: "installing the Python packages".
    """
    arguments = [str(part) for part in command]
    with log.open("ab") as errors:
        errors.write(f"+ {' '.join(arguments)}\n".encode())
        errors.flush()
        try:
            done = subprocess.run(
                arguments,
                cwd=cwd,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                check=False,
            )
        except FileNotFoundError as error:
            raise BuildError(f"{what}: {arguments[0]} is not installed") from error
    text = done.stdout.decode(errors="replace")
    if done.returncode:
        lines = [*log.read_text(errors="replace").splitlines(), *text.splitlines()]
        tail = "\n".join(lines[-15:])
        raise BuildError(
            f"{what}: {arguments[0]} ended with code {done.returncode}:\n{tail}\nAll of it: {log}"
        )
    return text
