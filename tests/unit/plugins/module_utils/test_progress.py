# SPDX-License-Identifier: MIT
"""The words a person reads while waiting, and afterwards."""

from __future__ import annotations

from ansible_collections.rhpds.litemaas.plugins.module_utils import _progress
from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v
from ansible_collections.rhpds.litemaas.plugins.module_utils._track import Standing, Track

from .readiness_cluster import instance


def standing(name: str, litellm: v.Verdict, since: float = 0.0, **track: object) -> Standing:
    verdicts = [v.ready("postgres"), litellm]
    kept = Track(since=since, **track)  # type: ignore[arg-type]
    return Standing(instance(name), verdicts, v.worst(verdicts), kept)


READY = v.ready("litellm")
STARTING = v.waiting("litellm", v.STARTING, "container litellm is starting")
LOST = v.permanent("litellm", v.IMAGE, "no such image", 60)


def test_one_instance() -> None:
    assert _progress.line([standing("user1", STARTING, 2)], 16.4) == (
        "lab-user: 1 instance: postgres 1/1 ready, litellm 0/1 ready; "
        "litellm (starting, 14 s): container litellm is starting; 16 s"
    )


def test_many_instances_name_the_slowest() -> None:
    rows = [
        standing("user1", READY),
        standing("user2", STARTING, 9),
        standing("user3", STARTING, 4),
        standing("user4", LOST, 1, given_up=True),
    ]
    assert _progress.line(rows, 30) == (
        "lab-user: 4 instances: postgres 4/4 ready, litellm 1/4 ready; "
        "slowest user3: litellm (starting, 26 s): container litellm is starting; "
        "1 given up, user4: no such image; 30 s"
    )


def test_all_ready() -> None:
    line = _progress.line([standing("user1", READY)], 3)
    assert line == "lab-user: 1 instance: postgres 1/1 ready, litellm 1/1 ready; 3 s"


def test_a_failure_names_every_instance_and_its_reason() -> None:
    rows = [standing("user1", READY), standing("user2", STARTING), standing("user3", LOST)]
    assert _progress.failure(rows, 600) == (
        "2 of 3 instances are not ready after 600 s:\n"
        "- user2 (namespace lab-user2): litellm (starting): container litellm is starting\n"
        "- user3 (namespace lab-user3): litellm (image): no such image"
    )
    assert _progress.failure(rows[2:], 70) == (
        "user3 is not ready after 70 s: litellm (image): no such image"
    )


def test_a_result_says_how_it_was_asked_only_when_it_answered() -> None:
    asked = {"via": "proxy", "via_reason": "no Route", "models": 3}
    row = _progress.result(standing("user1", READY, answered=True, ready_at=12.34, **asked), 20)
    assert row == {
        "name": "user1",
        "namespace": "lab-user1",
        "ready": True,
        "phase": "ready",
        "component": "",
        "reason": "",
        "url": "",
        "frontend_url": "",
        "via": "proxy",
        "via_reason": "no Route",
        "models": 3,
        "waited": 12.3,
    }
    row = _progress.result(standing("user1", STARTING, **asked), 20)
    assert (row["via"], row["models"], row["waited"]) == ("", 0, 20)


def test_nothing_seen_yet() -> None:
    line = _progress.line([], 7, OSError("Connection refused"))
    assert line == (
        "litemaas: nothing seen yet; the API server does not answer (Connection refused); 7 s"
    )
