# SPDX-License-Identifier: MIT
"""The manifests module against a real API server: applying."""

from __future__ import annotations

import base64
import copy
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _apply,
    _client,
    _compare,
    _manifest,
    _resources,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

from .conftest import ROOT, Audit, RunModule

INSTANCE = (Path(__file__).parent / "fixtures" / "instance.yml").read_text()
CANARY = "canary-4711"
CANARIES = (CANARY, base64.b64encode(b"x" + CANARY.encode())[4:12].decode())
KINDS = 12  # in an instance, the Services twice
OBJECTS = 12

Make = Callable[..., str]
Obj = dict[str, Any]


def instance(namespace: str, deployment: str = "") -> str:
    """The text of an instance, by default of a deployment of its own."""
    labels = (
        "app.kubernetes.io/managed-by: rhpds.litemaas, "
        f"rhpds.litemaas/deployment: {deployment or namespace}"
    )
    return INSTANCE.replace("NAMESPACE", namespace).replace("LABELS", labels)


def parsed(client: Client, text: str) -> list[Obj]:
    return _manifest.load(text, partial(_resources.resolve, client))


def live(client: Client, text: str) -> dict[str, Obj | None]:
    """The live objects of a text, by label."""
    return {
        _manifest.label(obj): client.find(_resources.object_path(obj))
        for obj in parsed(client, text)
    }


def versions(client: Client, text: str) -> dict[str, str]:
    return {
        label: obj["metadata"]["resourceVersion"]
        for label, obj in live(client, text).items()
        # Controllers write into the others, on OpenShift a moment after they were made.
        if obj and obj["kind"] not in ("Deployment", "Namespace", "ServiceAccount", "StatefulSet")
    }


def actions(result: dict[str, Any]) -> dict[str, str]:
    return {
        f"{obj['kind']} {obj['namespace'] + '/' if obj['namespace'] else ''}{obj['name']}": obj[
            "action"
        ]
        for obj in result["objects"]
    }


def edited(text: str, kind: str, change: Callable[[Obj], Any], name: str = "") -> str:
    """The text with one of its objects changed."""
    documents = list(yaml.safe_load_all(text))
    (found,) = [
        d for d in documents if d and d["kind"] == kind and name in ("", d["metadata"]["name"])
    ]
    change(found)
    return yaml.safe_dump_all(documents)


def test_predicted_created_and_then_left_alone(
    run_module: RunModule, client: Client, new_namespace: Make, audit: Audit
) -> None:
    namespace = new_namespace(create=False)
    args = {"manifests": instance(namespace)}

    predicted = run_module("manifests", args, check=True, diff=True)
    assert audit.writes(containing=namespace) == []
    assert client.find(f"/api/v1/namespaces/{namespace}") is None

    created = run_module("manifests", args, diff=True)
    assert set(actions(created).values()) == {"created"}
    assert actions(predicted) == actions(created)
    assert created["changed"] and created["summary"] == {"created": OBJECTS}
    assert len(predicted["diff"]) == len(created["diff"]) == OBJECTS
    assert all(live(client, args["manifests"]).values())

    before = versions(client, args["manifests"])
    audit.mark()
    again = run_module("manifests", args, diff=True)
    predicted = run_module("manifests", args, check=True, diff=True)
    for result in (again, predicted):
        assert result["summary"] == {"unchanged": OBJECTS}
        assert not result["changed"] and result["diff"] == []
    # Not even a rehearsal: what was sent is recognised in what came back.
    assert {entry["verb"] for entry in audit.entries(containing=namespace)} <= {"get", "list"}
    assert versions(client, args["manifests"]) == before


def test_secrets_are_never_shown(
    run_module: RunModule, new_namespace: Make, client: Client
) -> None:
    namespace = new_namespace(create=False)
    text = instance(namespace)
    changed = text.replace("litellm:canary", "other:canary")
    wrong = edited(text, "Secret", lambda obj: obj.update(type="kubernetes.io/tls", stringData=None, data={"tls.key": "Y2FuYXJ5LTQ3MTE="}))  # fmt: skip
    broken = text.replace("stringData: {", "data: {")
    mangled = text.replace('"postgresql', '*"postgresql')
    results = [
        run_module("manifests", {"manifests": text}, check=True, diff=True),
        run_module("manifests", {"manifests": text}, diff=True),
        run_module("manifests", {"manifests": changed}, check=True, diff=True),
        run_module("manifests", {"manifests": changed}, diff=True),
    ]
    assert [result["changed"] for result in results] == [True] * 4
    assert results[3]["summary"] == {"configured": 1, "unchanged": OBJECTS - 1}
    for result in results[2:]:
        (entry,) = result["diff"]
        assert yaml.safe_load(entry["before"])["data"] == {"DATABASE_URL": "(hidden)"}
        assert yaml.safe_load(entry["after"])["data"] == {"DATABASE_URL": "(hidden, changed)"}
    for failing in (wrong, broken, mangled):
        results.append(run_module("manifests", {"manifests": failing}, diff=True))
        assert results[-1]["failed"], results[-1]
    for result in results:
        said = json.dumps(result)
        assert not any(canary in said for canary in (*CANARIES, "Y2FuYXJ5"))
    annotations = live(client, text)[f"Secret {namespace}/litellm-secret"]["metadata"]["annotations"]  # type: ignore[index]
    (wanted,) = [obj for obj in parsed(client, text) if obj["kind"] == "Secret"]
    assert annotations == {"rhpds.litemaas/applied-hash": _compare.applied_hash(wanted)}


DRIFTS: list[tuple[str, str, str, Obj]] = [
    ("a value", "ConfigMap", "litellm-config", {"data": {"config.yaml": "theirs"}}),
    ("a value gone", "ConfigMap", "litellm-config", {"data": {"config.yaml": None}}),
    ("a credential", "Secret", "litellm-secret", {"data": {"DATABASE_URL": "dGhlaXJz"}}),
    ("a label gone", "Service", "litellm", {"metadata": {"labels": {"rhpds.litemaas/deployment": None}}}),
    ("a selector", "Service", "litellm", {"spec": {"selector": {"theirs": "x"}}}),
    ("scaled", "Deployment", "litellm", {"spec": {"replicas": 3}}),
    ("a door opened", "NetworkPolicy", "postgres", {"spec": {"ingress": [{}]}}),
    ("a door more", "NetworkPolicy", "postgres", {"spec": {"ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "litellm"}}}], "ports": [{"port": 5432}, {"port": 22}]}]}}),
    ("a token mounted", "ServiceAccount", "litellm", {"automountServiceAccountToken": None}),
    ("a right more", "Role", "litellm", {"rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}]}),
    ("another host", "Ingress", "litellm", {"spec": {"rules": [{"host": "theirs.example.com"}]}}),
]  # fmt: skip


def patch(client: Client, obj: Obj, change: Obj, kind: str = "merge-patch") -> None:
    client.request(
        "PATCH",
        _resources.object_path(obj),
        body=change,
        content_type=f"application/{kind}+json",
        query={"fieldManager": "somebody"},
    )


def test_what_drifted_is_repaired_and_nothing_else(client: Client, new_namespace: Make) -> None:
    objects = parsed(client, instance(new_namespace(create=False)))
    _apply.apply(client, objects)
    by_name = {(obj["kind"], obj["metadata"]["name"]): obj for obj in objects}
    for what, kind, name, change in DRIFTS:
        patch(client, by_name[kind, name], change)
        predicted = _apply.apply(client, objects, dry_run=True)
        repaired = _apply.apply(client, objects)
        assert repaired.summary() == {"configured": 1, "unchanged": OBJECTS - 1}, what
        assert repaired.result() == predicted.result(), what
        assert _apply.apply(client, objects).summary() == {"unchanged": OBJECTS}, what


def test_what_others_added_stays(
    run_module: RunModule, client: Client, new_namespace: Make
) -> None:
    namespace = new_namespace(create=False)
    args = {"manifests": instance(namespace)}
    run_module("manifests", args)
    objects = {
        (obj["kind"], obj["metadata"]["name"]): obj for obj in parsed(client, args["manifests"])
    }
    theirs = {"name": "THEIRS", "value": "x"}
    pod = {"spec": {"containers": [{"name": "litellm", "env": [theirs]}]}}
    deployment = objects["Deployment", "litellm"]
    patch(client, deployment, {"spec": {"template": pod}}, "strategic-merge-patch")
    patch(client, objects["ConfigMap", "litellm-config"], {"data": {"theirs": "x"}})
    patch(client, objects["Namespace", namespace], {"metadata": {"annotations": {"theirs": "x"}}})
    assert run_module("manifests", args)["summary"] == {"unchanged": OBJECTS}
    found = client.get(_resources.object_path(deployment))
    assert theirs in found["spec"]["template"]["spec"]["containers"][0]["env"]


def test_what_is_no_longer_in_the_text_is_removed(
    run_module: RunModule, client: Client, new_namespace: Make
) -> None:
    namespace = new_namespace(create=False)
    text = instance(namespace)
    run_module("manifests", {"manifests": text})
    fewer = edited(text, "ConfigMap", lambda obj: obj["data"].pop("since"))
    fewer = edited(
        fewer,
        "Deployment",
        lambda obj: obj["spec"]["template"]["spec"]["containers"][0]["env"].pop(1),
    )
    result = run_module("manifests", {"manifests": fewer}, diff=True)
    assert result["summary"] == {"configured": 2, "unchanged": OBJECTS - 2}
    by_kind = {entry["after_header"].split()[0]: entry for entry in result["diff"]}
    assert (
        "since" in by_kind["ConfigMap"]["before"] and "since" not in by_kind["ConfigMap"]["after"]
    )
    assert (
        "EMPTY" in by_kind["Deployment"]["before"] and "EMPTY" not in by_kind["Deployment"]["after"]
    )
    found = live(client, text)
    config = found[f"ConfigMap {namespace}/litellm-config"]
    assert config is not None and set(config["data"]) == {"config.yaml"}


def test_a_wrong_text_sends_nothing(
    run_module: RunModule, new_namespace: Make, audit: Audit
) -> None:
    namespace = new_namespace(create=False)
    text = instance(namespace)
    result = run_module("manifests", {"manifests": f"{text}\n---\nkind: Pod\n---\n{text}"})
    assert result["failed"] and result["msg"].startswith(
        f"The manifests have {OBJECTS + 1} problems; nothing"
    )
    unknown = "apiVersion: nothing.example.com/v1\nkind: Nothing\nmetadata: {name: a}\n"
    result = run_module("manifests", {"manifests": f"{text}\n---\n{unknown}"})
    assert "This cluster has no kind Nothing in nothing.example.com/v1" in result["msg"]
    assert audit.writes(containing=namespace) == []


def test_one_that_fails_does_not_keep_the_others(
    run_module: RunModule, client: Client, new_namespace: Make
) -> None:
    namespace = new_namespace(create=False)
    text = edited(instance(namespace), "Ingress", lambda obj: obj["spec"].update(nothing=True))
    text = edited(text, "PodDisruptionBudget", lambda obj: obj["spec"].update(maxUnavailable=-1))
    text = edited(text, "Service", lambda obj: obj["spec"]["ports"][0].update(port="x"), "litellm")
    for check in (True, False):
        result = run_module("manifests", {"manifests": text}, check=check)
        assert result["failed"] and result["changed"]
        done = actions(result)
        failed = {label for label, action in done.items() if action == "failed"}
        assert failed == {
            f"Ingress {namespace}/litellm",
            f"PodDisruptionBudget {namespace}/postgres",
            f"Service {namespace}/litellm",
        }
        assert {action for label, action in done.items() if label not in failed} == {"created"}
        lines = result["msg"].splitlines()
        assert lines[0] == f"3 of {OBJECTS} objects failed; the others were not affected."
        assert any("spec.nothing: field not declared in schema" in line for line in lines)
        assert any("spec.maxUnavailable: Invalid value: -1" in line for line in lines)
        assert any("ports" in line and "expected numeric" in line for line in lines)
        assert {item["kind"] for item in result["failures"]} == {
            "Ingress",
            "PodDisruptionBudget",
            "Service",
        }
    repaired = run_module("manifests", {"manifests": instance(namespace)})
    assert repaired["summary"] == {"created": 3, "unchanged": OBJECTS - 3}


def test_immutable_fields_are_explained_and_the_way_over_works(
    run_module: RunModule, client: Client, new_namespace: Make
) -> None:
    namespace = new_namespace(create=False)
    text = instance(namespace)
    run_module("manifests", {"manifests": text})
    larger = text.replace("storage: 1024Mi", "storage: 2Gi")
    for check in (True, False):
        result = run_module("manifests", {"manifests": larger}, check=check)
        assert (
            f"StatefulSet {namespace}/postgres: cannot be changed: "
            "spec.volumeClaimTemplates[data].spec.resources.requests.storage is 1Gi, wanted 2Gi."
        ) in result["msg"]
        assert f"oc delete statefulset postgres -n {namespace} --cascade=orphan" in result["msg"]
    path = f"/apis/apps/v1/namespaces/{namespace}/statefulsets/postgres"
    client.delete(path, propagation="Orphan")
    result = run_module("manifests", {"manifests": larger})
    assert result["summary"] == {"created": 1, "unchanged": OBJECTS - 1}

    other = edited(text, "Deployment", lambda obj: (
        obj["spec"]["selector"]["matchLabels"].update(app="x"),
        obj["spec"]["template"]["metadata"]["labels"].update(app="x"),
    ))  # fmt: skip
    result = run_module("manifests", {"manifests": other.replace("1024Mi", "2Gi")})
    assert "Deployment" in result["msg"] and "spec.selector is {" in result["msg"]
    assert f"oc delete deployment litellm -n {namespace}" in result["msg"]


def test_a_quota_is_explained(run_module: RunModule, client: Client, new_namespace: Make) -> None:
    namespace = new_namespace()
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "small", "namespace": namespace},
        "spec": {"hard": {"count/services": "0"}},
    }
    client.apply(_resources.object_path(quota), quota, field_manager="tests")
    service = edited_out(instance(namespace), "Service", "litellm")
    for _unused in range(100):
        # Until the quota's controller has counted, the answer is another one.
        result = run_module("manifests", {"manifests": service}, check=True)
        if "exceeds the quota" in result.get("msg", ""):
            break
    assert (
        f"Service {namespace}/litellm: exceeds the quota of its namespace: small," in result["msg"]
    )
    assert "used: count/services=0, limited: count/services=0" in result["msg"]


def edited_out(text: str, kind: str, name: str) -> str:
    """One object of the text alone."""
    documents = [
        d
        for d in yaml.safe_load_all(text)
        if d and d["kind"] == kind and d["metadata"]["name"] == name
    ]
    return yaml.safe_dump_all(documents)


def test_others_objects_are_left_untouched(
    run_module: RunModule, client: Client, new_namespace: Make, audit: Audit
) -> None:
    namespace = new_namespace()  # exists, without our labels
    text = instance(namespace)
    for check in (True, False):
        result = run_module("manifests", {"manifests": text}, check=check)
        assert result["summary"] == {"failed": 1, "skipped": OBJECTS - 1}
        assert (
            f"Namespace {namespace}: exists already and is not this collection's" in result["msg"]
        )
    assert audit.writes(containing=f"{namespace}/") == []

    # In a namespace that may be used all the same, an object of our name is another's.
    inside = yaml.safe_dump_all(
        [d for d in yaml.safe_load_all(text) if d and d["kind"] != "Namespace"]
    )
    theirs = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "litellm-config",
            "namespace": namespace,
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
        },
        "data": {"theirs": "x"},
    }
    client.apply(_resources.object_path(theirs), theirs, field_manager="helm")
    for check in (True, False):
        result = run_module("manifests", {"manifests": inside}, check=check)
        assert result["summary"] == {"created": OBJECTS - 2, "failed": 1}
        assert "exists already and is managed by Helm: it is left untouched" in result["msg"]
    assert client.get(_resources.object_path(theirs))["data"] == {"theirs": "x"}


def test_a_namespace_on_its_way_out_is_waited_for(
    run_module: RunModule, client: Client, new_namespace: Make
) -> None:
    namespace = new_namespace(create=False)
    args = {"manifests": instance(namespace)}
    run_module("manifests", args)
    first = client.get(f"/api/v1/namespaces/{namespace}")["metadata"]["uid"]
    client.delete(f"/api/v1/namespaces/{namespace}")
    assert run_module("manifests", args, check=True)["summary"] == {"created": OBJECTS}
    result = run_module("manifests", args)
    assert result["summary"] == {"created": OBJECTS}
    assert client.get(f"/api/v1/namespaces/{namespace}")["metadata"]["uid"] != first


def test_a_kind_that_comes_with_the_text(
    run_module: RunModule, client: Client, new_namespace: Make
) -> None:
    namespace = new_namespace()
    group = f"{namespace}.example.com"
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "size": {"type": "integer"},
                    "colour": {"type": "string", "default": "red"},
                },
            }
        },
    }
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "names": {
                "plural": "widgets",
                "singular": "widget",
                "kind": "Widget",
                "listKind": "WidgetList",
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }
    widget = {
        "apiVersion": f"{group}/v1",
        "kind": "Widget",
        "metadata": {"name": "w", "namespace": namespace},
        "spec": {"size": 1},
    }
    path = _resources.object_path(definition)
    try:
        both = yaml.safe_dump_all([widget, definition])
        assert run_module("manifests", {"manifests": both}, check=True)["summary"] == {"created": 2}
        # The kind is served a moment after its definition was accepted.
        assert run_module("manifests", {"manifests": both})["summary"] == {"created": 2}
        assert run_module("manifests", {"manifests": both})["summary"] == {"unchanged": 2}
    finally:
        client.delete(path)


def test_with_rights_in_one_namespace_alone(
    run_module: RunModule, client: Client, new_namespace: Make, tmp_path: Path
) -> None:
    namespace = new_namespace()
    inside = yaml.safe_dump_all(
        [d for d in yaml.safe_load_all(instance(namespace)) if d and d["kind"] != "Namespace"]
    )
    environment = {**as_admin_of(client, namespace, tmp_path), "HOME": str(tmp_path)}
    for check in (True, False):
        result = run_module(
            "manifests", {"manifests": inside}, check=check, environment=environment
        )
        assert result.get("summary") == {"created": OBJECTS - 1}, result
    result = run_module("manifests", {"manifests": inside}, environment=environment)
    assert result["summary"] == {"unchanged": OBJECTS - 1}
    forbidden = instance(new_namespace(create=False))
    result = run_module("manifests", {"manifests": forbidden}, environment=environment)
    assert result["summary"] == {"failed": 1, "skipped": OBJECTS - 1}
    assert "cannot get resource" in result["msg"] or "cannot patch resource" in result["msg"]
    assert "K8S_AUTH_API_KEY" in result["msg"]


def as_admin_of(client: Client, namespace: str, folder: Path) -> dict[str, str]:
    """The environment of AgnosticD's one path, for a ServiceAccount with the role admin."""
    assert client.connection.ca_cert
    certificate = folder / "ca.crt"
    certificate.write_text(Path(client.connection.ca_cert).read_text())
    account = f"/api/v1/namespaces/{namespace}/serviceaccounts/installer"
    metadata = {"name": "installer", "namespace": namespace}
    body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    client.apply(account, body, field_manager="tests")
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "admin",
        },
        "subjects": [{"kind": "ServiceAccount", "name": "installer", "namespace": namespace}],
    }
    client.apply(_resources.object_path(binding), binding, field_manager="tests")
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = client.request("POST", f"{account}/token", body=request)[1]["status"]["token"]
    return {
        "K8S_AUTH_HOST": client.connection.host,
        "K8S_AUTH_API_KEY": token,
        "K8S_AUTH_SSL_CA_CERT": str(certificate),
    }


def test_two_runs_at_once_do_not_harm_each_other(
    kubeconfig: str, client: Client, new_namespace: Make
) -> None:
    texts = "\n---\n".join(instance(new_namespace(create=False)) for _unused in range(4))
    objects = parsed(client, texts)
    results: list[Any] = [None, None]

    def run(number: int) -> None:
        ours = _client.connect({"kubeconfig": kubeconfig})
        results[number] = _apply.apply(ours, copy.deepcopy(objects))

    threads = [threading.Thread(target=run, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.failures for result in results] == [[], []]
    assert _apply.apply(client, objects).summary() == {"unchanged": len(objects)}


def test_requests_do_not_grow_with_what_is_there(
    client: Client, new_namespace: Make, audit: Audit
) -> None:
    users = 10
    namespaces = [new_namespace(create=False) for _unused in range(users)]
    text = "\n---\n".join(instance(name, deployment=namespaces[0]) for name in namespaces)
    objects = parsed(client, text)
    audit.mark()
    created = _apply.apply(client, objects)
    assert created.summary() == {"created": users * OBJECTS}
    asked = len(audit.entries(containing=namespaces))
    # One for each object, and one LIST for the namespaces; some may have had to be asked twice.
    assert asked <= users * OBJECTS * 1.1 + 1
    audit.mark()
    again = _apply.apply(client, objects)
    assert again.summary() == {"unchanged": users * OBJECTS}
    verbs = [entry["verb"] for entry in audit.entries(containing=namespaces)]
    assert verbs == ["list"] * (KINDS - 1)  # one a kind


def test_through_ansible_itself(kubeconfig: str, new_namespace: Make, tmp_path: Path) -> None:
    """As a user calls it: with -vvv and --diff, without a warning, and without a secret in sight."""
    (tmp_path / "instance.yml").write_text(instance(new_namespace(create=False)))
    task = {"manifests": "{{ lookup('ansible.builtin.file', playbook_dir ~ '/instance.yml') }}"}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [{"rhpds.litemaas.manifests": task, "register": "done"}],
    }
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-vvv", "--diff"]
    environment = {
        **os.environ,
        "KUBECONFIG": kubeconfig,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
    }
    for flags, changed in ((["--check"], 1), ([], 1), ([], 0)):
        finished = subprocess.run(
            [*command, *flags, str(tmp_path / "play.yml")],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        output = finished.stdout + finished.stderr
        assert finished.returncode == 0, output
        assert f"ok=1    changed={changed} " in output
        assert not any(canary in output for canary in CANARIES)
        assert "WARNING" not in output, output
        assert "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" in output
        assert ("+  config.yaml: " in output) == bool(changed)


def test_an_unreachable_cluster_is_said_once(run_module: RunModule, tmp_path: Path) -> None:
    environment = {
        "HOME": str(tmp_path),
        "K8S_AUTH_HOST": "https://127.0.0.1:1",
        "K8S_AUTH_API_KEY": "canary-key",
    }
    for args in ({"manifests": instance("n")}, {"state": "absent", "selector": {"a": "b"}}):
        result = run_module("manifests", args, environment=environment)
        assert result["failed"] and result["msg"] == (
            "The API server at https://127.0.0.1:1 cannot be reached: Connection refused. The address "
            "comes from K8S_AUTH_HOST. Check the address, and that this machine can reach it."
        )
        assert "canary-key" not in json.dumps(result)


# A part of an instance that may be switched off. The Secret comes from elsewhere, as the role's do.
OPTIONAL = """
---
apiVersion: v1
kind: ConfigMap
metadata: {name: cache, namespace: NAMESPACE, labels: {LABELS, rhpds.litemaas/optional: cache}}
data: {text: kept}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: cache, namespace: NAMESPACE, labels: {LABELS, rhpds.litemaas/optional: cache}}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: cache, namespace: NAMESPACE, labels: {LABELS, rhpds.litemaas/optional: cache}}
spec:
  suspend: true
  template:
    spec:
      restartPolicy: Never
      containers: [{name: x, image: quay.io/x/x:1}]
"""
OPTIONAL_SECRET = """
---
apiVersion: v1
kind: Secret
metadata: {name: cache, namespace: NAMESPACE, labels: {LABELS, rhpds.litemaas/optional: cache}}
stringData: {PASSWORD: x}
"""


def test_a_part_that_is_switched_off_is_reported_and_then_removed_alone(
    run_module: RunModule, client: Client, new_namespace: Make, audit: Audit
) -> None:
    namespace, other = new_namespace(create=False), new_namespace(create=False)
    whole = instance(namespace)
    labels = f"app.kubernetes.io/managed-by: rhpds.litemaas, rhpds.litemaas/deployment: {namespace}"
    part = OPTIONAL.replace("NAMESPACE", namespace).replace("LABELS", labels)
    secret = OPTIONAL_SECRET.replace("NAMESPACE", namespace).replace("LABELS", labels)
    # The same part of another instance of the deployment, which this run says nothing of.
    elsewhere = instance(other, deployment=namespace) + part.replace(
        f"namespace: {namespace}", f"namespace: {other}"
    )
    run_module("manifests", {"manifests": elsewhere})
    run_module("manifests", {"manifests": whole + part + secret})

    with_it = run_module("manifests", {"manifests": whole + part, "stale": "report"})
    assert with_it["stale"] == []  # the Secret is in no manifest here, and its part is
    record = [name for name in actions(with_it) if "litemaas-parts-" in name]
    assert actions(with_it)[record[0]] == "created"
    audit.mark()
    again = run_module("manifests", {"manifests": whole + part, "stale": "report"})
    assert again["stale"] == [] and not again["changed"]
    # What the comparison lists shows what is stale too.
    listed = [e["requestURI"].partition("?")[0] for e in audit.entries(containing=namespace)]
    assert len(listed) == len(set(listed)), listed

    audit.mark()
    without = run_module("manifests", {"manifests": whole, "stale": "report"})
    stale = {(obj["kind"], obj["name"]) for obj in without["stale"]}
    kinds = ("ConfigMap", "Job", "PersistentVolumeClaim", "Secret")
    named = record[0].rpartition("/")[2]
    assert stale == {*((kind, "cache") for kind in kinds), ("ConfigMap", named)}
    assert not without["changed"]
    args = {"manifests": whole, "stale": "remove"}
    predicted = run_module("manifests", args, check=True)
    assert audit.writes(containing=namespace) == []
    assert all(live(client, part + secret).values())

    removed = run_module("manifests", args)
    assert actions(removed) == actions(predicted)
    assert removed["summary"] == {"unchanged": OBJECTS, "deleted": 5}
    end = time.monotonic() + 60
    while any(live(client, part + secret).values()):
        assert time.monotonic() < end
        time.sleep(0.5)
    assert all(live(client, whole).values())
    assert all(live(client, elsewhere).values())
    assert run_module("manifests", args)["summary"] == {"unchanged": OBJECTS}
