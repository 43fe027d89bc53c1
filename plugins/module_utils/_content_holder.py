# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Teams and users of a gateway: what is declared, and what differs from what is there.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils._content import (
    ALL,
    Change,
    compared,
    limits,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

_TEAM = ("models", "metadata", "blocked")
_USER = ("user_alias", "user_email", "user_role", "models", "metadata")


def team_id(spec: Mapping[str, Any]) -> str:
    """A team is known by an id of its own, by default its alias: an alias may be had by several."""
    return str(spec.get("team_id") or spec["team_alias"])


def team(spec: Mapping[str, Any], found: Mapping[str, Any] | None) -> Change:
    """*found*: ``team_info`` of the gateway's answer, or None."""
    id = str((found or {}).get("team_id") or team_id(spec))
    wanted: dict[str, Any] = {"team_alias": spec.get("team_alias") or id}
    wanted |= _given(spec, _TEAM) | limits({**spec, "max_parallel_requests": None})
    return compared(
        "team",
        wanted["team_alias"],
        id,
        wanted,
        found,
        present=spec.get("state") != "absent",
        extra={"team_id": id},
    )


def user(spec: Mapping[str, Any], found: Mapping[str, Any] | None) -> Change:
    """*found*: ``user_info`` of the gateway's answer, or None."""
    id = spec["user_id"]
    wanted = _given(spec, _USER) | limits({**spec, "max_parallel_requests": None})
    if wanted.get("models") == []:
        # An update with an empty list answers 200 and changes nothing (1.81 and 1.106).
        wanted["models"] = [ALL]
    # A key that nobody asked for would be left behind.
    extra = {"user_id": id, "auto_create_key": False}
    present = spec.get("state") != "absent"
    return compared("user", id, id, wanted, found, present=present, extra=extra)


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
