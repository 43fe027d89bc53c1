# SPDX-License-Identifier: MIT
"""The manifests module against a real API server: removing."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _resources
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

from .conftest import Audit, RunModule
from .test_manifests import OBJECTS, actions, as_admin_of, instance

Make = Callable[..., str]
DATA = ("Namespace", "PersistentVolumeClaim", "Secret")


def deployed(run_module: RunModule, namespaces: list[str], deployment: str) -> None:
    """Several instances of one deployment."""
    text = "\n---\n".join(instance(name, deployment) for name in namespaces)
    assert not run_module("manifests", {"manifests": text}).get("failed")


def absent(deployment: str, **options: Any) -> dict[str, Any]:
    selector = {"rhpds.litemaas/deployment": deployment}
    return {"state": "absent", "selector": selector, "wait_timeout": 60, **options}


def inside(namespace: str) -> str:
    """An instance without its Namespace."""
    documents = yaml.safe_load_all(instance(namespace))
    return yaml.safe_dump_all([d for d in documents if d and d["kind"] != "Namespace"])


def claim(namespace: str) -> dict[str, Any]:
    """What a StatefulSet leaves behind."""
    labels = {
        "app.kubernetes.io/managed-by": "rhpds.litemaas",
        "rhpds.litemaas/deployment": namespace,
    }
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data-postgres-0", "namespace": namespace, "labels": labels},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "no-such-class",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }


def exists(client: Client, namespace: str) -> bool:
    return client.find(f"/api/v1/namespaces/{namespace}") is not None


def test_everything_goes_and_only_that(
    run_module: RunModule, client: Client, new_namespace: Make, audit: Audit
) -> None:
    deployment = new_namespace(create=False)
    ours = [deployment, *(new_namespace(create=False) for _unused in range(2))]
    other = new_namespace(create=False)
    deployed(run_module, ours, deployment)
    deployed(run_module, [other], other)

    audit.mark()
    predicted = run_module("manifests", absent(deployment), check=True)
    assert audit.writes(containing=[*ours, other]) == []
    assert all(exists(client, name) for name in ours)

    result = run_module("manifests", absent(deployment))
    assert result["changed"] and result["summary"] == {"deleted": 3}
    assert (
        actions(result) == actions(predicted) == {f"Namespace {name}": "deleted" for name in ours}
    )
    assert not any(exists(client, name) for name in ours)
    assert exists(client, other)

    audit.mark()
    again = run_module("manifests", absent(deployment))
    assert not again["changed"] and again["objects"] == []
    assert audit.writes(containing=[*ours, other]) == []


def test_no_secret_is_even_read(run_module: RunModule, new_namespace: Make, audit: Audit) -> None:
    namespace = new_namespace(create=False)
    deployed(run_module, [namespace], namespace)
    audit.mark()
    run_module("manifests", absent(namespace, keep_data=True))
    entries = audit.entries(containing=namespace)
    assert not [e for e in entries if e["verb"] == "get" and "secrets" in e["requestURI"]]


def test_data_is_kept_and_taken_up_again(
    run_module: RunModule, client: Client, new_namespace: Make
) -> None:
    namespace = new_namespace(create=False)
    deployed(run_module, [namespace], namespace)
    volume = claim(namespace)
    client.apply(_resources.object_path(volume), volume, field_manager="tests")
    args = absent(namespace, keep_data=True)
    predicted = run_module("manifests", args, check=True)
    result = run_module("manifests", args)
    assert actions(result) == actions(predicted)
    assert result["summary"] == {"deleted": OBJECTS - 2, "kept": 3}
    kept = {obj["kind"] for obj in result["objects"] if obj["action"] == "kept"}
    assert kept == set(DATA)
    again = run_module("manifests", args)
    assert not again["changed"] and again["summary"] == {"kept": 3}

    text = instance(namespace)
    taken_up = run_module("manifests", {"manifests": text})
    assert taken_up["summary"] == {"created": OBJECTS - 2, "unchanged": 2}
    assert run_module("manifests", absent(namespace))["summary"] == {"deleted": 1}
    assert not exists(client, namespace)


def test_in_others_namespaces_only_ours_goes(
    run_module: RunModule, client: Client, new_namespace: Make
) -> None:
    namespace = new_namespace()
    theirs = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "theirs", "namespace": namespace},
        "data": {"a": "b"},
    }
    client.apply(_resources.object_path(theirs), theirs, field_manager="tests")
    volume = claim(namespace)
    client.apply(_resources.object_path(volume), volume, field_manager="tests")
    run_module("manifests", {"manifests": inside(namespace)})
    args = absent(namespace, namespaces=[namespace])
    predicted = run_module("manifests", args, check=True)
    result = run_module("manifests", args)
    assert actions(result) == actions(predicted)
    assert result["summary"] == {"deleted": OBJECTS}  # all but the Namespace, and the claim
    assert client.get(_resources.object_path(theirs))
    assert client.find(_resources.object_path(volume)) is None

    refused = run_module("manifests", args)
    assert refused["failed"] and f"Refused to remove {namespace}" in refused["msg"]
    again = run_module("manifests", {**args, "existing_namespaces": True})
    assert not again["changed"] and not again.get("failed")
    assert exists(client, namespace)


def test_with_rights_in_one_namespace_alone(
    run_module: RunModule, client: Client, new_namespace: Make, tmp_path: Path
) -> None:
    namespace = new_namespace()
    environment = {**as_admin_of(client, namespace, tmp_path), "HOME": str(tmp_path)}
    run_module("manifests", {"manifests": inside(namespace)}, environment=environment)
    result = run_module("manifests", absent(namespace), environment=environment)
    assert result["failed"] and "name its namespaces" in result["msg"]
    args = absent(namespace, namespaces=[namespace])
    result = run_module("manifests", args, environment=environment)
    assert result["summary"] == {"deleted": OBJECTS - 1}, result


def test_a_stuck_namespace_is_named_with_what_holds_it(
    run_module: RunModule, client: Client, new_namespace: Make
) -> None:
    deployment = new_namespace(create=False)
    ours = [deployment, new_namespace(create=False)]
    deployed(run_module, ours, deployment)
    blocked = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "blocked",
            "namespace": ours[1],
            "finalizers": ["example.com/block"],
        },
    }
    path = _resources.object_path(blocked)
    client.apply(path, blocked, field_manager="tests")
    began = time.monotonic()
    try:
        # Long enough for the cluster to find out by itself and write it down.
        result = run_module("manifests", absent(deployment, wait_timeout=25))
        assert result["failed"] and result["changed"]
        assert time.monotonic() - began > 24
        assert actions(result) == {
            f"Namespace {ours[0]}": "deleted",
            f"Namespace {ours[1]}": "failed",
        }
        assert not exists(client, ours[0])
        assert f"Namespace {ours[1]}: still there after 25 s: it holds" in result["msg"]
        assert "configmaps/blocked (finalizers: example.com/block)" in result["msg"]
        # The second run deletes nothing more, and waits for the same.
        again = run_module("manifests", absent(deployment, wait_timeout=1))
        assert again["failed"] and not again["changed"]
    finally:
        del blocked["metadata"]["finalizers"]  # type: ignore[attr-defined]
        client.request(
            "PATCH",
            path,
            body={"metadata": {"finalizers": None}},
            content_type="application/merge-patch+json",
        )
    result = run_module("manifests", absent(deployment))
    assert not result.get("failed") and not result["changed"]


@pytest.mark.parametrize("selector", [{}, None])
def test_without_labels_nothing_is_removed(run_module: RunModule, selector: Any) -> None:
    result = run_module("manifests", {**absent("x"), "selector": selector})
    assert result["failed"] and "selector must name at least one label" in result["msg"]
