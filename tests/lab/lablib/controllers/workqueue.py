# SPDX-License-Identifier: MIT
"""A queue of things to look at: each at most once, not before its time, never by two workers at the same moment."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

FIRST_RETRY = 0.2  # seconds; doubled at each failure
LAST_RETRY = 30.0

Item = TypeVar("Item", bound=Hashable)


class WorkQueue(Generic[Item]):
    """`add` from any thread; `get`, then `done` or `retry`, from the workers."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._condition = threading.Condition()
        self._heap: list[tuple[float, int, Item]] = (
            []
        )  # (due, running number, item); may hold outdated entries
        self._due: dict[Item, float] = {}  # what holds
        self._busy: set[Item] = set()
        self._failures: dict[Item, int] = {}
        self._counter = 0

    def add(self, item: Item, delay: float = 0.0) -> None:
        """Look at it in `delay` seconds, or earlier when that was asked for already."""
        with self._condition:
            due = self._clock() + delay
            if self._due.get(item, float("inf")) > due:
                self._due[item] = due
                if item not in self._busy:
                    self._push(item)

    def get(self) -> Item:
        """Wait for the next item that is due."""
        with self._condition:
            while True:
                item, wait = self._next()
                if item is not None:
                    return item
                self._condition.wait(wait)

    def next(self) -> Item | None:
        """The next item that is due; None when there is none now."""
        with self._condition:
            return self._next()[0]

    def done(self, item: Item) -> None:
        """It went well."""
        with self._condition:
            self._failures.pop(item, None)
            self._release(item)

    def retry(self, item: Item) -> float:
        """It failed: it comes again, later each time. Returns the delay in seconds."""
        with self._condition:
            count = self._failures.get(item, 0)
            self._failures[item] = count + 1
            delay = min(LAST_RETRY, FIRST_RETRY * 2.0**count)
            self._due[item] = min(self._clock() + delay, self._due.get(item, float("inf")))
            self._release(item)
            return delay

    def _release(self, item: Item) -> None:
        self._busy.discard(item)
        if item in self._due:  # added meanwhile
            self._push(item)

    def _push(self, item: Item) -> None:
        self._counter += 1
        heapq.heappush(self._heap, (self._due[item], self._counter, item))
        self._condition.notify()

    def _next(self) -> tuple[Item | None, float | None]:
        """(an item, None), or (None, seconds until the next one is due)."""
        while self._heap:
            due, _, item = self._heap[0]
            if item in self._busy or self._due.get(item) != due:  # an outdated entry
                heapq.heappop(self._heap)
                continue
            if due > self._clock():
                return None, due - self._clock()
            heapq.heappop(self._heap)
            del self._due[item]
            self._busy.add(item)
            return item, None
        return None, None
