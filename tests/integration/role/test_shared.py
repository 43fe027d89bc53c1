# SPDX-License-Identifier: MIT
"""One gateway with real LiteLLM and PostgreSQL that several users share: what each gets, and what none can do to another.

The tests of this file build on each other, in this order; each step runs once.
"""

from __future__ import annotations

import base64
import functools
import json
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import pytest

NAMESPACE, PREFIX = "litemaas-class", "student"
DEPLOYMENT = f"{NAMESPACE}-{PREFIX}"
HOME, OWN = f"{DEPLOYMENT}-shared", f"{DEPLOYMENT}1"
USERS = [f"user{number}" for number in range(1, 6)]
SETTINGS = {
    "namespace": NAMESPACE,
    "multi_user": True,
    "tenancy": "shared",
    "user_prefix": PREFIX,
    "route_name": "class",
    # Starting is work; what a class gets would only make it last.
    "litellm_cpu_limit": "2",
    "multi_user_litellm_cpu_limit": "2",
    "shared_limits": {"max_budget": 0.5, "rpm_limit": 600},
}
CHAT = {"model": "tale", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 5}
COMMON = "Common-word-1234"


class Class:
    """The steps, each run when first asked for."""

    def __init__(self, play, gateway, client, models_url, output_dir):
        self.client = client
        self._play = functools.partial(play, output_dir=output_dir)
        self._gateway = gateway
        self._models = [
            {
                "name": "tale",
                "model": "openai/lab-model",
                "api_base": models_url,
                "api_key": "sk-canary-model",
                "parameters": {"input_cost_per_token": 0.01, "output_cost_per_token": 0.01},
            }
        ]

    def play(self, users, *flags, **variables):
        variables = {**SETTINGS, "models": self._models, **variables}
        return self._play(*flags, extra={"num_users": users}, **variables)

    @cached_property
    def deployed(self):
        return self.play("5", "-vvv", "--diff").ok()

    @cached_property
    def users(self):
        return self.deployed.user_data()["users"]

    @cached_property
    def gateway(self):
        """Asked with the key of the first user."""
        return self._gateway(self.users["user1"])

    def secrets(self, name):
        found = self.client.find(f"/api/v1/namespaces/{HOME}/secrets/{name}") or {}
        return {k: base64.b64decode(v).decode() for k, v in (found.get("data") or {}).items()}

    @cached_property
    def master_key(self):
        return self.secrets("litellm-secret")["LITELLM_MASTER_KEY"]

    def chats(self, users):
        """The status of a chat of each."""
        return {
            name: self.gateway.call(
                "POST", "/v1/chat/completions", CHAT, key=user["litemaas_api_key"]
            )[0]
            for name, user in users.items()
        }

    def enters(self, user):
        return self.gateway.enter(user["litemaas_username"], user["litemaas_password"])

    def spent(self, name):
        team = self.gateway.call("GET", f"/team/info?team_id={name}", key=self.master_key)[1]
        return team["team_info"]["spend"]


@pytest.fixture(scope="module")
def shared(play, gateway, client, model_server, tmp_path_factory):
    yield Class(play, gateway, client, model_server, tmp_path_factory.mktemp("handed-out"))
    play(**SETTINGS, remove=True)


def test_what_cannot_be_is_refused_before_anything_is_created(shared, client):
    run = shared.play(
        2,
        multi_user_common_password="short",
        shared_limits={"budget_duration": "a month"},
        virtual_keys=[{"alias": "lab", "team": "theirs"}],
    )
    assert run.rc != 0
    assert "3 problems found before the start; nothing was created or changed." in run.stdout
    for variable in ("multi_user_common_password", "shared_limits", "virtual_keys"):
        assert f"ocp4_workload_litemaas_{variable}" in run.stdout
    assert client.find(f"/api/v1/namespaces/{HOME}") is None


def test_each_user_has_a_login_and_a_key_on_one_gateway(shared, client):
    data = shared.deployed.user_data()
    assert list(data["users"]) == USERS, "Showroom's names, whatever the prefix"
    first = data["users"]["user1"]
    for number, user in enumerate(data["users"].values(), 1):
        assert user["litemaas_namespace"] == HOME
        assert user["litemaas_url"] == first["litemaas_url"]
        assert user["litemaas_api_base"] == f"{first['litemaas_url']}/v1"
        assert user["litemaas_username"] == f"{PREFIX}{number}"
        assert user["litemaas_api_key"] == user["litemaas_virtual_key"]
        assert user["litemaas_models"] == "tale"
        assert data[f"litemaas_user{number}_api_key"] == user["litemaas_api_key"]
    for name in ("litemaas_api_key", "litemaas_password"):
        assert len({user[name] for user in data["users"].values()}) == len(USERS)
    assert data["litemaas_failed_users"] == []
    deployment = f"rhpds.litemaas/deployment={DEPLOYMENT}"
    homes = client.list("/api/v1/namespaces", label_selector=deployment)
    assert [home["metadata"]["name"] for home in homes] == [HOME]
    assert shared.secrets("litellm-virtual-keys") == {
        user["litemaas_username"]: user["litemaas_api_key"] for user in data["users"].values()
    }
    assert "5 instances of their own would need" in shared.deployed.stdout


def test_no_user_is_told_what_the_administrator_has(shared):
    told = "".join(path.read_text() for path in shared.deployed.output_dir.iterdir())
    administrator = shared.secrets("litellm-secret")
    for name in ("LITELLM_MASTER_KEY", "UI_PASSWORD", "LITELLM_SALT_KEY"):
        assert administrator[name] not in told
        assert administrator[name] not in shared.deployed.text
    assert "sk-canary-model" not in shared.deployed.text


def test_every_login_enters_and_every_key_chats(shared):
    with ThreadPoolExecutor(len(USERS)) as pool:
        sessions = dict(zip(USERS, pool.map(shared.enters, shared.users.values()), strict=True))
    for name, session in sessions.items():
        assert session.get("user_id") == shared.users[name]["litemaas_username"], name
        assert session["user_role"] == "internal_user"
    assert shared.chats(shared.users) == dict.fromkeys(USERS, 200)


def test_no_key_sees_or_manages_what_is_another_users(shared):
    ask, second = shared.gateway.call, f"{PREFIX}2"
    theirs = shared.users["user2"]["litemaas_api_key"]
    for method, path, body in (
        ("GET", f"/team/info?team_id={second}", None),
        ("GET", f"/user/info?user_id={second}", None),
        ("GET", f"/key/info?key={theirs}", None),
        ("GET", "/user/list", None),
        ("POST", "/key/delete", {"keys": [theirs]}),
        ("POST", "/key/update", {"key": theirs, "max_budget": 0}),
        ("POST", "/user/update", {"user_id": second, "max_budget": 0}),
        ("POST", "/user/update", {"user_id": f"{PREFIX}1", "max_budget": 100}),
        ("POST", "/team/update", {"team_id": f"{PREFIX}1", "max_budget": 100}),
        ("POST", "/team/member_add", {"team_id": second, "member": {"user_id": f"{PREFIX}1"}}),
        ("POST", "/user/new", {"user_id": "intruder"}),
        ("POST", "/model/new", {"model_name": "own", "litellm_params": {"model": "openai/x"}}),
    ):
        status, answer = ask(method, path, body)
        assert status >= 400, (method, path, status, answer)
    status, listed = ask("GET", "/key/list?return_full_object=true")
    assert status >= 400 or {key["user_id"] for key in listed["keys"]} <= {f"{PREFIX}1"}
    assert shared.chats({"user2": shared.users["user2"]}) == {"user2": 200}


def test_a_key_that_a_user_makes_spends_nothing_beside_the_budget(shared):
    """Even when the user lifts the list of models, which LiteLLM lets users do of themselves."""
    session = shared.enters(shared.users["user3"])
    status, made = shared.gateway.call("POST", "/key/generate", {"models": []}, session["key"])
    if status == 200:
        own = {"user3": {"litemaas_api_key": made["key"]}}
        assert shared.chats(own)["user3"] >= 400
        lifted = {"user_id": f"{PREFIX}3", "models": ["all-proxy-models"]}
        shared.gateway.call("POST", "/user/update", lifted, session["key"])
        assert shared.chats(own)["user3"] >= 400
        removed = shared.gateway.call(
            "POST", "/key/delete", {"keys": [made["key"]]}, shared.master_key
        )
        assert removed[0] == 200, removed


def test_a_budget_that_is_spent_stops_its_user_alone(shared):
    """Three refusals in a row: near its end a budget also refuses what the request before it still reserves."""
    end, refused = time.monotonic() + 90, 0
    while refused < 3:
        assert time.monotonic() < end, "the budget was never exceeded"
        answer = shared.gateway.call(
            "POST", "/v1/chat/completions", CHAT, key=shared.users["user2"]["litemaas_api_key"]
        )
        spent = answer[0] != 200 and "budget" in json.dumps(answer).lower()
        refused = refused + 1 if spent else 0
    assert shared.chats({"user1": shared.users["user1"]}) == {"user1": 200}


def test_a_second_run_changes_nothing_and_tells_the_same(shared, audit):
    # What the last test left of its own doing is put right first.
    shared.play(5).ok()
    audit.mark()
    run = shared.play(5).ok()
    assert run.recap["changed"] == 0
    assert run.user_data()["users"] == shared.users
    assert audit.entries(containing=HOME)
    assert audit.writes(containing=HOME) == []


def test_fewer_users_leave_the_others_alone_until_told_otherwise(shared):
    run = shared.play(3).ok()
    assert run.recap["changed"] == 0
    (line,) = [each for each in run.stdout.splitlines() if "left alone on the shared" in each]
    assert f"US dollars: {PREFIX}4, {PREFIX}5." in line and "remove_surplus" in line
    gone = {name: shared.users[name] for name in ("user4", "user5")}
    assert shared.chats(gone) == dict.fromkeys(gone, 200)

    checked = shared.play(3, "--check", remove_surplus=True).ok()
    assert f"{PREFIX}4, {PREFIX}5" in checked.stdout and "Would be removed" in checked.stdout
    assert shared.chats(gone) == dict.fromkeys(gone, 200)

    run = shared.play(3, remove_surplus=True).ok()
    assert "Removed from the shared gateway, with the count of what they had spent" in run.stdout
    end = time.monotonic() + 90
    while 200 in shared.chats(gone).values():  # what the gateway remembers of a key ends
        assert time.monotonic() < end
        time.sleep(2)
    assert not any(shared.enters(user) for user in gone.values())
    kept = {user["litemaas_username"] for user in list(shared.users.values())[:3]}
    assert set(shared.secrets("litellm-virtual-keys")) == kept
    assert set(shared.secrets("litellm-user-passwords")) == kept
    assert shared.play(3, remove_surplus=True).ok().recap["changed"] == 0


def test_a_common_password_is_that_of_users_and_not_of_the_administrator(shared):
    run = shared.play(3, multi_user_common_password=COMMON).ok()
    users = run.user_data()["users"]
    assert {users[name]["litemaas_password"] for name in USERS[:3]} == {COMMON}
    assert shared.gateway.enter(f"{PREFIX}3", COMMON)
    assert not shared.gateway.enter("admin", COMMON)


def test_the_other_tenancy_takes_nothing_away_and_back_again(shared, client, gateway):
    assert shared.chats({"user1": shared.users["user1"]}) == {"user1": 200}
    end = time.monotonic() + 60
    while not (before := shared.spent(f"{PREFIX}1")):  # written down some seconds later
        assert time.monotonic() < end
        time.sleep(1)
    run = shared.play(1, tenancy="dedicated").ok()
    assert f"Of an earlier run, and left alone: {HOME}." in run.stdout
    own = run.user_data()["users"]["user1"]
    assert own["litemaas_namespace"] == OWN
    assert gateway(own).call("GET", "/user/list")[0] == 200, "the master key of an own gateway"
    assert shared.chats({"user1": shared.users["user1"]}) == {"user1": 200}

    run = shared.play(3, remove_surplus=True).ok()
    assert f"Removed: {OWN}, with the data" in run.stdout
    assert client.find(f"/api/v1/namespaces/{OWN}") is None
    again = run.user_data()["users"]["user1"]
    assert again["litemaas_api_key"] == shared.users["user1"]["litemaas_api_key"]
    assert own["litemaas_api_key"] not in [*again.values(), *run.user_data().values()]
    assert shared.spent(f"{PREFIX}1") >= before


def test_removal_finds_it_by_its_labels(shared, client):
    run = shared._play(**SETTINGS, remove=True).ok()
    assert run.recap["changed"] == 1
    selector = f"rhpds.litemaas/deployment={DEPLOYMENT}"
    assert client.list("/api/v1/namespaces", label_selector=selector) == []
