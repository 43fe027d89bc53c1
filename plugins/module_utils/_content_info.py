# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gateways hold, in a form for people and playbooks.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _content_model,
    _gateways,
    _spend,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._content import number
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateways import Connected, Gateways

_LIMITS = (
    "max_budget",
    "budget_duration",
    "budget_reset_at",
    "tpm_limit",
    "rpm_limit",
    "max_parallel_requests",
)
_COMMON = ("models", "spend", "metadata", *_LIMITS)
FIELDS = {
    "teams": ("team_id", "team_alias", "blocked", *_COMMON),
    "users": ("user_id", "user_alias", "user_email", "user_role", *_COMMON),
    "virtual_keys": (
        *("key_alias", "token", "key_name", "user_id", "team_id"),
        *("expires", "blocked", "aliases", "created_at", *_COMMON),
    ),
}


def run(params: Mapping[str, Any]) -> dict[str, Any]:
    """The result of the module: all gateways, those that do not answer with their problem."""
    several = params.get("gateways")
    targets = _gateways.many(several, params) if several is not None else [_gateways.one(params)]
    gateways = Gateways(params, targets)
    results = []
    found = gateways.each(lambda connected: _look(connected, params["gather"]))
    for target, each in zip(targets, found, strict=True):
        failed = isinstance(each, LitemaasError)
        result: dict[str, Any] = {
            "name": target.name,
            "namespace": target.namespace,
            "url": target.url,
            "problems": [str(each)] if failed else [],
        }
        results.append(result if failed else result | each)
    problems = [f"{each['name']}: {text}" for each in results for text in each["problems"]]
    summary: dict[str, Any] = {"changed": False, "gateways": results}
    if "virtual_keys" in params["gather"]:
        summary["spend"] = sum(each.get("spend") or 0.0 for each in results)
    if problems:
        head = f"{len(problems)} of {len(results)} gateways could not be asked:"
        failed = params["on_failure"] == "fail"
        summary |= {"failed": failed, "msg": "\n".join([head, *problems])}
    return summary


def model(item: Mapping[str, Any]) -> dict[str, Any]:
    """A deployment without anything that might be a credential."""
    info, live = item.get("model_info") or {}, item.get("litellm_params") or {}
    shown = {
        name: number(value) if name.endswith(("_token", "_second")) else value
        for name, value in live.items()
        if value is not None
        and name not in ("model", "api_base")
        and (not _content_model.is_secret(name))
    }
    return {
        "name": item.get("model_name"),
        "id": info.get("id"),
        "model": live.get("model"),
        "api_base": live.get("api_base"),
        "mode": info.get("mode"),
        "from_database": bool(info.get("db_model", False)),
        "parameters": shown,
    }


def _look(connected: Connected, gather: list[str]) -> dict[str, Any]:
    api = connected.management
    lists = {"teams": api.teams, "users": api.users, "virtual_keys": api.keys}
    found: dict[str, Any] = {"via": connected.way.via, "via_reason": connected.way.reason}
    for kind in gather:
        if kind == "models":
            found[kind] = [model(item) for item in api.models()]
        else:
            found[kind] = [
                {**{name: row.get(name) for name in FIELDS[kind]}, **_spend.of(row)}
                for row in lists[kind]()
            ]
    if "virtual_keys" in found:
        found["spend"] = sum(row["spend"] for row in found["virtual_keys"])
    return found
