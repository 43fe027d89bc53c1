# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys, teams and users that an earlier run made and that are declared no more, with what they spent.

Internal to rhpds.litemaas: no stable interface for other collections.

They are known by entries of their metadata. What others made never has those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils._content import (
    Change,
    compared,
    number,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_keys import Declared

# In the order in which they go: a key before its team, a team before its members.
KINDS = {"key": ("token", "key_alias"), "team": ("team_id", "team_alias"), "user": ("user_id",) * 2}


@dataclass(frozen=True)
class Found:
    """One of them. ``spend``: US dollars."""

    kind: str
    name: str
    id: str
    spend: float

    def deletion(self, live: Mapping[str, Any] | None) -> Change:
        """What is to be done with it, as it stands now."""
        return compared(self.kind, self.name, self.id, {}, live, present=False)

    def result(self, action: str) -> dict[str, Any]:
        """For the module's result."""
        shown = {"kind": self.kind, "name": self.name, "spend": self.spend, "action": action}
        return {**shown, "id": self.id}


def find(
    listed: Mapping[str, Iterable[Mapping[str, Any]]],
    declared: Mapping[str, set[str]],
    metadata: Mapping[str, Any],
) -> list[Found]:
    """*listed*: all that the gateway has, by kind; *declared*: ids and names, by kind."""
    found = []
    for kind, (id, name) in KINDS.items():
        for row in listed[kind]:
            live = row.get("metadata") or {}
            if not metadata.items() <= live.items():
                continue
            names = {str(row.get(id) or ""), str(row.get(name) or "")}
            if not names & declared[kind]:
                spend = float(number(row.get("spend") or 0.0))
                found.append(Found(kind, str(row.get(name) or ""), str(row.get(id) or ""), spend))
    return sorted(found, key=lambda each: (list(KINDS).index(each.kind), len(each.name), each.name))


def names(declared: Declared) -> dict[str, set[str]]:
    """The ids and names of all that is declared, by kind."""
    return {
        "key": {spec["key_alias"] for spec in declared.keys},
        "team": {
            name
            for spec in declared.teams
            for name in (spec.get("team_id"), spec.get("team_alias"))
            if name
        },
        "user": {spec["user_id"] for spec in declared.users},
    }
