# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is told what, and what the users of a shared gateway get on it.

Internal to rhpds.litemaas: no stable interface for other collections.

On a shared gateway a user has a login, a team with a budget, and keys in that team. The user may use
models by these keys only: a key that is made in the web UI would spend beside the budget. So the
user's own list of models forbids all, and the own budget, which users cannot change, is nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from ansible_collections.rhpds.litemaas.plugins.module_utils import _settings
from ansible_collections.rhpds.litemaas.plugins.module_utils._instances import Instance
from ansible_collections.rhpds.litemaas.plugins.module_utils._model_access import NO_DEFAULT
from ansible_collections.rhpds.litemaas.plugins.module_utils._settings import Settings

# In the metadata of all that is made for users, so that a later run finds whom it does not name.
MARK = {"rhpds_litemaas_for": "users"}
# What a user may use; of a team, but for the last, which LiteLLM knows of keys alone.
LIMITS = ("max_budget", "budget_duration", "tpm_limit", "rpm_limit", "max_parallel_requests")


class Recipient(TypedDict):
    """Who is told how to log in."""

    name: str
    """That of the instance, or ``user1``… : the letters and the number, whatever the prefix."""
    user: str
    """The same with users, else empty."""
    instance: str
    """The name of the instance."""
    namespace: str
    url: str
    frontend_url: str
    """Of the LiteMaaS application; empty where there is none."""
    login: str
    """The user's own name on a shared gateway; empty where the user is its administrator."""
    key: str
    """The alias of the user's own key on a shared gateway."""


def login(settings: Settings, number: int) -> str:
    """The name of user *number* on a shared gateway, also of the team and of a sole key."""
    return f"{settings['user_prefix']}{number}"


def recipients(settings: Settings, instances: Sequence[Instance], users: int) -> list[Recipient]:
    """Who is told, in the order of the users."""
    if not _settings.shared(settings):
        return [
            {
                "name": each["name"],
                "user": each["user"],
                "instance": each["name"],
                "namespace": each["namespace"],
                "url": each["url"],
                "frontend_url": _frontend_url(each),
                "login": "",
                "key": "",
            }
            for each in instances
        ]
    (gateway,) = instances
    key = named(next(filter(_present, templates(settings))))
    return [
        {
            "name": f"user{number}",
            "user": f"user{number}",
            "instance": gateway["name"],
            "namespace": gateway["namespace"],
            "url": gateway["url"],
            "frontend_url": _frontend_url(gateway),
            "login": login(settings, number),
            "key": _alias(login(settings, number), key),
        }
        for number in range(1, users + 1)
    ]


def _frontend_url(instance: Instance) -> str:
    return instance["frontend"]["url"] if instance["frontend"] else ""


def content(settings: Settings, users: int) -> dict[str, list[dict[str, Any]]]:
    """What a shared gateway holds for users beside what is declared: teams, users and virtual_keys.

    Each user gets the keys that are declared, under aliases of their own, or else one.
    """
    if not _settings.shared(settings):
        return {"teams": [], "users": [], "virtual_keys": []}
    names = [login(settings, number) for number in range(1, users + 1)]
    # Each limit is said, so that one that is left out later goes.
    limits = {name: _limit(settings, name) for name in LIMITS}
    parallel = limits.pop("max_parallel_requests")
    return {
        "teams": [
            {
                "team_alias": name,
                "team_id": name,
                "members": [{"user_id": name}],
                "metadata": MARK,
                **limits,
            }
            for name in names
        ],
        "users": [
            {
                "user_id": name,
                "user_email": name,
                "user_role": "internal_user",
                "models": [NO_DEFAULT],
                "max_budget": 0.0,
                "login": True,
                "metadata": MARK,
            }
            for name in names
        ],
        "virtual_keys": [
            {
                "max_parallel_requests": parallel,
                **{key: value for key, value in spec.items() if key not in ("alias", "metadata")},
                "key_alias": _alias(name, named(spec)),
                "team_id": name,
                "user_id": name,
                "metadata": {**(spec.get("metadata") or {}), **MARK},
            }
            for name in names
            for spec in templates(settings)
        ],
    }


def words(settings: Settings) -> str:
    """What each user gets, for people."""
    limits = settings["shared_limits"]
    budget = limits.get("max_budget")
    text = f"a budget of {float(budget):g} US dollars" if budget else "no budget"
    if budget and limits.get("budget_duration"):
        text += f" every {limits['budget_duration']}"
    rates = [
        f"{limits[name]} {what}"
        for name, what in {
            "rpm_limit": "requests a minute",
            "tpm_limit": "tokens a minute",
            "max_parallel_requests": "requests at once",
        }.items()
        if limits.get(name)
    ]
    number = len(list(filter(_present, templates(settings))))
    keys = "a key" if number == 1 else f"{number} keys"
    return f"Each user: a login, a team with {', '.join([text, *rates])}, and {keys}"


def templates(settings: Settings) -> list[dict[str, Any]]:
    """The keys that each user gets: what is declared, and at least one."""
    declared = [dict(spec) for spec in settings["content"].get("virtual_keys") or ()]
    return declared if any(map(_present, declared)) else [*declared, {}]


def _alias(login: str, name: str) -> str:
    """What a user's key is called on the gateway."""
    return f"{login}-{name}" if name else login


def _present(spec: Mapping[str, Any]) -> bool:
    return spec.get("state") != "absent"


def named(spec: Mapping[str, Any]) -> str:
    return str(spec.get("key_alias") or spec.get("alias") or "")


def _limit(settings: Settings, name: str) -> Any:
    """A limit, or what takes it away."""
    value = settings["shared_limits"].get(name)
    if name == "budget_duration":
        return value or "-1"
    return -1 if value is None else value
