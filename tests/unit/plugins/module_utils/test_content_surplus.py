# SPDX-License-Identifier: MIT
"""What an earlier run made and this one does not declare: found by its mark, in the order in which it goes."""

from __future__ import annotations

from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _content_surplus
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_keys import Declared

MARK = {"for": "users"}
OURS = {"metadata": {"for": "users", "more": 1}}
DECLARED = Declared(
    teams=({"team_id": "t1", "team_alias": "user1"}, {"team_alias": "user2"}),
    users=({"user_id": "user1"},),
    keys=({"key_alias": "user1"},),
)


def found(**listed: list[dict[str, Any]]) -> list[tuple[str, str]]:
    rows: dict[str, list[dict[str, Any]]] = {"key": [], "team": [], "user": [], **listed}
    every = _content_surplus.find(rows, _content_surplus.names(DECLARED), MARK)
    return [(each.kind, each.id) for each in every]


def test_only_what_is_marked_and_not_declared() -> None:
    keys = [
        {"token": "a", "key_alias": "user1", **OURS},
        {"token": "b", "key_alias": "user10", **OURS},
        {"token": "c", "key_alias": "user9", **OURS},
        {"token": "d", "key_alias": "theirs", "metadata": {"for": "us"}},
        {"token": "e", "key_alias": None, "metadata": None},
    ]
    teams = [
        {"team_id": "t1", "team_alias": "renamed", **OURS},
        {"team_id": "t2", "team_alias": "user2", **OURS},
        {"team_id": "t3", "team_alias": "user3", **OURS},
    ]
    users = [{"user_id": "user1", **OURS}, {"user_id": "user3", **OURS}, {"user_id": "admin"}]
    assert found(key=keys, team=teams, user=users) == [
        *(("key", "c"), ("key", "b")),
        *(("team", "t3"), ("user", "user3")),
    ]


def test_what_it_spent_is_told() -> None:
    rows = {"key": [], "team": [], "user": [{"user_id": "user3", "spend": "0.25", **OURS}]}
    (only,) = _content_surplus.find(rows, _content_surplus.names(DECLARED), MARK)
    assert only.result("kept") == {
        "kind": "user",
        "name": "user3",
        "id": "user3",
        "spend": 0.25,
        "action": "kept",
    }
    assert only.deletion(None).action == "unchanged"
    assert only.deletion({"user_id": "user3"}).action == "deleted"
