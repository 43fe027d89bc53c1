# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Teams and users of a gateway: what is declared, and what differs from what is there.

Internal to rhpds.litemaas: no stable interface for other collections.

A password cannot be read back. That it is the one that was set stands in the user's metadata, as a
hash keyed with the gateway's master key; who changes it in the web UI keeps the own one.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from ansible_collections.rhpds.litemaas.plugins.module_utils._content import (
    ALL,
    CHANGED,
    HIDDEN,
    Change,
    compared,
    limits,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

SEAL = "rhpds_litemaas_password"
# LiteLLM makes who creates a team its first member: the master key's own user.
CREATOR = "default_user_id"
_TEAM = ("models", "metadata", "blocked")
_USER = ("user_alias", "user_email", "user_role", "models", "metadata")


class Login(NamedTuple):
    """How a user enters the web UI; the name is the user's address."""

    name: str
    password: str


class Members(NamedTuple):
    """What is to be done with the members of a team: user ids, and roles by user id."""

    added: dict[str, str]
    removed: list[str]
    changed: dict[str, str]


def team_id(spec: Mapping[str, Any]) -> str:
    """A team is known by an id of its own, by default its alias: an alias may be had by several."""
    return str(spec.get("team_id") or spec["team_alias"])


def team(spec: Mapping[str, Any], found: Mapping[str, Any] | None) -> Change:
    """*found*: ``team_info`` of the gateway's answer, or None."""
    id = str((found or {}).get("team_id") or team_id(spec))
    wanted: dict[str, Any] = {"team_alias": spec.get("team_alias") or id}
    wanted |= _given(spec, _TEAM) | limits({**spec, "max_parallel_requests": None})
    present = spec.get("state") != "absent"
    change = compared(
        "team",
        wanted["team_alias"],
        id,
        wanted,
        found,
        present=present,
        extra={"team_id": id},
    )
    if not present or spec.get("members") is None:
        return change
    return _with_members(change, spec["members"], found)


def _with_members(
    change: Change, given: Iterable[Mapping[str, Any]], found: Mapping[str, Any] | None
) -> Change:
    """The change of a team and that of its members, who are to be those *given* and no others."""
    wanted = {each["user_id"]: each.get("role") or "user" for each in given}
    live = {
        str(each["user_id"]): str(each.get("role") or "user")
        for each in (found or {}).get("members_with_roles") or ()
        if each.get("user_id") not in (None, CREATOR)
    }
    members = Members(
        {id: role for id, role in wanted.items() if id not in live},
        [id for id in live if id not in wanted],
        {id: role for id, role in wanted.items() if live.get(id, role) != role},
    )
    if not any(members):
        return change
    return replace(
        change,
        action="updated" if change.action == "unchanged" else change.action,
        body={**change.body, "members": members},
        before={**change.before, **({"members": live} if found else {})},
        after={**change.after, "members": wanted},
    )


def user(
    spec: Mapping[str, Any], found: Mapping[str, Any] | None, password: str = "", key: str = ""
) -> Change:
    """*found*: ``user_info`` of the gateway's answer, or None. *key*: for the hash of the password."""
    id = spec["user_id"]
    wanted = _given(spec, _USER) | limits({**spec, "max_parallel_requests": None})
    if wanted.get("models") == []:
        # An update with an empty list answers 200 and changes nothing (1.81 and 1.106).
        wanted["models"] = [ALL]
    # A key that nobody asked for would be left behind.
    extra = {"user_id": id, "auto_create_key": False}
    present = spec.get("state") != "absent"
    if not present or not password:
        return compared("user", id, id, wanted, found, present=present, extra=extra)
    sealed = seal(id, password, key)
    wanted["metadata"] = {**(wanted.get("metadata") or {}), SEAL: sealed}
    change = compared("user", id, id, wanted, found, extra=extra)
    change = replace(change, before=_unsealed(change.before), after=_unsealed(change.after))
    if ((found or {}).get("metadata") or {}).get(SEAL) == sealed:
        return change
    name = str(spec.get("user_email") or (found or {}).get("user_email") or "")
    return replace(
        change,
        body={**change.body, "password": Login(name, password)},
        before={**change.before, **({"password": HIDDEN} if found else {})},
        after={**change.after, "password": CHANGED if found else HIDDEN},
    )


def seal(id: str, password: str, key: str) -> str:
    """A hash by which a changed password is seen; keyed, because others can read it."""
    return hmac.new(key.encode(), f"{id}\n{password}".encode(), hashlib.sha256).hexdigest()[:32]


def _unsealed(shown: Mapping[str, Any]) -> dict[str, Any]:
    """What is shown of a user, without the hash."""
    found = dict(shown)
    metadata = {k: v for k, v in (found.pop("metadata", None) or {}).items() if k != SEAL}
    return {**found, "metadata": metadata} if metadata else found


def only(teams: Iterable[Mapping[str, Any]], alias: str) -> Mapping[str, Any] | None:
    """The one team of an alias. Raises LitemaasError where several have it."""
    named = [each for each in teams if each.get("team_alias") == alias]
    if len(named) > 1:
        ids = ", ".join(sorted(str(each.get("team_id")) for each in named))
        raise LitemaasError(
            f"the gateway has {len(named)} teams of the alias {alias} ({ids}): give team_id."
        )
    return named[0] if named else None


def _given(spec: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: spec[key] for key in keys if spec.get(key) is not None}
