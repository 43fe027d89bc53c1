# SPDX-License-Identifier: MIT
"""When something stands still, and when it is given up."""

from __future__ import annotations

import json

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v
from ansible_collections.rhpds.litemaas.plugins.module_utils._track import Track

STARTING = v.waiting("litellm", v.STARTING, "is starting")
CRASHING = v.trouble("litellm", v.CRASHING, "crashes")
CLAIMED = v.permanent("route", v.EXPOSING, "claimed", 15)


def look(track: Track, verdict: v.Verdict, now: float, *, explained: bool = False) -> bool:
    track.see(verdict, now)
    track.judge(verdict, now, explained=explained)
    return track.settled(verdict)


def test_time_counts_from_the_first_look_at_a_stage() -> None:
    track = Track()
    look(track, STARTING, 2)
    look(track, v.waiting("litellm", v.STARTING, "other words"), 9)
    assert track.since == 2
    look(track, CRASHING, 11)
    assert track.since == 11


def test_permanent_trouble_ends_the_wait_after_its_patience() -> None:
    track = Track()
    assert [look(track, CLAIMED, now) for now in (1, 10, 15.9, 16)] == [False, False, False, True]


def test_passing_trouble_never_ends_it() -> None:
    track = Track()
    assert not any(look(track, CRASHING, now, explained=True) for now in (1, 100, 10_000))


def test_a_recovery_starts_anew() -> None:
    track = Track()
    look(track, CLAIMED, 0)
    assert look(track, CLAIMED, 20)
    assert look(track, v.ready("litellm"), 21)
    assert track.ready_at == 21
    assert not look(track, CLAIMED, 22)
    assert track.ready_at is None


def test_only_what_knows_all_resets_the_patience() -> None:
    refused = v.permanent("postgres", v.ROLLING, "refused", 30)
    plain = v.waiting("postgres", v.ROLLING, "0 of 1 pods")
    track = Track()
    look(track, plain, 0)
    track.judge(refused, 1, explained=True)
    # A look before the events of the next slice are read shows plain waiting.
    look(track, plain, 10)
    track.judge(refused, 31, explained=True)
    assert track.given_up
    track.judge(plain, 32, explained=True)
    assert not track.given_up


@pytest.mark.parametrize(
    ("verdict", "age", "expected"),
    [
        (STARTING, 10, False),
        (STARTING, 20, True),
        (CRASHING, 2, False),
        (CRASHING, 3, True),
        (CLAIMED, 3, True),
        (v.ready("litellm"), 100, False),
    ],
)
def test_what_stands_still_is_explained(verdict: v.Verdict, age: float, expected: bool) -> None:
    track = Track()
    look(track, verdict, 5)
    assert track.worth_explaining(verdict, 5 + age) is expected


def test_the_next_slice_goes_on() -> None:
    track = Track()
    look(track, CLAIMED, 3)
    track.answered, track.via, track.models = True, "route", 2
    again = Track.resumed(json.loads(json.dumps(track.state())))
    assert again == track
    assert look(again, CLAIMED, 18)
