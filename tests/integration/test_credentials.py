# SPDX-License-Identifier: MIT
"""credentials against a real API server: born once, whatever happens in between."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels, _secret
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

from .conftest import MODULES, ROOT, Audit, RunModule

LITELLM, POSTGRES = "litellm-secret", "postgres-secret"
ODD = "p@s:s/w#r?d&%+=;, \"é$x'"
NewNamespace = Callable[..., str]


class Deployment:
    """Some instances, each in a namespace that does not exist yet, and a look at their Secrets."""

    def __init__(self, client: Client, new_namespace: NewNamespace, count: int = 1) -> None:
        self.client = client
        homes = [new_namespace(create=False) for _unused in range(count)]
        self.homes = homes
        self.instances: list[dict[str, Any]] = []
        manifests = []
        for number, home in enumerate(homes, 1):
            labels = _labels.ownership(homes[0], f"user{number}")
            # A plan's instance has more keys than are used here.
            instance = {"name": f"user{number}", "namespace": home, "labels": labels}
            self.instances.append({**instance, "litellm": {"replicas": 1}, "url": "https://x"})
            metadata = {"name": home, "labels": labels}
            manifests.append({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        self.arguments = {
            "instances": self.instances,
            "namespaces": "\n---\n".join(map(json.dumps, manifests)),
        }

    def data(self, name: str, number: int = 1) -> dict[str, str] | None:
        path = _secret.path(self.instances[number - 1]["namespace"], name)
        found = self.client.find(path)
        if found is None:
            return None
        return {
            key: base64.b64decode(value).decode() for key, value in (found["data"] or {}).items()
        }

    def everything(self) -> list[dict[str, str] | None]:
        return [
            self.data(name, number)
            for number in range(1, len(self.instances) + 1)
            for name in (LITELLM, POSTGRES)
        ]

    def writes(self, audit: Audit) -> list[str]:
        """What was written to its namespaces since the audit log's mark."""
        return [write for home in self.homes for write in audit.writes(containing=home)]

    def delete(self, name: str, number: int = 1) -> None:
        self.client.delete(_secret.path(self.instances[number - 1]["namespace"], name))


@pytest.fixture
def deploy(client: Client, new_namespace: NewNamespace) -> Callable[..., Deployment]:
    return lambda count=1: Deployment(client, new_namespace, count)


def actions(result: dict[str, Any]) -> set[str]:
    return {secret["action"] for secret in result["secrets"]}


def test_check_then_create_then_nothing(
    run_module: RunModule, deploy: Callable[..., Deployment], audit: Audit
) -> None:
    deployment = deploy(3)
    predicted = run_module("credentials", deployment.arguments, check=True, diff=True)
    assert predicted["changed"] and deployment.writes(audit) == []
    assert deployment.everything() == [None] * 6
    created = run_module("credentials", deployment.arguments, diff=True)
    assert created["changed"] and actions(created) == {"created"}
    assert {each["action"] for each in created["objects"]} == {"created"}
    assert [predicted[key] for key in ("secrets", "objects")] == [
        created[key] for key in ("secrets", "objects")
    ]
    born = deployment.everything()
    passwords = {json.dumps(data) for data in born}
    assert len(passwords) == 6  # an own one for each

    time.sleep(0.5)  # the audit log is written after the answer
    audit.mark()
    for check in (True, False):
        again = run_module("credentials", deployment.arguments, check=check, diff=True)
        assert not again["changed"] and actions(again) == {"unchanged"}
        assert again["instances"] == created["instances"]
        assert not any(entry["after"] for entry in again["diff"])
    assert deployment.writes(audit) == []
    home = deployment.instances[0]["namespace"]  # the deployment's name too, so in the selector
    uris = [entry["requestURI"] for entry in audit.entries(containing=home)]
    assert sum(uri.startswith("/api/v1/secrets?") for uri in uris) == 2
    assert not any("/secrets/" in uri for uri in uris)
    assert deployment.everything() == born


def test_runs_at_once_agree(run_module: RunModule, deploy: Callable[..., Deployment]) -> None:
    deployment = deploy(6)
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(run_module, "credentials", deployment.arguments) for _ in range(4)]
        results = [run.result() for run in runs]
    assert all(not result.get("failed") for result in results), results
    assert all(result["instances"] == results[0]["instances"] for result in results)
    for number in range(1, 7):
        litellm, postgres = deployment.data(LITELLM, number), deployment.data(POSTGRES, number)
        assert litellm and postgres
        assert litellm["DATABASE_URL"] == postgres["DATABASE_URL"]
        assert f":{postgres['POSTGRES_PASSWORD']}@" in litellm["DATABASE_URL"]
    assert not run_module("credentials", deployment.arguments)["changed"]


def test_a_killed_run_converges_with_the_same_credentials(
    run_module: RunModule, deploy: Callable[..., Deployment], kubeconfig: str, audit: Audit
) -> None:
    deployment = deploy(40)
    process = subprocess.Popen(
        [sys.executable, "-m", f"{MODULES}.credentials"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT / "collections"), "KUBECONFIG": kubeconfig},
    )
    assert process.stdin
    process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": deployment.arguments}).encode())
    process.stdin.close()
    # In the middle of the Secrets: the namespaces come first.
    homes = {instance["namespace"] for instance in deployment.instances}
    while not any(homes & set(write.split("/")) for write in audit.writes(containing="/secrets/")):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    left = deployment.everything()
    assert any(left) and not all(left), "it was not killed in the middle"
    result = run_module("credentials", deployment.arguments)
    assert "warnings" not in result
    for before, after in zip(left, deployment.everything(), strict=True):
        assert after and before in (None, after)


def test_given_values_replace_stored_ones(
    run_module: RunModule, deploy: Callable[..., Deployment]
) -> None:
    deployment = deploy()
    before = run_module("credentials", deployment.arguments)["instances"][0]["hashes"]
    given = {**deployment.arguments, "ui_password": ODD}
    login = run_module("credentials", given)
    hashes = login["instances"][0]["hashes"]
    assert [secret["updated"] for secret in login["secrets"]] == [["UI_PASSWORD"], []]
    assert hashes["litellm"] != before["litellm"] and hashes["postgres"] == before["postgres"]
    database = run_module("credentials", {**deployment.arguments, "database_password": ODD})
    assert [secret["updated"] for secret in database["secrets"]] == [
        ["DATABASE_URL"],
        ["POSTGRES_PASSWORD", "DATABASE_URL"],
    ]
    litellm, postgres = deployment.data(LITELLM), deployment.data(POSTGRES)
    assert litellm and postgres
    assert (litellm["UI_PASSWORD"], postgres["POSTGRES_PASSWORD"]) == (ODD, ODD)
    assert (
        litellm["DATABASE_URL"]
        == postgres["DATABASE_URL"]
        == (
            "postgresql://litellm:p%40s%3As%2Fw%23r%3Fd%26%25%2B%3D%3B%2C%20%22%C3%A9%24x%27"
            "@postgres:5432/litellm"
        )
    )
    assert not run_module("credentials", deployment.arguments)["changed"]


def test_other_keys_are_refused(run_module: RunModule, deploy: Callable[..., Deployment]) -> None:
    deployment = deploy(2)
    run_module("credentials", deployment.arguments)
    born = deployment.everything()
    for option in ("master_key", "salt_key"):
        result = run_module(
            "credentials", {**deployment.arguments, option: "sk-another-key-altogether"}
        )
        assert result["failed"]
        assert (
            f"{option} (in the role ocp4_workload_litemaas_litellm_{option}) differs"
            in result["msg"]
        )
        assert "user1, user2" in result["msg"]
        assert "another-key" not in json.dumps(result)
    assert deployment.everything() == born


@pytest.mark.parametrize("name", [LITELLM, POSTGRES])
def test_a_deleted_secret_follows_from_the_other(
    run_module: RunModule, deploy: Callable[..., Deployment], name: str
) -> None:
    deployment = deploy()
    run_module("credentials", deployment.arguments)
    before = {each: deployment.data(each) for each in (LITELLM, POSTGRES)}
    deployment.delete(name)
    result = run_module("credentials", deployment.arguments)
    assert "warnings" not in result  # there is no volume, so nothing was encrypted yet
    after = deployment.data(name)
    assert after and before[name] and after["DATABASE_URL"] == before[name]["DATABASE_URL"]
    assert deployment.data(POSTGRES) == before[POSTGRES]


def test_a_lost_salt_under_a_volume(
    run_module: RunModule, deploy: Callable[..., Deployment], client: Client
) -> None:
    deployment = deploy()
    run_module("credentials", deployment.arguments)
    home = deployment.instances[0]["namespace"]
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data-postgres-0"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "none",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    path = f"/api/v1/namespaces/{home}/persistentvolumeclaims/data-postgres-0"
    client.apply(path, claim, field_manager="tests")
    salt = (deployment.data(LITELLM) or {})["LITELLM_SALT_KEY"]
    client.request(
        "PATCH",
        _secret.path(home, LITELLM),
        body={"data": {"LITELLM_SALT_KEY": None}},
        content_type="application/merge-patch+json",
    )
    result = run_module("credentials", deployment.arguments)
    assert result["failed"] and "has lost its LITELLM_SALT_KEY" in result["msg"]
    result = run_module("credentials", {**deployment.arguments, "salt_key": salt})
    assert (deployment.data(LITELLM) or {})["LITELLM_SALT_KEY"] == salt
    deployment.delete(LITELLM)
    result = run_module("credentials", deployment.arguments)
    assert "litellm-secret was missing while the database's volume is there" in str(
        result["warnings"]
    )


def test_a_foreign_secret_is_left_alone(
    run_module: RunModule, deploy: Callable[..., Deployment], client: Client, audit: Audit
) -> None:
    deployment = deploy(2)
    home = deployment.instances[0]["namespace"]
    client.apply(
        f"/api/v1/namespaces/{home}",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": home}},
        field_manager="tests",
    )
    theirs = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": POSTGRES},
        "data": {"POSTGRES_PASSWORD": "dGhlaXJz"},
    }
    client.apply(_secret.path(home, POSTGRES), theirs, field_manager="tests")
    audit.mark()
    arguments = {"instances": deployment.instances[:1]}
    for check in (True, False):
        result = run_module("credentials", arguments, check=check)
        assert result["failed"] and "left untouched" in result["msg"]
        assert "theirs" not in json.dumps(result)
    assert deployment.writes(audit) == []
    # The other instance is served all the same.
    result = run_module("credentials", deployment.arguments)
    assert [each["name"] for each in result["failed_instances"]] == ["user1"]
    assert [each["name"] for each in result["instances"]] == ["user2"]
    assert deployment.data(LITELLM, 2)
    assert deployment.data(POSTGRES) == {"POSTGRES_PASSWORD": "theirs"}
    assert deployment.data(LITELLM) is None


def test_one_field_manager_owns_what_was_written(
    run_module: RunModule, deploy: Callable[..., Deployment], client: Client
) -> None:
    """So that a key which a later release no longer writes is taken away."""
    deployment = deploy()
    run_module("credentials", deployment.arguments)
    run_module("credentials", {**deployment.arguments, "ui_password": "another"})
    instance = deployment.instances[0]
    path = _secret.path(instance["namespace"], LITELLM)
    live = client.get(path)
    assert [
        (entry["manager"], entry["operation"]) for entry in live["metadata"]["managedFields"]
    ] == [("rhpds.litemaas", "Apply")]
    fewer = {
        key: value for key, value in (deployment.data(LITELLM) or {}).items() if "UI_" not in key
    }
    version = live["metadata"]["resourceVersion"]
    body = _secret.manifest(instance["namespace"], LITELLM, instance["labels"], fewer, version)
    client.apply(path, body, field_manager="rhpds.litemaas")
    assert deployment.data(LITELLM) == fewer


def test_few_rights_are_enough(
    run_module: RunModule, deploy: Callable[..., Deployment], client: Client, namespace: str
) -> None:
    """In a namespace that others made: get, create and patch Secrets, and nothing else."""
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    group = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "installer"}}
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "create", "patch"]}]
    client.apply(
        f"{rbac}/roles/installer", {**group, "kind": "Role", "rules": rules}, field_manager="tests"
    )
    api = "rbac.authorization.k8s.io"
    binding = {
        **group,
        "kind": "RoleBinding",
        "roleRef": {"apiGroup": api, "kind": "Role", "name": "installer"},
        "subjects": [{"apiGroup": api, "kind": "User", "name": "installer"}],
    }
    client.apply(f"{rbac}/rolebindings/installer", binding, field_manager="tests")
    user = {"impersonate_user": "installer", "impersonate_groups": ["system:authenticated"]}
    labels = _labels.ownership(namespace, namespace)
    instances = [{"name": namespace, "namespace": namespace, "labels": labels}]
    result = run_module("credentials", {"instances": instances, **user})
    assert actions(result) == {"created"}
    assert "read one by one" in result["notes"][0]
    result = run_module("credentials", {"instances": instances, **user})
    assert not result["changed"]
    told = run_module("credentials", {"instances": instances, "state": "read", **user})
    assert told["credentials"][namespace]["username"] == "admin"


def test_read(run_module: RunModule, deploy: Callable[..., Deployment]) -> None:
    deployment = deploy(2)
    arguments = {"instances": deployment.instances, "state": "read"}
    assert run_module("credentials", arguments, check=True)["missing"] == ["user1", "user2"]
    result = run_module("credentials", arguments)
    assert result["failed"] and "user1, user2: there are none yet" in result["msg"]
    run_module("credentials", {**deployment.arguments, "ui_username": "me"})
    result = run_module("credentials", arguments)
    data = deployment.data(LITELLM, 2) or {}
    assert result["credentials"]["user2"] == {
        "username": "me",
        "password": data["UI_PASSWORD"],
        "api_key": data["LITELLM_MASTER_KEY"],
        "virtual_keys": {},
        "passwords": {},
    }


def test_refused_values_are_all_named_and_none_is_shown(
    run_module: RunModule, deploy: Callable[..., Deployment], audit: Audit
) -> None:
    deployment = deploy()
    bad = {
        "database_password": "canary\n",
        "ui_password": 4711471147,
        "master_key": "canary-without-prefix",
        "salt_key": "canary",
    }
    result = run_module("credentials", {**deployment.arguments, **bad})
    assert result["failed"] and len(result["msg"].splitlines()) == len(bad)
    for option in bad:
        assert f"{option} " in result["msg"]
    assert "canary" not in json.dumps(result) and "4711471147" not in json.dumps(result)
    assert deployment.writes(audit) == []


def test_nothing_secret_comes_back(
    run_module: RunModule, deploy: Callable[..., Deployment]
) -> None:
    """Neither what was given nor what was generated, and names stay whole all the same."""
    deployment = deploy()
    home = deployment.instances[0]["namespace"]
    given = {
        "database_password": "canary-database",
        "ui_password": home,  # part of every name in the result
        "master_key": "sk-canary-master-key",
        "salt_key": "sk-canary-salt-key",
    }
    result = run_module("credentials", {**deployment.arguments, **given}, diff=True)
    assert "canary" not in json.dumps(result)
    assert {secret["namespace"] for secret in result["secrets"]} == {home}
    assert (deployment.data(LITELLM) or {})["UI_PASSWORD"] == home
    other = deploy()
    printed = json.dumps(run_module("credentials", other.arguments, diff=True))
    for data in other.everything():
        for key, value in (data or {}).items():
            assert key == "UI_USERNAME" or value not in printed
