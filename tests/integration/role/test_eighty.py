# SPDX-License-Identifier: MIT
"""Eighty instances on the lab's simulated nodes: one of them bad, then repaired; more, and fewer; removed.

The tests of this file build on each other, in this order. Users, gateways and what is handed out are as many as in a real
workshop; what their pods do is not: that is for the tests with real ones.
"""

from __future__ import annotations

import functools
import re
import time

import pytest

NAMESPACE = "litemaas-eighty"
USERS = 80
BAD = 7
HOME = f"{NAMESPACE}-user{BAD}"
VARIABLES = {
    "namespace": NAMESPACE,
    "route_name": "eighty",
    "multi_user": True,
    # Beside a real node the simulated ones take pods only by the lab's rules, which the plan cannot know.
    "ignore_capacity": True,
}


class Workshop:
    def __init__(self, play, client, output_dir):
        self.client = client
        self._play = functools.partial(play, output_dir=output_dir)
        self.rules = []

    def play(self, users=USERS, **variables):
        run = self._play(extra={"num_users": users}, **{**VARIABLES, **variables})
        assert all("ocp4_workload_litemaas_ignore_capacity" in each for each in run.warnings)
        return run

    def passes(self, users=USERS, **variables):
        run = self.play(users, **variables)
        assert run.rc == 0, run.text
        return run

    def rule(self, **data):
        """What is to happen to the pods that are made from now on; see the lab's README."""
        name = f"{NAMESPACE}-{len(self.rules)}"
        path = f"/api/v1/namespaces/kube-system/configmaps/{name}"
        metadata = {"name": name, "namespace": "kube-system", "labels": {"lab.test/rule": ""}}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        self.client.apply(path, body, field_manager="tests")
        self.rules.append(path)
        time.sleep(1)  # until the API server has taken it up
        return path


@pytest.fixture(scope="module")
def workshop(play, client, tmp_path_factory):
    if not client.list("/api/v1/nodes", label_selector="lab.test/simulated"):
        pytest.fail("there is no simulated node: `tests/lab/lab up --simulated-nodes 10`")
    workshop = Workshop(play, client, tmp_path_factory.mktemp("handed-out"))
    workshop.rule(namespaces=f"{NAMESPACE}-user.*", nodes="simulated")
    yield workshop
    play(**VARIABLES, remove=True)
    for path in workshop.rules:
        client.delete(path)


@pytest.fixture(scope="module")
def first(workshop):
    """The run in which one of them cannot pull its image."""
    rule = workshop.rule(namespaces=HOME, objects="litellm-.*", fails="ImagePullBackOff")
    run = workshop.play(wait_timeout=300)
    workshop.client.delete(rule)
    return run


def test_one_bad_one_of_eighty_fails_the_run_and_nobody_else(first):
    assert first.rc != 0
    assert f"1 of {USERS} instances are not ready; the others are." in first.stdout
    assert re.search(rf"- user{BAD} \(namespace {HOME}\): litellm \(image\): ", first.stdout)
    assert f"{USERS - 1} of {USERS} ready, 1 failed (user{BAD})" in first.stdout
    rows = [line.split() for line in first.stdout.splitlines()]
    states = {row[0]: row[1] for row in rows if row[1:2] in (["ready"], ["FAILED"])}
    assert [name for name, state in states.items() if state == "FAILED"] == [f"user{BAD}"]
    assert len(states) == USERS
    assert list(states)[-1] == f"user{BAD}", "where the eye is"


def test_the_others_are_told_how_to_log_in(first):
    data = first.user_data()
    served = {f"user{number}" for number in range(1, USERS + 1)} - {f"user{BAD}"}
    assert set(data["users"]) == served
    assert data["litemaas_failed_users"] == [f"user{BAD}"]
    keys = {user["litemaas_api_key"] for user in data["users"].values()}
    passwords = {user["litemaas_password"] for user in data["users"].values()}
    assert len(keys) == len(passwords) == USERS - 1, "nobody has another's"
    assert all(data[f"litemaas_{name}_api_key"] in keys for name in served)


def test_a_run_of_many_says_how_far_it_is(first):
    lines = [line for line in first.stdout.splitlines() if line.startswith(f"{NAMESPACE}-user: ")]
    assert any(f"{USERS} instances: postgres " in line for line in lines)
    assert any(f"user{BAD}" in line for line in lines)


def test_the_next_run_repairs_it(workshop, first, audit):
    for pod in workshop.client.list(f"/api/v1/namespaces/{HOME}/pods"):
        workshop.client.delete(f"/api/v1/namespaces/{HOME}/pods/{pod['metadata']['name']}")
    before = first.user_data()["users"]
    audit.mark()

    run = workshop.passes()

    assert f"{USERS} of {USERS} ready; " in run.stdout
    assert audit.writes(containing=NAMESPACE) == [], "its pod comes by itself, the rest was there"
    data = run.user_data()
    assert len(data["users"]) == USERS
    assert data["litemaas_failed_users"] == []
    assert {name: data["users"][name] for name in before} == before


def test_more_users_touch_only_the_new_ones(workshop, first, audit):
    audit.mark()
    run = workshop.passes(USERS + 2)
    assert f"{USERS + 2} of {USERS + 2} ready; " in run.stdout
    writes = audit.writes(containing=NAMESPACE)
    touched = {re.search(rf"{NAMESPACE}-user(\d+)", write)[1] for write in writes}
    assert touched == {str(USERS + 1), str(USERS + 2)}
    assert len(run.user_data()["users"]) == USERS + 2


def test_fewer_users_remove_nothing_silently(workshop, first, audit):
    audit.mark()
    run = workshop.passes()
    surplus = f"{NAMESPACE}-user{USERS + 1}, {NAMESPACE}-user{USERS + 2}"
    assert f"left alone: {surplus}." in run.stdout
    assert run.recap["changed"] == 0
    assert audit.writes(containing=NAMESPACE) == []
    assert len(audit.entries(containing=NAMESPACE)) <= 2 * USERS

    removed = workshop.passes(remove_surplus=True)
    assert f"Removed: {surplus}" in removed.stdout
    assert len(homes(workshop.client)) == USERS


def homes(client):
    label = f"rhpds.litemaas/deployment={NAMESPACE}-user"
    return client.list("/api/v1/namespaces", label_selector=label)


def test_removal_finds_them_all_and_says_how_far_it_is(workshop, first):
    run = workshop.passes(remove=True)
    assert f"{NAMESPACE}-user: {USERS} of {USERS} namespaces gone; " in run.stdout
    assert homes(workshop.client) == []
