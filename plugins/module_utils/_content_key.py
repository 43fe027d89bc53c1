# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual key: what is declared, and what differs from what is there.

Internal to rhpds.litemaas: no stable interface for other collections.

The value is ours: LiteLLM takes one it is given, and knows it by its SHA-256. So a key can be found,
compared and made again without ever being read back, which LiteLLM does not allow.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils._content import (
    HIDDEN,
    Change,
    compared,
    limits,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

# In the key's metadata: that we made it, and the lifetime asked for. LiteLLM stores only the moment
# it ends, and sending the lifetime again would start it anew.
MARK, DURATION = "litemaas", "litemaas_duration"
_FIELDS = ("user_id", "team_id", "aliases")


@dataclass(frozen=True)
class Stand:
    """What is known of a key before it is compared."""

    found: Mapping[str, Any] | None  # of the gateway
    value: str  # of the Secret, or given; "" when there is none


def token(value: str) -> str:
    """The id that LiteLLM gives to a key of this value."""
    return hashlib.sha256(value.encode()).hexdigest()


def change(spec: Mapping[str, Any], models: list[str] | None, stand: Stand, value: str) -> Change:
    """What is to be done. *models*: resolved; *value*: what the key is to be.

    Raises LitemaasError for a key of others whose value is not known.
    """
    alias, found = spec["key_alias"], stand.found
    if spec.get("state") == "absent":
        return compared("key", alias, _token_of(found), {}, found, present=False)
    lifetime = spec.get("duration")
    metadata = {**(spec.get("metadata") or {}), MARK: "true"}
    if lifetime:
        metadata[DURATION] = lifetime
    wanted: dict[str, Any] = {"key_alias": alias, "metadata": metadata, **limits(spec)}
    wanted |= {key: spec[key] for key in _FIELDS if spec.get(key) is not None}
    if models is not None:
        wanted["models"] = models
    if spec.get("blocked") is not None:
        wanted["blocked"] = spec["blocked"]
    extra: dict[str, Any] = {"key": value}
    if lifetime and lifetime != "-1":
        extra["duration"] = lifetime
    if found is None:
        return _created(alias, wanted, extra, value)
    if not value or _token_of(found) != token(value):
        if not stand.value and not _ours(found) and not spec.get("rotate"):
            raise LitemaasError(
                f"the gateway has a key {alias} that was made by others, and its value cannot be "
                "read back. Give its value, or rotate it (which ends the present one), or choose "
                "another alias."
            )
        # What was spent stays counted.
        extra["spend"] = found.get("spend") or 0.0
        kept = {key: found[key] for key in (*_FIELDS, "models") if found.get(key)}
        kept |= {key: found[key] for key in _LIMITS if found.get(key) is not None}
        kept["metadata"] = {**(found.get("metadata") or {}), **metadata}
        made = _created(alias, {**kept, **wanted, "metadata": kept["metadata"]}, extra, value)
        return Change(
            "key",
            alias,
            "replaced",
            _token_of(found),
            made.body,
            {"value": HIDDEN},
            {"value": f"{HIDDEN} (new)"},
            found,
        )
    made = compared("key", alias, _token_of(found), wanted, found)
    noted = (found.get("metadata") or {}).get(DURATION)
    if not lifetime or noted == lifetime or (lifetime == "-1" and not found.get("expires")):
        return made
    return Change(
        "key",
        alias,
        "updated",
        made.id,
        {**made.body, "duration": lifetime},
        {**made.before, "expires": found.get("expires")},
        {**made.after, "duration": lifetime},
        found,
    )


_LIMITS = ("max_budget", "tpm_limit", "rpm_limit", "max_parallel_requests", "budget_duration")


def _created(alias: str, wanted: dict[str, Any], extra: dict[str, Any], value: str) -> Change:
    return compared("key", alias, token(value) if value else "", wanted, None, extra=extra)


def _ours(found: Mapping[str, Any]) -> bool:
    return bool((found.get("metadata") or {}).get(MARK))


def _token_of(found: Mapping[str, Any] | None) -> str:
    return str((found or {}).get("token") or "")
