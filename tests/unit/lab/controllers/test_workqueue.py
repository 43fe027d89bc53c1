# SPDX-License-Identifier: MIT
"""The queue in front of the controllers."""

from __future__ import annotations

import threading

from lablib.controllers.workqueue import FIRST_RETRY, LAST_RETRY, WorkQueue


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def queue() -> tuple[WorkQueue[str], Clock]:
    clock = Clock()
    return WorkQueue(clock), clock


def test_in_order_of_time_each_once() -> None:
    work, clock = queue()
    work.add("late", 2)
    work.add("soon", 1)
    work.add("soon", 5)
    assert work.next() is None
    clock.now = 1
    assert work.next() == "soon"
    assert work.next() is None
    clock.now = 9
    assert work.next() == "late"
    assert work.next() is None


def test_an_earlier_time_wins() -> None:
    work, clock = queue()
    work.add("a", 10)
    work.add("a", 1)
    clock.now = 1
    assert work.next() == "a"
    work.done("a")
    clock.now = 100
    assert work.next() is None


def test_what_is_worked_on_is_not_given_out_again_until_it_is_done() -> None:
    work, _ = queue()
    work.add("a")
    assert work.next() == "a"
    work.add("a")
    work.add("b")
    assert work.next() == "b"
    assert work.next() is None
    work.done("a")
    assert work.next() == "a"


def test_failures_come_again_later_and_later() -> None:
    work, clock = queue()
    work.add("a")
    delays = []
    for _ in range(12):
        assert work.next() == "a"
        delays.append(work.retry("a"))
        assert work.next() is None
        clock.now += delays[-1]
    assert delays[:3] == [FIRST_RETRY, 2 * FIRST_RETRY, 4 * FIRST_RETRY]
    assert delays[-1] == LAST_RETRY
    assert work.next() == "a"
    work.done("a")
    work.add("a")
    assert work.next() == "a"
    assert work.retry("a") == FIRST_RETRY  # success forgets the failures


def test_an_event_during_a_failure_is_not_delayed() -> None:
    work, _ = queue()
    work.add("a")
    assert work.next() == "a"
    work.add("a")
    work.retry("a")
    assert work.next() == "a"


def test_many_threads_do_everything_and_nothing_twice_at_once() -> None:
    work: WorkQueue[int] = WorkQueue()
    busy: set[int] = set()
    counts = dict.fromkeys(range(50), 0)
    lock, everything = threading.Lock(), threading.Event()

    def worker() -> None:
        while True:
            item = work.get()
            with lock:
                assert item not in busy
                busy.add(item)
            with lock:
                busy.discard(item)
                counts[item] += 1
            if counts[item] < 4:
                work.add(item, 0.001)
            work.done(item)
            if min(counts.values()) >= 4:
                everything.set()

    for _ in range(4):
        threading.Thread(target=worker, daemon=True).start()
    for item in counts:
        work.add(item)
    assert everything.wait(20)
