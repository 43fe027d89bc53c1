# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gateway should hold, compared with what it holds: models, teams, users and keys.

Internal to rhpds.litemaas: no stable interface for other collections.

Decided without talking to a gateway. A field that is not given is left as it is; a number below
zero, and a duration of "-1", take a limit away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Action = Literal["unchanged", "created", "updated", "replaced", "deleted"]
# What the list of a kind is called. Not "keys": in a template that is a dictionary's own method.
LISTS = {"model": "models", "team": "teams", "user": "users", "key": "virtual_keys"}
ALL = "all-proxy-models"
_ALL = (ALL, "*")
NUMBERS = ("max_budget", "tpm_limit", "rpm_limit", "max_parallel_requests")
DURATIONS = ("budget_duration",)
HIDDEN = "***"
CHANGED = "*** (changed)"


@dataclass(frozen=True)
class Change:
    """What happens to one object.

    ``body`` is what is sent (it may hold secrets), ``before`` and ``after`` are for people.
    """

    kind: str
    name: str
    action: Action
    id: str = ""
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    found: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def changes(self) -> bool:
        return self.action != "unchanged"


def number(value: Any) -> Any:
    """A number that came back as text ('0.003' in LiteLLM 1.81) as a number, else the value."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def same(wanted: Any, found: Any) -> bool:
    """Whether two values mean the same to LiteLLM."""
    if isinstance(wanted, bool) or isinstance(found, bool):
        return wanted == found
    if isinstance(wanted, (int, float)) or isinstance(found, (int, float)):
        return number(wanted) == number(found)
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        keys = {*wanted, *found}
        return all(same(wanted.get(key), found.get(key)) for key in keys)
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(map(same, wanted, found))
    return wanted == found


def names(models: Iterable[str] | None) -> list[str]:
    """An allow-list in one form: sorted, and empty when it allows everything."""
    listed = sorted(set(models or ()))
    return [] if any(name in _ALL for name in listed) else listed


def limits(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The limits that are given, None for one to be taken away."""
    found = {}
    for key in (*NUMBERS, *DURATIONS):
        value = spec.get(key)
        if value is not None:
            away = value == "-1" if key in DURATIONS else value < 0
            found[key] = None if away else value
    return found


def fields(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of *wanted* to send, because *found* differs. Metadata is merged: LiteLLM replaces it."""
    sent: dict[str, Any] = {}
    for key, value in wanted.items():
        live = found.get(key)
        if key == "models":
            if names(value) != names(live):
                sent[key] = list(value)
        elif key == "metadata":
            kept = live if isinstance(live, dict) else {}
            merged = {k: v for k, v in {**kept, **value}.items() if v is not None}
            if not same(merged, kept):
                sent[key] = merged
        elif not same(value, live) and not (value in (None, {}, [], "") and not live):
            sent[key] = value
    return sent


def compared(
    kind: str,
    name: str,
    id: str,
    wanted: Mapping[str, Any],
    found: Mapping[str, Any] | None,
    *,
    present: bool = True,
    extra: Mapping[str, Any] | None = None,
) -> Change:
    """The change of a team, user or key. *extra*: sent at creation only."""
    if not present:
        if found is None:
            return Change(kind, name, "unchanged", id)
        before = {key: found.get(key) for key in SHOWN[kind] if found.get(key) not in (None, "")}
        return Change(kind, name, "deleted", id, before=before, found=found)
    if found is None:
        body = {key: value for key, value in wanted.items() if value is not None}
        after = {key: value for key, value in body.items() if key in SHOWN[kind]}
        return Change(kind, name, "created", id, {**body, **(extra or {})}, after=after)
    sent = fields(wanted, found)
    if not sent:
        return Change(kind, name, "unchanged", id, found=found)
    before = {key: found.get(key) for key in sent}
    return Change(kind, name, "updated", id, sent, before, dict(sent), found)


SHOWN = {
    kind: (*own, "models", *NUMBERS, *DURATIONS, "metadata", "blocked")
    for kind, own in {
        "team": ("team_id", "team_alias"),
        "user": ("user_id", "user_alias", "user_email", "user_role"),
        "key": ("key_alias", "user_id", "team_id", "aliases", "duration"),
    }.items()
}
