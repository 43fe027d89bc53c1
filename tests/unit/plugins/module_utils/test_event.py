# SPDX-License-Identifier: MIT
"""Which event speaks for an object, and what is left of its words."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _event

POD = {"metadata": {"name": "postgres-0", "uid": "now"}}


def event(reason: str, message: str, uid: str = "now", **times: Any) -> dict[str, Any]:
    return {"reason": reason, "message": message, "involvedObject": {"uid": uid}, **times}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], ""),
        ([event("Failed", "other object", uid="before")], ""),
        ([event("Other", "other reason")], ""),
        (
            [
                event("Failed", "new", lastTimestamp="2026-11-23T08:00:02Z"),
                event("Failed", "old", lastTimestamp="2026-11-23T08:00:01Z"),
            ],
            "new",
        ),
        (
            # A series of the events.k8s.io API has its last time elsewhere.
            [
                event(
                    "Failed",
                    "series",
                    eventTime="2026-11-23T08:00:00Z",
                    series={"lastObservedTime": "2026-11-23T08:09:00.000000Z"},
                ),
                event("Failed", "single", lastTimestamp="2026-11-23T08:05:00Z"),
            ],
            "series",
        ),
        ([event("Failed", "bare", metadata={"creationTimestamp": "2026-11-23T08:05:00Z"})], "bare"),
        ([event("Failed", "none at all"), event("Failed", "x", uid="before")], "none at all"),
    ],
)
def test_the_last_event_about_this_object_counts(events: Any, expected: str) -> None:
    assert _event.message(events, POD, "Failed") == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('Error creating: pods "x" is forbidden', 'pods "x" is forbidden'),
        ("(combined from similar events): Error creating: quota", "quota"),
        ("create Pod postgres-0 in StatefulSet postgres failed error: quota", "quota"),
        (
            "create Claim data-postgres-0 for Pod postgres-0 in StatefulSet postgres failed error: "
            "quota",
            "quota",
        ),
        ("Back-off restarting failed container", "Back-off restarting failed container"),
    ],
)
def test_introductions_are_left_out(message: str, expected: str) -> None:
    assert _event.message([event("R", message)], POD, "R") == expected
