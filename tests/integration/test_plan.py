# SPDX-License-Identifier: MIT
"""The plan module against a real API server: what it finds there, what it needs, what it costs."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _capacity_read,
    _client,
    _labels,
    _node,
    _permissions,
    _plan,
    _resources,
)
from ansible_collections.rhpds.litemaas.plugins.modules import plan as module

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = yaml.safe_load(
    (ROOT / "tests/unit/plugins/module_utils/fixtures/settings.yml").read_text()
)
STORAGE_CLASS = "plan-test"
Plan = Callable[..., dict[str, Any]]


def changed(**changes: Any) -> dict[str, Any]:
    """The usual settings with other values by path; ``__`` stands for the dot."""
    settings = copy.deepcopy(SETTINGS)
    settings["postgres"]["storage_class"] = STORAGE_CLASS
    # Whether the cluster of the tests has room is asked by those tests alone that are about it.
    settings["ignore_capacity"] = True
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = settings
        for parent in parents:
            place = place[parent]
        place[last] = value
    return settings


@pytest.fixture(scope="module", autouse=True)
def storage_class(client: _client.Client) -> Iterator[None]:
    """A storage class of our own, so that the cluster's do not matter."""
    put(client, "storage.k8s.io/v1", "StorageClass", STORAGE_CLASS, provisioner="example.com/none")
    yield
    client.delete(f"/apis/storage.k8s.io/v1/storageclasses/{STORAGE_CLASS}")


@pytest.fixture
def home(client: _client.Client) -> Iterator[str]:
    """The name of a namespace that is absent; removed afterwards with what begins like it."""
    name = f"plan-{uuid.uuid4().hex[:8]}"
    yield name
    for namespace in client.list("/api/v1/namespaces", metadata=True):
        if namespace["metadata"]["name"].startswith(name):
            client.delete(f"/api/v1/namespaces/{namespace['metadata']['name']}")


@pytest.fixture
def plan(run_module: Callable[..., dict[str, Any]]) -> Plan:
    """Runs the module with changed settings: plan(namespace=…), as somebody else plan(connection, …)."""

    def run(connection: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        return run_module("plan", {**changed(**changes), **(connection or {})})

    return run


def put(
    client: _client.Client,
    api_version: str,
    kind: str,
    name: str,
    namespace: str = "",
    *,
    labels: dict[str, str] | None = None,
    **parts: Any,
) -> None:
    """Create or change an object."""
    metadata: dict[str, Any] = {"name": name, "labels": labels or {}}
    if namespace:
        metadata["namespace"] = namespace
    obj = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **parts}
    client.apply(_resources.object_path(obj), obj, field_manager="plan-test")


def workload(kind: str, labels: dict[str, str]) -> dict[str, Any]:
    """The spec of a Deployment or StatefulSet that runs nothing."""
    selector = {"app": "nothing"}
    container = {"name": "nothing", "image": "registry.example.com/nothing:1"}
    spec: dict[str, Any] = {
        "replicas": 0,
        "selector": {"matchLabels": selector},
        "template": {"metadata": {"labels": selector}, "spec": {"containers": [container]}},
    }
    if kind == "StatefulSet":
        spec["serviceName"] = "postgres"
        spec["volumeClaimTemplates"] = [
            {
                "metadata": {"name": "data", "labels": labels},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": STORAGE_CLASS,
                    "resources": {"requests": {"storage": "10Gi"}},
                },
            }
        ]
    return spec


def deployed(client: _client.Client, home: str, *, own: bool = True) -> None:
    """An instance as an earlier run would have left it, as far as the plan looks."""
    labels = _labels.ownership(home, home)
    put(client, "v1", "Namespace", home, labels=labels if own else {})
    for kind, name in (("StatefulSet", "postgres"), ("Deployment", "litellm")):
        put(client, "apps/v1", kind, name, home, labels=labels, spec=workload(kind, labels))


def test_a_first_run_plans_and_writes_nothing(
    plan: Plan, client: _client.Client, home: str, audit: Any
) -> None:
    result = plan(namespace=home)
    assert audit.entries(containing=home)
    assert audit.writes(containing=home) == []
    assert not result.get("failed"), result
    assert (result["changed"], result["problems"]) == (False, [])
    (instance,) = result["instances"]
    assert (instance["namespace"], instance["create_namespace"]) == (home, True)
    assert instance["postgres"]["storage_class"] == STORAGE_CLASS
    assert result["storage_class"]["name"] == STORAGE_CLASS
    assert result["summary"][0] == f"1 instance in {home}"
    assert client.find(f"/api/v1/namespaces/{home}") is None


def test_all_problems_at_once(plan: Plan, client: _client.Client, home: str) -> None:
    put(client, "v1", "Namespace", home)
    result = plan(
        namespace=home,
        route_name="R.",
        postgres__storage_class="no-such-class",
        postgres__storage_size="ten gigs",
        litellm__tag="v1.82.7",
        litellm__replicas=9,
        multi_user=True,
        num_users="abc",
        user_prefix="",
        credentials={"ocp4_workload_litemaas_litellm_master_key": "short"},
    )
    assert result["failed"]
    assert "instances" not in result
    assert [
        problem["variable"].removeprefix("ocp4_workload_litemaas_")
        for problem in result["problems"]
    ] == [
        "num_users",
        "route_name",
        "user_prefix",
        "litellm_replicas",
        "postgres_storage_size",
        "litellm_master_key",
        "litellm_tag",
        "postgres_storage_class",
    ]
    assert result["msg"].startswith("8 problems found before the start; nothing was created")
    assert STORAGE_CLASS in result["problems"][-1]["remedy"]


def test_an_api_that_cannot_be_reached_hides_no_other_problem(plan: Plan) -> None:
    elsewhere = {"host": "https://127.0.0.1:9", "api_key": "token"}
    result = plan(connection=elsewhere, namespace="X")
    first, second = result["problems"]
    assert first["variable"] == "ocp4_workload_litemaas_namespace"
    assert second["variable"] == "connection"
    assert "127.0.0.1:9" in result["msg"]


def test_a_foreign_namespace(plan: Plan, client: _client.Client, home: str) -> None:
    put(client, "v1", "Namespace", home)
    (problem,) = plan(namespace=home)["problems"]
    assert "exists and was not made by this collection" in problem["problem"]

    result = plan(namespace=home, use_existing_namespace=True)
    assert not result.get("failed"), result["msg"]
    assert result["instances"][0]["create_namespace"] is False

    put(client, "v1", "Secret", "litellm-secret", home)
    (problem,) = plan(namespace=home, use_existing_namespace=True)["problems"]
    assert "Secret litellm-secret" in problem["problem"]

    put(client, "apps/v1", "Deployment", "litellm", home, spec=workload("Deployment", {}))
    for use in (True, False):
        (problem,) = plan(namespace=home, use_existing_namespace=use)["problems"]
        assert "something else than this collection made" in problem["problem"]
        assert "pg_dump" in problem["remedy"]


def test_a_second_run_into_an_existing_namespace(
    plan: Plan, client: _client.Client, home: str
) -> None:
    deployed(client, home, own=False)
    labels = _labels.ownership(home, home)
    claim = workload("StatefulSet", labels)["volumeClaimTemplates"][0]["spec"]
    put(client, "v1", "PersistentVolumeClaim", "data-postgres-0", home, labels=labels, spec=claim)
    result = plan(namespace=home, use_existing_namespace=True)
    assert not result.get("failed"), result["msg"]
    (problem,) = plan(namespace=home)["problems"]
    assert "holds its instance" in problem["problem"]


def test_a_namespace_that_is_absent_but_should_exist(plan: Plan, home: str) -> None:
    (problem,) = plan(namespace=home, use_existing_namespace=True)["problems"]
    assert "no existing namespace" in problem["problem"]


def test_a_namespace_that_is_going_away(plan: Plan, client: _client.Client, home: str) -> None:
    put(client, "v1", "Namespace", home, labels=_labels.ownership(home, home))
    put(client, "v1", "ConfigMap", "held", home)
    held = {"metadata": {"finalizers": ["example.com/held"]}}
    path = f"/api/v1/namespaces/{home}/configmaps/held"
    merge = "application/merge-patch+json"
    client.request("PATCH", path, body=held, content_type=merge)
    client.delete(f"/api/v1/namespaces/{home}")
    try:
        (problem,) = plan(namespace=home)["problems"]
        assert "is being deleted" in problem["problem"]
    finally:
        client.request("PATCH", path, body={"metadata": {"finalizers": []}}, content_type=merge)


def test_a_namespace_of_another_deployment(plan: Plan, client: _client.Client, home: str) -> None:
    labels = _labels.ownership(f"{home}-other", "user1")
    put(client, "v1", "Namespace", f"{home}-user1", labels=labels)
    (problem,) = plan(namespace=home, multi_user=True, num_users=2)["problems"]
    assert f"of another deployment of this collection ({home}-other)" in problem["problem"]
    assert problem["value"] == f"{home}-user1"


def test_fewer_users_than_before(plan: Plan, client: _client.Client, home: str) -> None:
    for number in (1, 2, 3, 10):
        labels = _labels.ownership(f"{home}-user", f"user{number}")
        put(client, "v1", "Namespace", f"{home}-user{number}", labels=labels)
    result = plan(namespace=home, multi_user=True, num_users=2)
    assert result["surplus"] == [f"{home}-user3", f"{home}-user10"]
    assert any("Left alone" in line for line in result["summary"])

    # A single deployment of that name would have the users' label, and removing it take them along.
    (problem,) = plan(namespace=f"{home}-user")["problems"]
    assert "exists in another mode" in problem["problem"]


def test_a_volume_keeps_its_class_and_size(plan: Plan, client: _client.Client, home: str) -> None:
    deployed(client, home)
    result = plan(namespace=home, postgres__storage_class="")
    assert result["instances"][0]["postgres"]["storage_class"] == STORAGE_CLASS
    assert result["storage_class"]["reason"] == "the volume has it"
    assert result["storage_class"]["provisioner"] == "example.com/none"

    bigger = plan(namespace=home, postgres__storage_size="20Gi")
    (problem,) = bigger["problems"]
    assert problem["variable"] == "ocp4_workload_litemaas_postgres_storage_size"
    assert f"the volume in {home} has 10Gi" in problem["problem"]


def test_kept_data_is_taken_up_again(plan: Plan, client: _client.Client, home: str) -> None:
    labels = _labels.ownership(home, home)
    put(client, "v1", "Namespace", home, labels=labels)
    claim = workload("StatefulSet", labels)["volumeClaimTemplates"][0]["spec"]
    put(client, "v1", "PersistentVolumeClaim", "data-postgres-0", home, labels=labels, spec=claim)
    result = plan(namespace=home, postgres__storage_class="")
    assert result["instances"][0]["postgres"]["storage_class"] == STORAGE_CLASS
    assert plan(namespace=home, postgres__storage_access_mode="ReadWriteMany")["failed"]


def test_a_quota_that_is_too_small(plan: Plan, client: _client.Client, home: str) -> None:
    put(client, "v1", "Namespace", home)
    put(client, "v1", "ResourceQuota", "small", home, spec={"hard": {"requests.memory": "1Gi"}})
    limits = [{"type": "Container", "max": {"cpu": "500m"}}]
    put(client, "v1", "LimitRange", "range", home, spec={"limits": limits})
    problems = plan(namespace=home, use_existing_namespace=True)["problems"]
    assert {problem["variable"] for problem in problems} == {
        "ocp4_workload_litemaas_namespace",
        "ocp4_workload_litemaas_litellm_cpu_limit",
        "ocp4_workload_litemaas_postgres_cpu_limit",
    }
    assert "ResourceQuota small" in str(problems)


# Permissions


@pytest.fixture
def installer(
    client: _client.Client, home: str, kubeconfig: str, tmp_path: Path
) -> Iterator[Callable[..., dict[str, Any]]]:
    """A ServiceAccount's connection with the rules of a shipped file, less some verbs.

    installer("ClusterRole", without={("", "secrets", "patch")})
    """
    account = f"{home}-installer"
    group = "rbac.authorization.k8s.io"
    put(client, "v1", "Namespace", account)
    put(client, "v1", "ServiceAccount", "installer", account)
    subject = {"kind": "ServiceAccount", "name": "installer", "namespace": account}

    def connect(
        kind: str, namespace: str = "", without: set[tuple[str, str, str]] | None = None
    ) -> dict[str, Any]:
        shipped = _permissions.CLUSTER_ROLE if kind == "ClusterRole" else _permissions.ROLE
        document = yaml.safe_load((ROOT / shipped).read_text())
        assert document["kind"] == kind
        rules = [
            {"apiGroups": [api], "resources": [resource], "verbs": [verb]}
            for rule in document["rules"]
            for api in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
            if (api, resource, verb) not in (without or set())
        ]
        version = f"{group}/v1"
        put(client, version, kind, account, namespace, rules=rules)
        reference = {"apiGroup": group, "kind": kind, "name": account}
        binding = f"{kind}Binding"
        put(client, version, binding, account, namespace, roleRef=reference, subjects=[subject])
        _status, answer = client.request(
            "POST",
            f"/api/v1/namespaces/{account}/serviceaccounts/installer/token",
            body={"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
        )
        config = yaml.safe_load(Path(kubeconfig).read_text())
        token = {"token": answer["status"]["token"]}
        config["users"] = [{**user, "user": token} for user in config["users"]]
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return {"kubeconfig": str(path)}

    yield connect
    for kind in ("clusterrolebindings", "clusterroles"):
        client.delete(f"/apis/{group}/v1/{kind}/{account}")


def test_the_shipped_cluster_role_is_enough(
    plan: Plan, installer: Callable[..., Any], home: str
) -> None:
    connection = installer("ClusterRole")
    for expose in ({}, {"cluster__routes": False, "cluster__openshift": False}):
        for users in ({}, {"multi_user": True, "num_users": 3}):
            result = plan(connection, namespace=home, **expose, **users)
            assert not result.get("failed"), result["msg"]
            assert "warnings" not in result


@pytest.mark.parametrize("kind", ["ClusterRole", "Role"])
def test_the_shipped_rules_let_every_object_be_applied_and_deleted(
    installer: Callable[..., Any], client: _client.Client, home: str, kind: str
) -> None:
    labels = _labels.ownership(home, home)
    if kind == "Role":
        put(client, "v1", "Namespace", home)
        connected = _client.connect(installer(kind, home))
    else:
        connected = _client.connect(installer(kind))
        put(connected, "v1", "Namespace", home, labels=labels)
    for path, obj in objects(client, home, labels):
        for status in (201, 200):
            assert connected.apply(path, obj, field_manager=_labels.FIELD_MANAGER)[0] == status
        assert connected.find(path)
        assert connected.list(path.rpartition("/")[0], label_selector=_labels.selector(labels))
        connected.delete(path)
    if kind == "ClusterRole":
        connected.delete(f"/api/v1/namespaces/{home}")


def test_applying_something_new_needs_the_right_to_create_it(
    installer: Callable[..., Any], client: _client.Client, home: str
) -> None:
    put(client, "v1", "Namespace", home)
    connected = _client.connect(installer("Role", home, without={("", "secrets", "create")}))
    with pytest.raises(_client.ApiError) as error:
        put(connected, "v1", "Secret", "litellm-secret", home)
    assert error.value.status == 403
    put(client, "v1", "Secret", "litellm-secret", home)
    put(connected, "v1", "Secret", "litellm-secret", home, labels={"changed": "yes"})


def objects(
    client: _client.Client, home: str, labels: dict[str, str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The least object of each kind that we apply, with its path; Routes where there are any."""
    port = {"name": "http", "port": 4000}
    backend = {"service": {"name": "litellm", "port": {"name": "http"}}}
    bodies: dict[str, dict[str, Any]] = {
        "Service": {"spec": {"ports": [port]}},
        "Deployment": {"spec": workload("Deployment", labels)},
        "StatefulSet": {"spec": workload("StatefulSet", labels)},
        "NetworkPolicy": {"spec": {"podSelector": {}}},
        "Ingress": {"spec": {"defaultBackend": backend}},
        "Route": {"spec": {"host": "x.example.com", "to": {"kind": "Service", "name": "litellm"}}},
    }
    for api_version, kind, name in _labels.OBJECTS:
        if kind == "PersistentVolumeClaim" or not _resources.exists(client, api_version, kind):
            continue
        metadata = {"name": name, "namespace": home, "labels": labels}
        body = bodies.get(kind, {})
        obj = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}
        yield _resources.object_path(obj), obj


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (("", "namespaces", "create"), "create namespaces in the whole cluster"),
        (("", "namespaces", "patch"), "patch namespaces in {home}"),
        (("", "secrets", "patch"), "patch secrets in {home}"),
        (("apps", "statefulsets", "create"), "create statefulsets.apps in {home}"),
        (("apps", "deployments", "delete"), "delete deployments.apps in {home}"),
        (
            ("route.openshift.io", "routes/custom-host", "create"),
            "create routes.route.openshift.io/custom-host in {home}",
        ),
    ],
)
def test_exactly_what_is_missing_is_named(
    plan: Plan,
    installer: Callable[..., Any],
    home: str,
    missing: tuple[str, str, str],
    words: str,
) -> None:
    result = plan(installer("ClusterRole", without={missing}), namespace=home)
    (problem,) = result["problems"]
    assert problem["variable"] == "permissions"
    account = f"system:serviceaccount:{home}-installer:installer"
    assert problem["problem"] in (
        f"of {account} are missing: {words.format(home=home)}",
        f"are missing: {words.format(home=home)}",  # before SelfSubjectReview
    )
    assert "installer-clusterrole.yml" in problem["remedy"]


def test_a_missing_comfort_is_a_warning(
    plan: Plan, installer: Callable[..., Any], home: str
) -> None:
    without = {("", "services/proxy", "get"), ("", "pods/log", "get"), ("", "nodes", "list")}
    result = plan(installer("ClusterRole", without=without), namespace=home)
    assert not result.get("failed"), result["msg"]
    warnings = json.dumps(result["warnings"])
    assert "Not allowed to get services/proxy" in warnings
    assert "Not allowed to get pods/log" in warnings
    assert "Not allowed to list nodes in the whole cluster" in warnings
    assert result["room"]["fits"] is None


def test_the_shipped_role_is_enough_in_an_existing_namespace(
    plan: Plan, installer: Callable[..., Any], client: _client.Client, home: str
) -> None:
    put(client, "v1", "Namespace", home)
    connection = installer("Role", home)
    result = plan(connection, namespace=home, use_existing_namespace=True)
    assert not result.get("failed"), result["msg"]
    # Nodes and storage classes are the cluster's: the class that is named is taken on trust.
    storage, room = result["warnings"]
    assert STORAGE_CLASS in json.dumps(storage)
    assert "Not allowed to list nodes and pods in the whole cluster" in json.dumps(room)
    assert result["room"]["fits"] is None
    assert result["room"]["table"] == [
        "Room for 1 instance: unknown, not allowed to list nodes and pods."
    ]
    assert result["instances"][0]["postgres"]["storage_class"] == STORAGE_CLASS

    no_class = plan(
        connection, namespace=home, use_existing_namespace=True, postgres__storage_class=""
    )
    (problem,) = no_class["problems"]
    assert problem["variable"] == "ocp4_workload_litemaas_postgres_storage_class"

    deployed(client, home, own=False)
    again = plan(connection, namespace=home, use_existing_namespace=True)
    assert not again.get("failed"), again["msg"]


def test_the_shipped_role_is_not_enough_without_a_namespace(
    plan: Plan, installer: Callable[..., Any], client: _client.Client, home: str
) -> None:
    put(client, "v1", "Namespace", f"{home}-there")
    (problem,) = plan(installer("Role", f"{home}-there"), namespace=home)["problems"]
    assert problem["problem"].count(home) > 5
    assert "create namespaces in the whole cluster" in problem["problem"]


def test_somebody_without_rights(plan: Plan, home: str) -> None:
    result = plan({"impersonate_user": "nobody-in-particular"}, namespace=home, litellm__replicas=0)
    assert [problem["variable"] for problem in result["problems"]] == [
        "ocp4_workload_litemaas_litellm_replicas",
        "permissions",
    ]


# Whether there is room: tests/unit/plugins/module_utils/test_capacity.py has the verdicts


def test_what_has_no_room_is_refused_unless_that_is_to_be_ignored(plan: Plan, home: str) -> None:
    large = {"litellm__cpu_request": "200", "litellm__cpu_limit": "200"}
    refused = plan(namespace=home, ignore_capacity=False, **large)
    (problem,) = refused["problems"]
    assert problem["variable"] == "capacity"
    assert "CPU: 200.5 needed" in problem["problem"]
    assert refused["room"]["fits"] is False
    assert refused["report"][0] == f"1 instance in {home}"
    assert any("CPU requests" in line and "too little" in line for line in refused["report"])

    ignored = plan(namespace=home, **large)
    assert not ignored.get("failed"), ignored["msg"]
    assert "capacity of the cluster is too small" in json.dumps(ignored["warnings"])

    fits = plan(namespace=home, ignore_capacity=False)
    assert not fits.get("failed"), fits["msg"]
    assert "warnings" not in fits
    assert (fits["room"]["fits"], fits["room"]["fitting"]) == (True, 1)
    assert "700m CPU, 1.5Gi of memory, 2 pods needed" in fits["room"]["table"][0]


def bound_pod(
    client: _client.Client, home: str, name: str, node: str, labels: dict[str, str]
) -> str:
    """Put a pod onto a node, as no scheduler would; returns its path."""
    container = {
        "name": "c",
        "image": "registry.example.com/none:1",
        "resources": {"requests": {"cpu": "300m", "memory": "1Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"nodeName": node, "containers": [container], "securityContext": security}
    end = time.monotonic() + 30
    while True:  # OpenShift lets no pod into a namespace before it has a range of user ids
        try:
            put(client, "v1", "Pod", name, home, labels=labels, spec=spec)
            return f"/api/v1/namespaces/{home}/pods/{name}"
        except _client.ApiError as error:
            if error.status != 403 or time.monotonic() > end:
                raise
            time.sleep(0.2)


def set_status(client: _client.Client, path: str, **parts: Any) -> None:
    """Write an object's status, as its controller would."""
    content_type = "application/merge-patch+json"
    client.request("PATCH", f"{path}/status", body={"status": parts}, content_type=content_type)


def test_what_nodes_have_and_hold_is_read(client: _client.Client, home: str) -> None:
    # A node of our own that takes no pod at all, so that none of another test ever goes there.
    node, driver = f"{home}-node", f"{home}.example.com"
    cluster_wide = []

    def make(api_version: str, kind: str, **parts: Any) -> str:
        put(client, api_version, kind, node, **parts)
        metadata = {"name": node}
        path = _resources.object_path(
            {"apiVersion": api_version, "kind": kind, "metadata": metadata}
        )
        cluster_wide.append(path)
        return path

    try:
        put(client, "v1", "Namespace", home)
        put(client, "v1", "ServiceAccount", "default", home)
        allocatable = {"cpu": "3500m", "memory": "14Gi", "pods": "0"}
        set_status(
            client,
            make("v1", "Node"),
            allocatable=allocatable,
            capacity=allocatable,
            conditions=[{"type": "Ready", "status": "True"}],
        )
        drivers = [{"name": driver, "nodeID": node, "allocatable": {"count": 25}}]
        make("storage.k8s.io/v1", "CSINode", spec={"drivers": drivers})
        source = {"persistentVolumeName": node}
        attachment = {"attacher": driver, "nodeName": node, "source": source}
        make("storage.k8s.io/v1", "VolumeAttachment", spec=attachment)
        bound_pod(client, home, "another", node, {})
        own = {"rhpds.litemaas/deployment": home, "app.kubernetes.io/managed-by": "rhpds.litemaas"}
        bound_pod(client, home, "own", node, {"app": "litellm", **own})
        set_status(client, bound_pod(client, home, "ended", node, {}), phase="Succeeded")

        end = time.monotonic() + 30
        while True:  # a new node is tainted until its condition has been seen
            reading = _capacity_read.read(client, home, STORAGE_CLASS, driver)
            (found,) = [each for each in reading.nodes if each.name == node]
            if not found.closed or time.monotonic() > end:
                break
            time.sleep(0.5)
        assert found.closed == ""
        assert found.allocatable == _node.Amount(3500, 14 * 2**30, 0, 25)
        assert found.used == _node.Amount(300, 2**30, 1, 1)
        assert (reading.driver, reading.unknown) == (driver, [])

        (running,) = _capacity_read.own_pods(client, home, home)
        assert (running.app, running.node, running.ending) == ("litellm", node, False)
        assert running.amount == _node.Amount(300, 2**30, 1)
    finally:
        for name in ("another", "own", "ended"):
            # There is no kubelet to let them go.
            path = f"/api/v1/namespaces/{home}/pods/{name}"
            with suppress(_client.ApiError):
                client.request("DELETE", path, body={"gracePeriodSeconds": 0})
        for path in reversed(cluster_wide):
            client.delete(path)


# Secrets, documentation, and what it costs


def test_credentials_stay_out_of_the_result(plan: Plan, home: str) -> None:
    canary = "c4n4ry-V4lue!"
    given = {
        "ocp4_workload_litemaas_litellm_ui_password": canary,
        "ocp4_workload_litemaas_litellm_master_key": f"{canary}-key",
    }
    failed = plan(namespace=home, credentials=given)
    assert failed["failed"]
    assert canary not in json.dumps(failed)
    del given["ocp4_workload_litemaas_litellm_master_key"]
    passed = plan(namespace=home, credentials=given)
    assert not passed.get("failed"), passed["msg"]
    assert canary not in json.dumps(passed)


@pytest.mark.parametrize("password", ["litellm", "postgres", "2Gi", "apps.example.com"])
def test_a_password_that_is_a_piece_of_a_name_is_refused_readably(
    plan: Plan, home: str, password: str
) -> None:
    name = "ocp4_workload_litemaas_litellm_ui_password"
    result = plan(namespace=home, credentials={name: password})
    (problem,) = result["problems"]
    assert problem["variable"] == name
    assert name in result["msg"]


@pytest.mark.parametrize("flags", [[], ["--check", "--diff"]])
def test_the_examples_of_the_documentation_run(
    kubeconfig: str, tmp_path: Path, flags: list[str]
) -> None:
    playbook = tmp_path / "examples.yml"
    head = {"name": "Examples", "hosts": "localhost", "gather_facts": False}
    playbook.write_text(yaml.safe_dump([{**head, "tasks": yaml.safe_load(module.EXAMPLES)}]))
    run = subprocess.run(
        ["ansible-playbook", str(playbook), *flags],
        cwd=ROOT,
        env={**os.environ, "KUBECONFIG": kubeconfig, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "WARNING" not in run.stdout + run.stderr
    assert "changed=0" in run.stdout


def test_a_second_run_for_eighty_users_costs_the_requests_of_one(
    client: _client.Client, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = changed(namespace=home, multi_user=True, num_users=80)
    settings["multi_user_litellm"] = SETTINGS["multi_user_litellm"]

    def create(number: int) -> None:
        labels = _labels.ownership(f"{home}-user", f"user{number}")
        put(client, "v1", "Namespace", f"{home}-user{number}", labels=labels)

    sent: list[str] = []
    exchange = client._exchange

    def count(request: Any) -> Any:
        sent.append(request.path)
        return exchange(request)

    monkeypatch.setattr(client, "_exchange", count)
    first = _plan.make(settings, lambda: client)
    assert (first.problems, len(first.instances)) == ([], 80)
    assert len(sent) <= 80 + 10

    client.each(create, range(1, 81))
    sent.clear()
    second = _plan.make(settings, lambda: client)
    assert (second.problems, second.surplus, len(second.instances)) == ([], [], 80)
    assert len(sent) <= 11, sent
