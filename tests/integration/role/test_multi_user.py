# SPDX-License-Identifier: MIT
"""Several private instances with real LiteLLM and PostgreSQL: isolated, grown, broken, repaired, shrunk, removed.

The tests of this file build on each other, in this order; each step runs once. Two instances serve all of them, a third one the
part about what is bad.
"""

from __future__ import annotations

import base64
import functools
import importlib.util
import time
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
NAMESPACE = "litemaas-workshop"
PREFIX = "student"
HOMES = {number: f"{NAMESPACE}-{PREFIX}{number}" for number in (1, 2, 3, 4)}
DEPLOYMENT = {
    "namespace": NAMESPACE,
    "multi_user": True,
    "user_prefix": PREFIX,
    "route_name": "workshop",
    # Starting is work; what a student gets would only make it last.
    "multi_user_litellm_cpu_limit": "2",
}
FIVE = {f"litemaas_{name}" for name in ("url", "namespace", "username", "password", "api_key")}
QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "no-services", "namespace": HOMES[2]},
    "spec": {"hard": {"count/services": "1"}},
}
HELD = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "held", "namespace": HOMES[4], "finalizers": ["example.com/held"]},
}


def load_demo():
    spec = importlib.util.spec_from_file_location("demo", ROOT / "tests/demo/demo.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Workshop:
    """The steps, each run when first asked for."""

    def __init__(self, play, gateway, client, output_dir):
        self.client = client
        self._play = functools.partial(play, output_dir=output_dir)
        self._gateway = gateway

    def play(self, users, *flags, **variables):
        variables = {**DEPLOYMENT, **variables}
        return self._play(*flags, extra={"num_users": users}, **variables)

    @cached_property
    def deployed(self):
        return self.play("2").ok()

    @cached_property
    def data(self):
        return self.deployed.user_data()

    @cached_property
    def gateways(self):
        return {number: self._gateway(self.data["users"][f"user{number}"]) for number in (1, 2)}


@pytest.fixture(scope="module")
def workshop(play, gateway, client, tmp_path_factory):
    workshop = Workshop(play, gateway, client, tmp_path_factory.mktemp("handed-out"))
    yield workshop
    release(client)
    play(namespace=NAMESPACE, multi_user=True, user_prefix=PREFIX, remove=True)


def release(client):
    """Let go of what a failed test may have left holding a namespace."""
    path = f"/api/v1/namespaces/{HOMES[4]}/configmaps/held"
    if client.find(path):
        patch(client, path, {"metadata": {"finalizers": []}})


def patch(client, path, body):
    client.request("PATCH", path, body=body, content_type="application/merge-patch+json")


def uids(client, *numbers):
    """Every pod of the instances: what must not be touched."""
    return {
        pod["metadata"]["uid"]
        for number in numbers
        for pod in client.list(f"/api/v1/namespaces/{HOMES[number]}/pods")
    }


def secrets(client, number):
    path = f"/api/v1/namespaces/{HOMES[number]}/secrets"
    return {
        (secret["metadata"]["name"], key): base64.b64decode(value).decode()
        for secret in client.list(
            path, label_selector="app.kubernetes.io/managed-by=rhpds.litemaas"
        )
        for key, value in secret["data"].items()
    }


def test_each_user_gets_an_own_instance_and_credentials(workshop, client):
    data = workshop.data
    assert list(data["users"]) == ["user1", "user2"], "Showroom's names, whatever the prefix"
    first, second = data["users"]["user1"], data["users"]["user2"]
    for number, user in ((1, first), (2, second)):
        assert set(user) >= FIVE
        assert user["litemaas_namespace"] == HOMES[number]
        assert user["litemaas_url"].startswith(f"https://litellm-{PREFIX}{number}-workshop.apps.")
        for name in FIVE:
            numbered = name.replace("litemaas_", f"litemaas_user{number}_")
            assert data[numbered] == user[name]
        stored = secrets(client, number)
        assert user["litemaas_password"] == stored["litellm-secret", "UI_PASSWORD"]
        assert user["litemaas_api_key"] == stored["litellm-secret", "LITELLM_MASTER_KEY"]
    mine, others = secrets(client, 1), secrets(client, 2)
    same = {key for key in mine if mine[key] == others[key]}
    assert same == {("litellm-secret", "UI_USERNAME")}
    assert data["litemaas_failed_users"] == []


def test_the_run_ends_with_a_table(workshop):
    lines = workshop.deployed.stdout.splitlines()
    for number in (1, 2):
        url = workshop.data["users"][f"user{number}"]["litemaas_url"]
        assert any(line.split()[:2] == [f"user{number}", "ready"] and url in line for line in lines)
    assert any("2 of 2 ready; " in line and "wait " in line for line in lines)


def test_a_key_opens_its_own_gateway_only(workshop):
    first, second = workshop.gateways[1], workshop.gateways[2]
    assert first.call("GET", "/v1/models")[0] == second.call("GET", "/v1/models")[0] == 200
    assert first.call("GET", "/v1/models", key=second.key)[0] == 401
    assert second.call("GET", "/v1/models", key=first.key)[0] == 401


def test_a_database_lets_in_the_gateway_of_its_own_namespace_alone(workshop, client):
    assert workshop.deployed
    for number in (1, 2):
        path = f"/apis/networking.k8s.io/v1/namespaces/{HOMES[number]}/networkpolicies/postgres"
        spec = client.get(path)["spec"]
        assert spec["podSelector"] == {"matchLabels": {"app": "postgres"}}
        assert spec["policyTypes"] == ["Ingress"]
        # Without a namespaceSelector a peer is in the policy's own namespace.
        peers = [peer for rule in spec["ingress"] for peer in rule["from"]]
        apps = {"key": "app", "operator": "In", "values": ["litellm", "litellm-migration"]}
        assert peers == [{"podSelector": {"matchExpressions": [apps]}}]


def test_each_answers_a_chat(workshop, client):
    assert workshop.deployed
    parameters = load_demo().start_model_server(client)
    for number, gateway in workshop.gateways.items():
        status, body = gateway.call(
            "POST",
            "/model/new",
            {
                "model_name": "lab-model",
                "litellm_params": parameters,
                "model_info": {"id": f"workshop-{number}"},
            },
        )
        assert status == 200, body
    chat = {
        "model": "lab-model",
        "messages": [{"role": "user", "content": "Who are you?"}],
        "max_tokens": 50,
    }
    for gateway in workshop.gateways.values():
        end = time.monotonic() + 60
        while (answer := gateway.call("POST", "/v1/chat/completions", chat))[0] != 200:
            assert time.monotonic() < end, answer
            time.sleep(1)
        assert answer[1]["choices"][0]["message"]["content"]


def test_a_second_run_changes_nothing_and_writes_nothing(workshop, audit):
    assert workshop.deployed
    audit.mark()
    run = workshop.play(2).ok()
    assert run.recap["changed"] == 0
    assert run.user_data() == workshop.data
    assert audit.entries(containing=NAMESPACE)
    assert audit.writes(containing=NAMESPACE) == []


def test_one_whose_host_is_taken_fails_alone(workshop, client, audit, namespace):
    host = workshop.data["users"]["user1"]["litemaas_url"].removeprefix("https://")
    claimed = {
        "apiVersion": "route.openshift.io/v1",
        "kind": "Route",
        "metadata": {"name": "theirs", "namespace": namespace},
        "spec": {
            "host": host.replace(f"{PREFIX}1", f"{PREFIX}3"),
            "to": {"kind": "Service", "name": "none"},
        },
    }
    path = f"/apis/route.openshift.io/v1/namespaces/{namespace}/routes/theirs"
    client.apply(path, claimed, field_manager="tests")
    time.sleep(2)  # admitted before the other is made
    audit.mark()

    run = workshop.play(3)

    assert run.rc != 0
    assert "1 of 3 instances are not ready; the others are." in run.stdout
    assert f"user3 (namespace {HOMES[3]}): route (exposing)" in run.stdout
    assert f"{namespace}/theirs" in run.stdout
    assert "2 of 3 ready, 1 failed (user3)" in run.stdout
    # What was there is not touched, and only who can log in is told so.
    assert audit.writes(containing=[f"/{HOMES[1]}", f"/{HOMES[2]}"]) == []
    assert audit.writes(containing=f"/{HOMES[3]}")
    data = run.user_data()
    assert data["users"] == workshop.data["users"]
    assert data["litemaas_failed_users"] == ["user3"]

    client.delete(path)


def test_the_next_run_repairs_it_and_tells_its_user(workshop, client, audit):
    before = secrets(client, 3)
    audit.mark()

    run = workshop.play(3).ok()

    assert audit.writes(containing=NAMESPACE) == [], "the cluster repairs it, we only look"
    data = run.user_data()
    assert list(data["users"]) == ["user1", "user2", "user3"]
    assert data["users"]["user3"]["litemaas_api_key"] == (
        before["litellm-secret", "LITELLM_MASTER_KEY"]
    )
    assert data["litemaas_failed_users"] == []
    assert {key: data["users"][key] for key in ("user1", "user2")} == workshop.data["users"]


def test_what_is_refused_or_stuck_fails_alone_and_may_be_only_reported(workshop, client):
    """An object refused by a quota, a namespace that does not go away: each is its instance's."""
    running = uids(client, 1, 3)
    quota = f"/api/v1/namespaces/{HOMES[2]}/resourcequotas/no-services"
    client.apply(quota, QUOTA, field_manager="tests")
    client.delete(f"/api/v1/namespaces/{HOMES[2]}/services/litellm")
    home = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": HOMES[4],
            "labels": {
                "app.kubernetes.io/managed-by": "rhpds.litemaas",
                "rhpds.litemaas/deployment": f"{NAMESPACE}-{PREFIX}",
            },
        },
    }
    client.apply(f"/api/v1/namespaces/{HOMES[4]}", home, field_manager="tests")
    client.apply(f"/api/v1/namespaces/{HOMES[4]}/configmaps/held", HELD, field_manager="tests")
    client.delete(f"/api/v1/namespaces/{HOMES[4]}")
    used = time.monotonic() + 20
    while "used" not in client.get(quota).get("status", {}):
        assert time.monotonic() < used
        time.sleep(0.2)

    run = workshop.play(4, on_instance_failure="report").ok()

    failed = [line for line in run.stdout.splitlines() if line.split()[1:2] == ["FAILED"]]
    assert [line.split()[0] for line in failed] == ["user2", "user4"]
    assert "Service litellm: exceeds the quota of its namespace: no-services" in failed[0]
    assert "configmaps/held (finalizers: example.com/held)" in failed[1]
    assert "2 of 4 ready, 2 failed (user2, user4)" in run.stdout
    assert run.user_data()["litemaas_failed_users"] == ["user2", "user4"]
    assert uids(client, 1, 3) == running

    client.delete(quota)
    release(client)


def test_fewer_users_leave_the_surplus_alone_until_told_otherwise(workshop, client, audit):
    running = uids(client, 1, 2)
    audit.mark()
    run = workshop.play(2).ok()
    assert f"left alone: {HOMES[3]}" in run.stdout
    assert "remove_surplus" in run.stdout
    assert run.recap["changed"] == 2, "the Service that the quota kept away, and who failed"
    assert run.user_data()["litemaas_failed_users"] == []
    assert audit.writes(containing=f"/{HOMES[3]}") == []

    checked = workshop.play(2, "--check", remove_surplus=True).ok()
    assert f"Would be removed: {HOMES[3]}" in checked.stdout
    assert client.find(f"/api/v1/namespaces/{HOMES[3]}")

    run = workshop.play(2, remove_surplus=True).ok()
    assert f"Removed: {HOMES[3]}" in run.stdout
    assert run.recap["changed"] == 1
    assert client.find(f"/api/v1/namespaces/{HOMES[3]}") is None
    assert uids(client, 1, 2) == running
    assert workshop.gateways[2].answers()


def test_a_common_password_is_everybodys_and_nothing_else_is(workshop, client):
    run = workshop.play("2", multi_user_common_password="Common-1").ok()
    users = run.user_data()["users"]
    assert users["user1"]["litemaas_password"] == users["user2"]["litemaas_password"] == "Common-1"
    assert users["user1"]["litemaas_api_key"] != users["user2"]["litemaas_api_key"]
    for gateway in workshop.gateways.values():
        status, body = gateway.call(
            "POST", "/v2/login", {"username": "admin", "password": "Common-1"}
        )
        assert status in (200, 303), body


def test_removal_finds_all_by_their_labels(workshop, client):
    run = workshop._play(namespace=NAMESPACE, multi_user=True, user_prefix=PREFIX, remove=True).ok()
    assert run.recap["changed"] == 1
    left = client.list(
        "/api/v1/namespaces", label_selector=f"rhpds.litemaas/deployment={NAMESPACE}-{PREFIX}"
    )
    assert left == []
