# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gateways hold, and what was changed of it, as tables for people.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _table
from ansible_collections.rhpds.litemaas.plugins.module_utils._content import LISTS

Row = Mapping[str, Any]
_NONE = "-"
_NAMED = 5  # gateways of a title; more are a number
_HOLDERS = (("team", "team_alias", "team_id"), ("user", "user_alias", "user_id"))
_FIGURES = ("SPENT", "BUDGET", "LEFT")


def text(result: Mapping[str, Any], width: int, now: datetime | None = None) -> str:
    """What modules returned: ``endpoints`` of model_discovery, ``gateways`` of the others."""
    blocks = [_endpoints(result, width)] if "endpoints" in result else []
    gateways = list(result.get("gateways") or ())
    if any("spend" in gateway for gateway in gateways):
        blocks += [
            _spend(gateway, now or datetime.now(UTC)) for gateway in gateways if _asked(gateway)
        ]
    else:
        blocks += _alike(gateways)
    for gateway in gateways:
        lines = [f"{gateway['name']}: {problem}" for problem in gateway.get("problems") or ()]
        blocks += ["\n".join(_table.wrapped(line, width, 4)).lstrip() for line in lines]
    if "spend" in result and len(gateways) > 1:
        there = sum(1 for gateway in gateways if _asked(gateway))
        blocks.append(f"{there} gateways: {money(result['spend'])} USD spent in all")
    return "\n\n".join(block for block in blocks if block) or "Nothing to show."


def money(amount: float | None) -> str:
    """US dollars: four places, or as many as a small amount needs."""
    if amount is None:
        return _NONE
    if amount == 0 or amount >= 0.001:
        return f"{amount:.4f}"
    return f"{amount:.10f}".rstrip("0").rstrip(".")


def state(row: Row, now: datetime) -> str:
    """Why a key, or all keys of a team or user, are refused; ``ok`` when they are not."""
    if row.get("blocked"):
        return "blocked"
    expires = row.get("expires")
    if expires:
        end = datetime.fromisoformat(str(expires).replace("Z", "+00:00"))
        if (end if end.tzinfo else end.replace(tzinfo=UTC)) <= now:
            return "expired"
    return "exhausted" if row.get("exhausted") else "ok"


def _asked(gateway: Row) -> bool:
    return "via" in gateway


def _spend(gateway: Row, now: datetime) -> str:
    keys = gateway.get("virtual_keys") or []
    rows: list[dict[str, str]] = []
    teams = {each["team_id"]: each["team_alias"] for each in gateway.get("teams") or ()}
    for kind, alias, id in _HOLDERS:
        for each in gateway.get(LISTS[kind]) or ():
            rows.append({"KIND": kind, "NAME": each.get(alias) or each[id], **_sums(each, now)})
    for key in sorted(keys, key=lambda each: each.get("key_alias") or ""):
        row = {
            "KIND": "key",
            "NAME": key.get("key_alias") or key.get("key_name") or _NONE,
            "USER": key.get("user_id") or "",
            "TEAM": teams.get(key.get("team_id")) or key.get("team_id") or "",
            **_sums(key, now),
        }
        if "users" not in gateway:
            row |= {"MODELS": _short(key.get("models") or ["all"])}
            row |= {"EXPIRES": str(key.get("expires") or "")[:10]}
        rows.append(row)
    number = f"{len(keys)} key{'' if len(keys) == 1 else 's'}"
    title = f"{gateway['name']}: {money(gateway['spend'])} USD spent by {number}"
    return "\n".join([title, *_columns(rows)])


def _sums(row: Row, now: datetime) -> dict[str, str]:
    return {
        "SPENT": money(row["spend"]),
        "BUDGET": money(row["max_budget"]),
        "LEFT": money(row["remaining"]),
        "RESETS": str(row.get("budget_reset_at") or "")[:10],
        "STATE": state(row, now),
    }


_ORDER = ("KIND", "NAME", "USER", "TEAM", *_FIGURES, "RESETS", "STATE", "EXPIRES", "MODELS")


def _columns(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """A table without the columns that would be empty."""
    head = [name for name in _ORDER if any(row.get(name) for row in rows)]
    if not rows:
        return []
    body = [[row.get(name) or _NONE for name in head] for row in rows]
    right = [place for place, name in enumerate(head) if name in _FIGURES]
    return _table.aligned([head, *body], right=right)


def _alike(gateways: Iterable[Row]) -> list[str]:
    """Models, or what was done; gateways for which it is the same are told once."""
    groups: dict[str, list[str]] = {}
    for gateway in gateways:
        if _asked(gateway):
            groups.setdefault(_body(gateway), []).append(gateway["name"])
    return [f"{_title(names)}\n{body}" for body, names in groups.items()]


def _title(names: Sequence[str]) -> str:
    if len(names) <= _NAMED:
        return ", ".join(names) + ":"
    return f"{names[0]}, {names[1]} … {names[-1]} ({len(names)} gateways):"


def _body(gateway: Row) -> str:
    done = [
        (kind, each)
        for kind, name in LISTS.items()
        for each in gateway.get(name) or ()
        if "action" in each
    ]
    if done:
        return "\n".join(_table.aligned([_done(kind, each) for kind, each in done]))
    models = gateway.get("models") or []
    if not models:
        return "none"
    head = ("MODEL", "UPSTREAM", "MODE", "ADDRESS")
    names: tuple[Callable[[Row], Any], ...] = (
        lambda each: each.get("name"),
        lambda each: each.get("model"),
        lambda each: each.get("mode") or "chat",
        lambda each: each.get("api_base"),
    )
    rows = [[str(name(each) or _NONE) for name in names] for each in models]
    return "\n".join(_table.aligned([head, *sorted(rows)]))


def _done(kind: str, each: Row) -> list[str]:
    name = next(each[key] for key in ("name", "team_alias", "user_id", "key_alias") if key in each)
    cells = [kind, str(name), each["action"]]
    if each.get("value"):
        cells.append(each["value"])
    elif kind == "key" and each.get("secret") and each["action"] != "deleted":
        cells.append(f"value in the Secret {each['secret']}, entry {each['secret_key']}")
    if each.get("verified_model"):
        cells.append(f"{each['verified_model']} answers it")
    return cells


def _endpoints(result: Row, width: int) -> str:
    rows = [("SERVER", "ADDRESS", "MODELS")]
    below: list[str] = []
    for each in result["endpoints"]:
        names = [
            model["name"] + ("" if model["mode"] == "chat" else f" ({model['mode']})")
            for model in each["models"]
        ]
        rows.append((each["name"], each["url"] or _NONE, ", ".join(names) or _NONE))
    for line in (*(result.get("problems") or ()), *(result.get("notes") or ())):
        below += ["", *_table.wrapped(line, width, 0)]
    return "\n".join([*_table.aligned(rows), *below])


def _short(models: Sequence[str]) -> str:
    more = len(models) - 3
    return ", ".join(models[:3]) + (f" and {more} more" if more > 0 else "")
