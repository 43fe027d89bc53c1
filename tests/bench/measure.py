#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`measure.py RESULT LOG -- CMD`: run CMD, its output into LOG, and write what it cost into RESULT, as JSON.

`seconds` (wall), `started` and `ended` (seconds since 1970), `cpu` (seconds, children included), `status`, and
`peak` (bytes): the most memory that CMD and all its descendants had together at one moment, pages that several
share counted once (PSS).
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

INTERVAL = 0.25  # seconds between two looks at the memory


def family(pid: int) -> Iterator[int]:
    """A process and its descendants."""
    yield pid
    with suppress(OSError, ValueError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from family(int(child))


def memory(pid: int) -> int:
    """Bytes of one process; 0 when it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


class Watch(threading.Thread):
    """Looks at the memory of a process and its descendants until it ends."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.peak, self.over = pid, 0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(INTERVAL):
            self.peak = max(self.peak, sum(map(memory, family(self.pid))))


def main() -> int:
    result, log, _dashes, *command = sys.argv[1:]
    with open(log, "w", encoding="utf-8") as stream:
        started, began = time.time(), time.monotonic()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
        )
        watch = Watch(process.pid)
        watch.start()
        status = process.wait()
        seconds = time.monotonic() - began
    watch.over.set()
    watch.join()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {
        "seconds": seconds,
        "started": started,
        "ended": started + seconds,
        "cpu": used.ru_utime + used.ru_stime,
        "status": status,
        "peak": watch.peak,
    }
    Path(result).write_text(json.dumps(found), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
