# SPDX-License-Identifier: MIT
"""Ranges of user ids for namespaces."""

from __future__ import annotations

from typing import Any

import pytest
from lablib.controllers.api import ApiError
from lablib.controllers.uid_range import (
    FIRST,
    GROUPS,
    LABEL,
    LAST,
    RESERVED,
    SIZE,
    UID_RANGE,
    UidRanges,
    free,
    range_annotations,
    taken,
)


def namespace(name: str, **annotations: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": "7", "annotations": dict(annotations)}}


@pytest.mark.parametrize(
    ("annotation", "number"),
    [
        ("1000650000/10000", {65}),
        ("1000000000/10000", {0}),
        ("1000650000-1000659999", {65}),
        ("1000655000/100", {65}),  # made by hand, inside a range of ours: that range is not free
        ("2000000000/10000", set()),
        ("500/10", set()),
        ("junk", set()),
        ("", set()),
    ],
)
def test_taken(annotation: str, number: set[int]) -> None:
    assert taken([namespace("a", **{UID_RANGE: annotation})]) == number


def test_taken_ignores_namespaces_without_annotations() -> None:
    assert (
        taken([{"metadata": {"name": "a"}}, {"metadata": {"name": "b", "annotations": None}}])
        == set()
    )


@pytest.mark.parametrize(
    ("used", "number"), [(set(), 65), ({65}, 66), ({65, 66, 68}, 67), ({0, 1, 2}, 65)]
)
def test_free_takes_the_lowest(used: set[int], number: int) -> None:
    assert free(used) == number


def test_no_range_left() -> None:
    with pytest.raises(ValueError, match="no range"):
        free(set(range(RESERVED, (LAST - FIRST) // SIZE + 1)))


def test_annotations_are_those_of_openshift() -> None:
    assert range_annotations(65) == {
        UID_RANGE: "1000650000/10000",
        GROUPS: "1000650000/10000",
        LABEL: "s0:c11,c10",
    }


def test_no_two_ranges_share_a_label() -> None:
    labels = {range_annotations(number)[LABEL] for number in range(2000)}
    assert len(labels) == 2000


class Cluster:
    """Namespaces that do not show at once what was written."""

    def __init__(self, *namespaces: dict[str, Any]) -> None:
        self.namespaces = {item["metadata"]["name"]: item for item in namespaces}
        self.written: dict[str, dict[str, str]] = {}
        self.fail = 0

    def get(self, key: tuple[str, str]) -> dict[str, Any] | None:
        return self.namespaces.get(key[1])

    def items(self) -> list[dict[str, Any]]:
        return list(self.namespaces.values())

    def patch(self, path: str, body: dict[str, Any]) -> None:
        if self.fail:
            self.fail -= 1
            raise ApiError(409, "conflict")
        assert body["metadata"]["resourceVersion"] == "7"
        self.written[path] = body["metadata"]["annotations"]


def test_each_namespace_gets_another_range() -> None:
    cluster = Cluster(
        namespace("a"), namespace("b"), namespace("c", **{UID_RANGE: "1000660000/10000"})
    )
    ranges = UidRanges(cluster, cluster)  # type: ignore[arg-type]
    for name in ("a", "b", "c", "gone"):
        ranges.reconcile("Namespace", ("", name))
    assert {path: item[UID_RANGE] for path, item in cluster.written.items()} == {
        "/api/v1/namespaces/a": "1000650000/10000",
        "/api/v1/namespaces/b": "1000670000/10000",
    }


def test_a_conflict_is_passed_on_so_that_it_is_tried_again() -> None:
    cluster = Cluster(namespace("a"))
    cluster.fail = 1
    ranges = UidRanges(cluster, cluster)  # type: ignore[arg-type]
    with pytest.raises(ApiError):
        ranges.reconcile("Namespace", ("", "a"))
    ranges.reconcile("Namespace", ("", "a"))
    assert [item[UID_RANGE] for item in cluster.written.values()] == ["1000650000/10000"]


def test_the_range_comes_a_moment_late() -> None:
    cluster = Cluster()
    ranges = UidRanges(cluster, cluster)  # type: ignore[arg-type]
    delays = [ranges.due("Namespace", ("", "a"))[1] for _ in range(50)]
    assert min(delays) >= 0.5
    assert max(delays) <= 1.0
