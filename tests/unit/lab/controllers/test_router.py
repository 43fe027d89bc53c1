# SPDX-License-Identifier: MIT
"""When HAProxy is started, reloaded and left alone; a script stands for it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lablib.controllers.router import FIRST_PAUSE, LAST_PAUSE, Router

# Notes every call; a configuration "bad" is refused, "crash" ends at once; USR2 is noted.
SCRIPT = """#!/bin/sh
for last; do :; done
if [ "$1" = -c ]; then
  echo "check $(cat "$last")" >>"$0.calls"
  ! grep -q bad "$last"; exit
fi
echo "run $(cat "$last")" >>"$0.calls"
grep -q crash "$last" && exit 3
trap 'echo "reload $(cat "$last")" >>"$0.calls"' USR2
trap 'exit 0' TERM
touch "$0.ready"
while :; do sleep 0.02; done
"""


class Play:
    def __init__(self, folder: Path) -> None:
        self.now = 100.0
        self.script = folder / "haproxy"
        self.script.write_text(SCRIPT)
        self.script.chmod(0o755)
        self.router = Router(folder / "state", [str(self.script)], lambda: self.now)

    def calls(self) -> list[str]:
        path = Path(f"{self.script}.calls")
        return path.read_text().splitlines() if path.exists() else []

    def wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, self.calls()
            time.sleep(0.01)

    def up(self) -> None:
        self.wait(Path(f"{self.script}.ready").exists)


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    playing = Play(tmp_path)
    yield playing
    playing.router.stop()


def test_start_then_reload_only_when_changed(play: Play) -> None:
    assert play.router.serve("one")
    play.up()
    assert not play.router.serve("one")
    assert play.router.serve("two")
    play.wait(lambda: "reload two" in play.calls())
    assert play.calls() == ["check one", "run one", "check two", "reload two"]


def test_a_refused_configuration_leaves_the_one_that_runs(play: Play) -> None:
    play.router.serve("one")
    play.up()
    for _ in range(3):
        assert not play.router.serve("bad")
    assert play.calls() == ["check one", "run one", "check bad"]  # asked once, not at every turn
    play.now += LAST_PAUSE
    play.router.serve("bad")
    assert play.calls()[-1] == "check bad"
    assert len(play.calls()) == 4
    assert play.router.serve("two")
    play.wait(lambda: "reload two" in play.calls())


def test_a_refused_first_configuration_does_not_delay_the_next(play: Play) -> None:
    assert not play.router.serve("bad")
    assert play.router.serve("one")


def test_a_dead_router_is_started_again(play: Play) -> None:
    play.router.serve("one")
    play.up()
    play.now += 60
    assert play.router._child
    os.kill(play.router._child.pid, 9)
    play.router._child.wait()
    assert not play.router.serve("one")  # noticed
    play.now += FIRST_PAUSE
    assert play.router.serve("one")
    play.wait(lambda: play.calls() == ["check one", "run one", "check one", "run one"])


def test_one_that_dies_at_once_is_started_less_and_less_often(play: Play) -> None:
    starts = []
    for _ in range(4000):
        if play.router.serve("crash"):
            starts.append(play.now)
            assert play.router._child
            play.router._child.wait(10)
        play.now += 0.05
    pauses = [later - earlier for earlier, later in zip(starts, starts[1:], strict=False)]
    assert pauses[0] == pytest.approx(FIRST_PAUSE, abs=0.2)
    assert pauses[-1] == pytest.approx(LAST_PAUSE, abs=0.2)
    assert pauses == sorted(pauses)


def test_stop_ends_it(play: Play) -> None:
    play.router.serve("one")
    play.up()
    child = play.router._child
    assert child
    play.router.stop()
    assert child.poll() == 0


def test_nothing_to_stop(play: Play) -> None:
    play.router.stop()


def test_without_haproxy_nothing_is_fatal(tmp_path: Path) -> None:
    router = Router(tmp_path, ("setpriv", "--pdeathsig", "TERM", "no-such-program"))
    assert not router.serve("one")
