# SPDX-License-Identifier: MIT
"""Progress on the terminal: lines, never a spinner, so that a CI log shows the same as a terminal."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

INTERVAL = 25.0  # seconds between two lines about the same long step


def clock(seconds: float) -> str:
    """90.4 → 1:30."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"


class Report:
    """Prints `[lab] text`; may be called from several threads."""

    def __init__(self, interval: float = INTERVAL) -> None:
        self._interval = interval
        self._lock = threading.Lock()

    def __call__(self, text: str) -> None:
        with self._lock:
            print(f"[lab] {text}", file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def during(self, what: str, expected: str = "") -> Iterator[None]:
        """Say that `what` begins (and about how long it takes), say so again while it goes on, and how long it took."""
        began = time.monotonic()
        done = threading.Event()
        text = f"{what}, {expected}" if expected else what

        def repeat() -> None:
            while not done.wait(self._interval):
                self(f"{text} ({clock(time.monotonic() - began)} so far)")

        self(text)
        thread = threading.Thread(target=repeat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
        self(f"{what}: done in {clock(time.monotonic() - began)}")
