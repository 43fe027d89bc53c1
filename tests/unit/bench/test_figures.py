# SPDX-License-Identifier: MIT
"""What the benchmark computes from what it measured."""

from __future__ import annotations

from typing import Any

import pytest
from benchlib import document, figures
from benchlib.audit import Request
from benchlib.runs import Run
from benchlib.scenarios import Extent, Results

MOMENT = "2026-11-24T15:00:10Z"
SECONDS = 1795532410.0


def pod(status: str = "True", kind: str = "Ready") -> dict[str, Any]:
    condition = {"type": kind, "status": status, "lastTransitionTime": MOMENT}
    return {
        "kind": "Pod",
        "metadata": {"namespace": "a", "name": "b"},
        "status": {"conditions": [condition]},
    }


def route(status: str = "True") -> dict[str, Any]:
    conditions = pod(status, "Admitted")["status"]["conditions"]
    return {**pod(), "kind": "Route", "status": {"ingress": [{"conditions": conditions}]}}


def write(answered: float, status: int = 201, uri: str = "/api/v1/namespaces/a") -> Request:
    return Request("patch", uri, status, answered)


def test_tasks_end_when_the_next_begins() -> None:
    found = figures.tasks(
        [
            [10.0, "include_role", "role"],
            [11.0, "x.y.agnosticd_user_info", "role : Hand out"],
            [14.5, "", ""],
        ]
    )
    assert found == [
        figures.Task("include_role", "role", 1.0),
        figures.Task("x.y.agnosticd_user_info", "Hand out", 3.5),
    ]
    assert figures.user_info(found) == 3.5


def test_the_last_accepted_write() -> None:
    requests = [
        write(10.0),
        write(12.0, 409),  # refused
        write(13.0, 200, "/api/v1/namespaces/a?dryRun=All"),
        Request("create", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", 201, 14.0),
        Request("list", "/api/v1/pods", 200, 15.0),
    ]
    assert figures.last_accepted(requests) == 10.0
    assert figures.last_accepted(requests[1:]) is None
    assert [request.writes for request in requests] == [True, True, False, False, False]


def test_a_removal_counts_from_its_last_deletion() -> None:
    hastened = Request("patch", "/api/v1/namespaces/a", 200, 30.0)
    requests = [Request("delete", "/api/v1/namespaces/a", 200, 11.0), hastened]
    assert figures.last_accepted(requests) == 11.0


def test_when_all_was_complete() -> None:
    later = pod()
    later["status"]["conditions"][0]["lastTransitionTime"] = "2026-11-24T15:00:17Z"
    assert figures.complete([pod(), route()]) == SECONDS
    assert figures.complete([pod(), later]) == SECONDS + 7


@pytest.mark.parametrize("obj", [pod("False"), pod(kind="Initialized"), route("False")])
def test_what_is_not_complete_has_no_time(obj: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a/b is not"):
        figures.complete([pod(), obj])


@pytest.mark.parametrize(
    ("wall", "told", "accepted", "ready", "own"),
    [
        (30.0, 4.0, 100.0, 112.0, 14.0),
        (30.0, 4.0, 100.0, 99.0, 26.0),  # complete before the last write: no time of the cluster's
        (7.0, 3.0, None, 0.0, 4.0),  # nothing was written
    ],
)
def test_own_time(
    wall: float, told: float, accepted: float | None, ready: float, own: float
) -> None:
    assert figures.own(wall, told, accepted, ready) == own


def test_further_cost() -> None:
    assert figures.per_user(10, 5.0, 1000, 54.5) == pytest.approx(50.0)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (638.4, "s", "638 s"),
        (9.62, "s", "9.6 s"),
        (55.3, "ms", "55 ms"),
        (0, "", "0"),
        (10, "s", "10 s"),
    ],
)
def test_numbers(value: float, unit: str, text: str) -> None:
    assert figures.number(value, unit) == text


def test_a_figure_is_the_median_and_judged_by_it() -> None:
    row = figures.at_most("x", "s", 10, [9.0, 30.0, 8.0])
    assert row == figures.Row("x", "at most 10 s", "9 s (8 s to 30 s)", True)
    assert figures.at_most("x", "s", 10, [11.0]).met is False


def test_what_was_not_measured_has_missed_its_target() -> None:
    found = document.rows(Results(), Extent(80, 10, 1000, 5, (), 1))
    assert [row for row in found if row.target and row.met is not False] == []
    assert "**no**" in figures.table(found)


def test_the_comparisons() -> None:
    ours, other = figures.Task("manifests", "Apply", 4.0), figures.Task("k8s", "Apply", 30.0)
    results = Results(
        loop={80: [Run(600.0, 0, 0)]},
        creation={80: [Run(20.0, 0, 0)]},
        applying={
            "rhpds.litemaas.manifests": [Run(5.0, 0, 0, [ours])],
            "kubectl": [Run(6.0, 0, 0)],
            "kubernetes.core.k8s": [Run(32.0, 0, 0, [other])],
        },
        keys={
            "rhpds.litemaas.gateway_content": [Run(4.0, 0, 0), Run(6.0, 0, 0), Run(5.0, 0, 0)],
            "a serial loop of uri": [Run(49.0, 0, 0)],
        },
    )
    loop, applying, keys, *_others = document.rows(results, Extent(80, 10, 1000, 5, ((80, 1),), 1))
    assert loop.met and "30 times" in loop.measured
    assert applying.met and "1.5 times as fast" in applying.measured
    assert keys.met is False and "9.8 times" in keys.measured
