# SPDX-License-Identifier: MIT
"""Instances found by their labels, and what is said of each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels, _status
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

from .readiness_cluster import Cluster, crashing_pod, workloads

IMAGE = "ghcr.io/berriai/litellm-non_root:v1.106.0"


def owned(name: str, *, ready: bool = True, image: str = IMAGE) -> list[dict[str, Any]]:
    """The workloads of an instance, with what the role puts on them."""
    objects = workloads(name, ready=ready)
    for obj in objects:
        obj["metadata"]["labels"] = _labels.ownership("lab-user", name)
        obj["metadata"]["creationTimestamp"] = "2026-03-02T08:15:00Z"
    gateway = objects[1]
    gateway["metadata"]["annotations"] = {_labels.VERSION: "0.2.0", _labels.EXPOSE: "none"}
    containers = [{"name": "litellm", "image": image}]
    gateway["spec"]["template"] = {"spec": {"containers": containers}}
    return objects


def namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def exposed(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": "litellm", "namespace": f"lab-{name}"}
    return {"kind": kind, "metadata": metadata, "spec": spec}


def read(cluster: Cluster, **more: Any) -> list[dict[str, Any]]:
    return _status.read(cluster, gateway=False, **more)  # type: ignore[arg-type]


def test_one_list_a_kind_whatever_the_number() -> None:
    cluster = Cluster(*[obj for n in range(1, 81) for obj in owned(f"user{n}")])
    found = read(cluster)
    assert [i["name"] for i in found][:3] == ["user1", "user2", "user3"]
    assert len(found) == 80
    assert all(i["ready"] for i in found)
    assert sorted(cluster.calls) == [
        "/api/v1/namespaces",
        "/api/v1/pods",
        "/apis/apps/v1/deployments",
        "/apis/apps/v1/statefulsets",
        "/apis/batch/v1/jobs",
        "/apis/networking.k8s.io/v1/ingresses",
        "/apis/route.openshift.io/v1/routes",
    ]


def test_what_is_said_of_one() -> None:
    (found,) = read(Cluster(*owned("user1")))
    assert found.pop("age") > 0
    assert found == {
        "name": "user1",
        "namespace": "lab-user1",
        "deployment": "lab-user",
        "ready": True,
        "phase": "ready",
        "component": "",
        "reason": "",
        "url": "http://litellm.lab-user1.svc:4000",
        "frontend_url": "",
        "via": "",
        "via_reason": "",
        "models": None,
        "version": "v1.106.0",
        "litemaas_version": "0.2.0",
        "created": "2026-03-02T08:15:00Z",
        "restarts": 0,
    }


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("quay.io/a/b:v1.2.3@sha256:" + "0" * 64, "v1.2.3"),
        ("quay.io/a/b@sha256:" + "0" * 64, "sha256:000000000000"),
        ("quay.io/a/b", ""),
        ("quay.io/A/b:1", ""),
    ],
)
def test_the_version_is_that_of_the_image(image: str, version: str) -> None:
    assert read(Cluster(*owned("user1", image=image)))[0]["version"] == version


def test_restarts_are_counted_and_reasons_told() -> None:
    pod = crashing_pod("user1")
    cluster = Cluster(*owned("user1", ready=False), pod, *owned("user2"))
    bad, good = read(cluster)
    assert (bad["ready"], bad["restarts"], bad["phase"]) == (False, 1, "crashing")
    assert "exit code 1" in bad["reason"]
    assert good["ready"]
    assert cluster.calls.count("/api/v1/pods") == 1


@pytest.mark.parametrize(
    ("kind", "spec", "url"),
    [
        ("Route", {"host": "a.example.com"}, "https://a.example.com"),
        ("Ingress", {"rules": [{"host": "b.example.com"}]}, "https://b.example.com"),
        ("Ingress", {}, ""),
    ],
)
def test_the_address_is_that_of_its_route(kind: str, spec: dict[str, Any], url: str) -> None:
    (found,) = read(Cluster(*owned("user1"), exposed(kind, "user1", spec)))
    assert found["url"] == url


def test_an_application_is_known_by_its_route() -> None:
    objects = [*owned("user1"), exposed("Route", "user1", {"host": "a.example.com"})]
    front = exposed("Route", "user1", {"host": "front.example.com"})
    front["metadata"]["name"] = "frontend"
    (found,) = read(Cluster(*objects, front))
    assert (found["url"], found["frontend_url"]) == (
        "https://a.example.com",
        "https://front.example.com",
    )
    assert (found["ready"], found["component"]) == (False, "backend")
    assert found["reason"] == "Deployment backend does not exist in namespace lab-user1"


def test_a_route_that_somebody_took_away() -> None:
    objects = owned("user1")
    objects[1]["metadata"]["annotations"][_labels.EXPOSE] = "route"
    (found,) = read(Cluster(*objects))
    assert (found["component"], found["phase"]) == ("route", "absent")
    assert found["reason"] == "Route litellm does not exist in namespace lab-user1"
    assert found["url"] == ""


def test_a_database_of_the_sites_is_not_missed() -> None:
    objects = owned("user1")
    without = [obj for obj in objects if obj["kind"] != "StatefulSet"]
    assert not read(Cluster(*without))[0]["ready"]
    objects[1]["metadata"]["annotations"][_labels.SECRETS] = "external_database"
    assert read(Cluster(*without))[0]["ready"]


def test_workloads_that_somebody_took_away() -> None:
    cluster = Cluster(namespace("lab-user1", **_labels.ownership("lab-user", "user1")))
    (found,) = read(cluster)
    assert (found["name"], found["deployment"], found["phase"]) == ("user1", "lab-user", "absent")
    assert (found["age"], found["created"], found["version"]) == (None, "", "")


def test_what_is_of_no_instance_is_none() -> None:
    managed = dict([_labels.MANAGED_BY])
    objects = workloads("other")
    for obj in objects:
        obj["metadata"]["labels"] = managed
    assert not read(Cluster(namespace("lab-other", **managed), *objects))


def test_nothing_at_all() -> None:
    assert not read(Cluster())


def test_user2_comes_before_user10_and_a_deployment_stays_together() -> None:
    cluster = Cluster(*[obj for n in (10, 2, 1) for obj in owned(f"user{n}")])
    other = owned("user3")
    for obj in other:
        obj["metadata"]["labels"] = _labels.ownership("a", "user3")
    cluster.objects += other
    found = [(i["deployment"], i["name"]) for i in read(cluster)]
    assert found == [("a", "user3"), *(("lab-user", f"user{n}") for n in (1, 2, 10))]


def test_who_may_not_list_the_cluster_is_told_to_name_namespaces() -> None:
    cluster = Cluster(*owned("user1"))
    cluster.refused = {f"/apis/apps/v1/{kind}": 403 for kind in ("deployments", "statefulsets")}
    with pytest.raises(LitemaasError, match="name the namespaces"):
        read(cluster)
    (found,) = read(cluster, namespaces=["lab-user1"])
    assert found["ready"]


def test_a_named_namespace_that_may_not_be_read_is_not_passed_over() -> None:
    cluster = Cluster(*owned("user1"), *owned("user2"))
    cluster.refused = {"/apis/apps/v1/namespaces/lab-user2": 403}
    good, bad = sorted(read(cluster, namespaces=["lab-user1", "lab-user2"]), key=_name)
    assert good["ready"]
    assert (bad["name"], bad["phase"], bad["restarts"]) == ("lab-user2", "unknown", 0)
    assert "answered 403" in bad["reason"]


def _name(instance: dict[str, Any]) -> str:
    return str(instance["namespace"])


def test_without_the_right_to_see_pods_restarts_are_not_known() -> None:
    cluster = Cluster(*owned("user1"))
    cluster.refused = {"/api/v1/pods": 403}
    assert read(cluster)[0]["restarts"] is None


@pytest.mark.parametrize("status", [0, 401, 500])
def test_no_answer_is_an_error(status: int) -> None:
    cluster = Cluster(*owned("user1"))
    cluster.refused = {"/apis/apps/v1/deployments": status}
    with pytest.raises(ApiError):
        read(cluster)


def test_ages_are_never_negative() -> None:
    now = datetime(2026, 3, 2, 8, 16, tzinfo=UTC)
    assert _status.age("2026-03-02T08:15:00Z", now) == 60
    assert _status.age("2026-03-02T08:17:00Z", now) == 0
    assert _status.age("", now) is None
