# SPDX-License-Identifier: MIT
"""The planning playbook, and a deployment that is refused for want of room: shown, named, nothing written."""

from __future__ import annotations

PLAN = "playbooks/plan_litemaas.yml"
NAMESPACE = "litemaas-plan"


def nothing_written(client, audit):
    assert audit.entries(containing=NAMESPACE), "the audit log shows nothing of this run"
    assert audit.writes(containing=NAMESPACE) == []
    return not [
        each
        for each in client.list("/api/v1/namespaces", metadata=True)
        if each["metadata"]["name"].startswith(f"{NAMESPACE}-")
    ]


def test_it_shows_what_would_be_deployed(play, client, audit):
    run = play(playbook=PLAN, namespace=NAMESPACE, multi_user=True, extra={"num_users": "3"}).ok()

    assert run.recap["changed"] == 0
    assert f"3 instances in {NAMESPACE}-user1 to {NAMESPACE}-user3" in run.stdout
    for number in (1, 2, 3):
        assert f"{NAMESPACE}-user{number}  https://litellm-user{number}-rhpds." in run.stdout
    assert "ghcr.io/berriai/litellm-non_root:v1.106.0" in run.stdout
    assert "gp3-csi (the cluster's default storage class)" in run.stdout
    assert "Room for 3 instances on 1 node" in run.stdout
    assert "all 3 fit" in run.stdout
    assert nothing_written(client, audit)


def test_all_problems_fail_it_below_the_table(play, client, audit):
    run = play(
        playbook=PLAN,
        namespace=NAMESPACE,
        multi_user=True,
        litellm_tag="latest",
        extra={"num_users": 80},
    )

    assert run.rc != 0
    assert "2 problems found before the start" in run.stdout
    assert "ocp4_workload_litemaas_litellm_tag is unsafe" in run.stdout
    assert "capacity of the cluster is too small" in run.stdout
    assert run.stdout.index("Memory requests") < run.stdout.index("2 problems found")
    assert nothing_written(client, audit)


def test_a_deployment_without_room_is_refused_below_the_same_table(play, client, audit):
    run = play(namespace=NAMESPACE, multi_user=True, extra={"num_users": 80})

    assert run.rc != 0
    assert "of 80 instances fit" in run.stdout
    assert "Set num_users to" in run.stdout
    assert "ocp4_workload_litemaas_ignore_capacity" in run.stdout
    assert run.stdout.index("Memory requests") < run.stdout.index("1 problem found")
    assert run.recap["changed"] == 0
    assert nothing_written(client, audit)
