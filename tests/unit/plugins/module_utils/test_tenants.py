# SPDX-License-Identifier: MIT
"""What users of a shared gateway get on it, and who is told what."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _content_options,
    _hand_out,
    _instances,
    _tenants,
)

SETTINGS = yaml.safe_load((Path(__file__).parent / "fixtures" / "settings.yml").read_text())
MASTER = "sk-canary-master"


def settings(**changes: Any) -> Any:
    return copy.deepcopy(SETTINGS) | {"multi_user": True, "tenancy": "shared"} | changes


def recipients(users: int, **changes: Any) -> list[Any]:
    chosen = settings(**changes)
    return list(_tenants.recipients(chosen, _instances.instances(chosen, users), users))


def test_each_user_gets_a_login_a_team_and_a_key() -> None:
    limits = {"max_budget": 10, "max_parallel_requests": 4}
    found = _tenants.content(settings(user_prefix="student", shared_limits=limits), 12)
    assert not list(_content_options.faults(found))
    assert [len(each) for each in found.values()] == [12, 12, 12]
    user, team, key = (found[kind][11] for kind in ("users", "teams", "virtual_keys"))
    assert user["user_id"] == user["user_email"] == team["team_id"] == "student12"
    assert user["login"] is True
    # Models by the keys of the team only: nothing is spent beside its budget.
    assert (user["models"], user["max_budget"]) == (["no-default-models"], 0.0)
    assert team["members"] == [{"user_id": "student12"}]
    # What is not limited is said too, so that a limit that is taken out of the settings goes.
    assert (team["max_budget"], team["rpm_limit"], team["budget_duration"]) == (10, -1, "-1")
    assert key["key_alias"] == key["team_id"] == key["user_id"] == "student12"
    assert key["max_parallel_requests"] == 4
    assert all(
        each["metadata"].items() >= _tenants.MARK.items()
        for specs in found.values()
        for each in specs
    )


def test_declared_keys_are_each_users() -> None:
    declared = [
        {"alias": "old", "state": "absent"},
        {"key_alias": "lab", "models": ["granite"], "metadata": {"room": 7}},
        {"alias": "batch"},
    ]
    chosen = {"content": {"virtual_keys": declared}}
    found = _tenants.content(settings(**chosen), 2)["virtual_keys"]
    assert [key["key_alias"] for key in found] == [
        *("user1-old", "user1-lab", "user1-batch"),
        *("user2-old", "user2-lab", "user2-batch"),
    ]
    assert found[1]["metadata"] == {"room": 7, **_tenants.MARK}
    assert [each["key"] for each in recipients(2, **chosen)] == ["user1-lab", "user2-lab"]
    # Without any that is there, each has one all the same.
    chosen["content"]["virtual_keys"] = declared[:1]
    found = _tenants.content(settings(**chosen), 1)["virtual_keys"]
    assert [key["key_alias"] for key in found] == ["user1-old", "user1"]
    assert [each["key"] for each in recipients(1, **chosen)] == ["user1"]


def test_without_a_shared_gateway_there_is_nothing_more_and_no_value_leaves_the_plan() -> None:
    declared = {"virtual_keys": [{"alias": "lab", "value": "sk-canary"}]}
    found = _tenants.content(settings(tenancy="dedicated", content=declared), 2)
    assert found == {"teams": [], "users": [], "virtual_keys": []}


def test_recipients_are_the_catalogs_users() -> None:
    shared, own = recipients(2, user_prefix="student"), recipients(2, tenancy="dedicated")
    single = recipients(1, multi_user=False, tenancy="dedicated")
    assert [each["name"] for each in shared] == [each["name"] for each in own] == ["user1", "user2"]
    assert {each["namespace"] for each in shared} == {"litemaas-student-shared"}
    assert [each["login"] for each in shared] == ["student1", "student2"]
    assert [(each["instance"], each["login"]) for each in own] == [("user1", ""), ("user2", "")]
    assert [(each["name"], each["user"]) for each in single] == [("litemaas", "")]


def credentials(*users: str) -> dict[str, Any]:
    return {
        "username": "admin",
        "password": "admins",
        "api_key": MASTER,
        "virtual_keys": {user: f"sk-{user}" for user in users},
        "passwords": {user: f"of-{user}" for user in users},
    }


def content(*users: str, **changes: Any) -> dict[str, Any]:
    keys = [
        {"key_alias": user, "action": "created", "models": [], "secret_key": user} for user in users
    ]
    served = {
        "name": "shared",
        "served": ["a", "b"],
        "users": [{"user_id": user} for user in users],
    }
    return {**served, "virtual_keys": keys, **changes}


def test_users_of_a_shared_gateway_are_told_their_own_key_and_never_the_master_key() -> None:
    stored = {"shared": credentials("user1", "user2")}
    told = _hand_out.logins(recipients(2), stored, [content("user1", "user2")])
    assert told["user2"] == {
        "username": "user2",
        "password": "of-user2",
        "api_key": "sk-user2",
        "virtual_key": "sk-user2",
        "models": "a,b",
    }
    assert MASTER not in json.dumps(told) and "admins" not in json.dumps(told)


def test_who_was_not_made_is_told_nothing() -> None:
    # The values of the third are written down, but the gateway refused the key.
    stored = {"shared": credentials("user1", "user2", "user3")}
    made = content("user1", "user2")
    made["users"].append({"user_id": "user3"})
    made["virtual_keys"][1]["action"] = "deleted"
    assert set(_hand_out.logins(recipients(3), stored, [made])) == {"user1"}
    assert _hand_out.logins(recipients(3), {}, [made]) == {}


def test_who_has_an_own_gateway_is_told_its_master_key_and_the_first_key() -> None:
    (only,) = recipients(1, multi_user=False, tenancy="dedicated")
    key = {"key_alias": "lab", "action": "unchanged", "models": ["a"], "secret_key": "lab"}
    gone = {"key_alias": "old", "action": "deleted", "models": [], "secret_key": "old"}
    stored = {"litemaas": {**credentials(), "virtual_keys": {"lab": "sk-lab", "old": "sk-old"}}}
    gateway = {"name": "litemaas", "served": ["a", "b"], "virtual_keys": [gone, key]}
    told = _hand_out.logins([only], stored, [gateway])["litemaas"]
    assert (told["api_key"], told["virtual_key"], told["models"]) == (MASTER, "sk-lab", "a")
    bare = _hand_out.logins([only], stored, [])["litemaas"]
    assert (bare["username"], bare["virtual_key"], bare["models"]) == ("admin", "", "")
