# SPDX-License-Identifier: MIT
"""One LIST a kind where that is allowed, one a namespace where it is not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _observation
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._observation import (
    Observation,
    Observer,
)

from .readiness_cluster import Cluster, instance, workloads

NAMES = ("user1", "user2", "user3")
HOMES = [f"lab-{name}" for name in NAMES]


@pytest.fixture(name="cluster")
def _cluster() -> Cluster:
    return Cluster(*[obj for name in (*NAMES, "other") for obj in workloads(name)])


def observe(cluster: Cluster, **more: Any) -> tuple[Observer, Observation]:
    observer, seen = Observer(cluster, HOMES, "a=b"), Observation()  # type: ignore[arg-type]
    observer.observe(_observation.WORKLOADS, seen, **more)
    return observer, seen


def test_one_list_for_all(cluster: Cluster) -> None:
    observer, seen = observe(cluster)
    assert sorted(cluster.calls) == ["/apis/apps/v1/deployments", "/apis/apps/v1/statefulsets"]
    assert [len(seen.of(home, "Deployment")) for home in HOMES] == [1, 1, 1]
    assert not seen.of("lab-other", "Deployment")
    assert not observer.forbidden


def test_forbidden_in_the_cluster_then_each_namespace(cluster: Cluster) -> None:
    cluster.refused = {"/apis/apps/v1/deployments": 403}
    observer, seen = observe(cluster)
    assert observer.forbidden == {"Deployment"}
    assert [len(seen.of(home, "Deployment")) for home in HOMES] == [1, 1, 1]
    cluster.calls.clear()
    observer.observe(_observation.WORKLOADS, Observation())
    assert "/apis/apps/v1/deployments" not in cluster.calls, "asked in vain again"
    assert not seen.unreadable


def test_forbidden_in_a_namespace_too(cluster: Cluster) -> None:
    cluster.refused = {
        "/apis/apps/v1/deployments": 403,
        "/apis/apps/v1/namespaces/lab-user2/deployments": 403,
    }
    _observer, seen = observe(cluster)
    assert list(seen.unreadable) == ["lab-user2"]
    _observer, seen = observe(cluster, required=False)
    assert not seen.unreadable


def test_few_namespaces_are_not_worth_the_cluster(cluster: Cluster) -> None:
    observe(cluster, within={"lab-user2"})
    assert all("/namespaces/lab-user2/" in path for path in cluster.calls)


def test_a_kind_the_cluster_does_not_have_is_empty(cluster: Cluster) -> None:
    cluster.refused = {"/apis/apps/v1/deployments": 404}
    _observer, seen = observe(cluster)
    assert not seen.of("lab-user1", "Deployment")
    assert seen.of("lab-user1", "StatefulSet")


def test_all_namespaces_where_none_are_known(cluster: Cluster) -> None:
    observer, seen = Observer(cluster, None, "a=b"), Observation()  # type: ignore[arg-type]
    observer.observe(_observation.WORKLOADS, seen)
    assert sorted(cluster.calls) == ["/apis/apps/v1/deployments", "/apis/apps/v1/statefulsets"]
    assert seen.namespaces == [*sorted({*HOMES, "lab-other"})]


def test_all_namespaces_need_a_permission(cluster: Cluster) -> None:
    cluster.refused = {"/apis/apps/v1/deployments": 403}
    observer, seen = Observer(cluster, None, "a=b"), Observation()  # type: ignore[arg-type]
    with pytest.raises(ApiError):
        observer.observe(_observation.WORKLOADS, seen)
    observer.observe(_observation.WORKLOADS, seen, required=False)
    assert seen.complete == {"StatefulSet"}


def test_what_was_seen_completely_is_not_read_again(cluster: Cluster) -> None:
    observer, seen = observe(cluster)
    cluster.calls.clear()
    observer.observe([*_observation.WORKLOADS, _observation.POD], seen)
    assert cluster.calls == ["/api/v1/pods"]


@pytest.mark.parametrize("more", [{"within": HOMES}, {"metadata": True}])
def test_a_part_of_it_is_not_all(cluster: Cluster, more: dict[str, Any]) -> None:
    _observer, seen = observe(cluster, **more)
    assert not seen.complete


@pytest.mark.parametrize("status", [0, 401, 500])
def test_no_answer_is_an_error(cluster: Cluster, status: int) -> None:
    cluster.refused = {"/apis/apps/v1/statefulsets": status}
    with pytest.raises(ApiError):
        observe(cluster)


def test_the_selector_is_what_all_share() -> None:
    both = _observation.common_selector([instance("user1"), instance("user2")])
    assert both == "app.kubernetes.io/managed-by=rhpds.litemaas,rhpds.litemaas/deployment=lab-user"
    assert "instance=user1" in _observation.common_selector([instance("user1")])
    with pytest.raises(LitemaasError, match="one plan"):
        _observation.common_selector([instance("user1"), {**instance("user2"), "labels": {}}])
    with pytest.raises(LitemaasError, match="empty"):
        _observation.common_selector([])
