# SPDX-License-Identifier: MIT
"""Bad input gets one clear message that names variable, value and remedy, before anything is created."""

from __future__ import annotations

import pytest

NAMESPACE = "litemaas-bad-input"

# What a person gets wrong, and what must stand in the message beside the variable's name and the value.
WRONG = {
    "postgres_storage_class": ("no-such-class", "gp3-csi"),
    "route_name": ("a" * 60, "63"),
    "postgres_storage_size": ("ten gigs", "10Gi"),
    "litellm_memory_request": ("4Gi", "limit"),
    "litellm_cpu_limit": ("lots", "500m"),
    "litellm_tag": ("v1.82.7", "1.82.7"),
    "postgres_image": ("quay.io/sclorg/postgresql-16-c9s:latest", "latest"),
    "litellm_replicas": (9, "5"),
    "cloud_provider": ("Atlantis", "AWS"),
}


def created(client) -> bool:
    return client.find(f"/api/v1/namespaces/{NAMESPACE}") is not None


def test_all_problems_are_named_at_once_and_nothing_is_created(play, client):
    run = play(namespace=NAMESPACE, **{name: value for name, (value, _) in WRONG.items()})

    assert run.rc != 0
    message = run.stdout
    for name, (value, remedy) in WRONG.items():
        assert f"ocp4_workload_litemaas_{name}" in message, name
        assert str(value).lower() in message.lower(), (name, value)
        assert remedy in message, (name, remedy)
    assert "Traceback" not in run.text
    assert run.recap.get("changed") == 0
    assert not created(client)


@pytest.mark.parametrize("value", ["abc", 0, -1, "3.5", "", [3], 1001])
def test_a_wrong_number_of_users_is_refused(play, client, value):
    run = play(namespace=NAMESPACE, multi_user=True, extra={"num_users": value})

    assert run.rc != 0
    assert "num_users must be" in run.stdout
    assert str(value) in run.stdout
    assert (
        client.list(
            "/api/v1/namespaces", label_selector=f"rhpds.litemaas/deployment={NAMESPACE}-user"
        )
        == []
    )


@pytest.mark.parametrize("prefix", ["Student", "team.a", "user-", "", "p" * 60])
def test_a_wrong_prefix_is_refused(play, client, prefix):
    run = play(namespace=NAMESPACE, multi_user=True, user_prefix=prefix, extra={"num_users": "3"})

    assert run.rc != 0
    assert "ocp4_workload_litemaas_user_prefix" in run.stdout
    assert ("63 are allowed" if len(prefix) == 60 else "is no DNS label") in run.stdout
    assert "Traceback" not in run.text
    assert run.recap["changed"] == 0
    label = "app.kubernetes.io/managed-by=rhpds.litemaas"
    homes = client.list("/api/v1/namespaces", label_selector=label)
    assert not [home for home in homes if home["metadata"]["name"].startswith(NAMESPACE)]


def test_types_are_checked_by_ansible_itself(play, client):
    run = play(namespace=NAMESPACE, litellm_replicas="many", multi_user="perhaps")

    assert run.rc != 0
    assert "ocp4_workload_litemaas_litellm_replicas" in run.stdout
    assert "ocp4_workload_litemaas_multi_user" in run.stdout
    assert not created(client)


def test_a_foreign_namespace_is_refused_and_left_alone(play, client, namespace):
    before = client.get(f"/api/v1/namespaces/{namespace}")

    run = play(namespace=namespace)

    assert run.rc != 0
    assert namespace in run.stdout
    assert "ocp4_workload_litemaas_use_existing_namespace" in run.stdout
    after = client.get(f"/api/v1/namespaces/{namespace}")
    # Not the resourceVersion: the platform gives a new namespace its UID range a moment late.
    assert after["metadata"]["labels"] == before["metadata"]["labels"]
    assert "rhpds.litemaas" not in {each["manager"] for each in after["metadata"]["managedFields"]}

    removal = play(namespace=namespace, remove=True)
    assert removal.rc != 0
    assert namespace in removal.stdout
    assert (
        client.get(f"/api/v1/namespaces/{namespace}")["metadata"]["uid"]
        == before["metadata"]["uid"]
    )


def test_without_a_cluster_one_sentence_says_so(play, tmp_path):
    nowhere = tmp_path / "kubeconfig"
    nowhere.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: x\n"
        "clusters: [{name: x, cluster: {server: 'https://127.0.0.1:9'}}]\n"
        "users: [{name: x, user: {token: t}}]\n"
        "contexts: [{name: x, context: {cluster: x, user: x}}]\n"
    )
    run = play(namespace=NAMESPACE, environment={"KUBECONFIG": str(nowhere)})

    assert run.rc != 0
    assert "127.0.0.1:9" in run.stdout
    assert str(nowhere) in run.stdout
    assert "Traceback" not in run.text


def test_an_action_of_another_kind_does_nothing(play, client):
    run = play(namespace=NAMESPACE, extra={"ACTION": "status"}).ok()

    assert run.recap["changed"] == 0
    assert not created(client)
