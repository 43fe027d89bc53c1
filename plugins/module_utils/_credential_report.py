# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ``credentials`` module returns: names, keys and hashes, never a value.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils._credentials import Instance
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._secret import (
    LITELLM,
    OPTIONAL,
    POSTGRES,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._secret_plan import Change
from ansible_collections.rhpds.litemaas.plugins.module_utils._secret_writer import Outcome

# In check mode, the hash of a Secret that holds a value which would be generated.
UNKNOWN = "unknown-until-created"
_PARTS = {LITELLM: "litellm", POSTGRES: "postgres", **OPTIONAL}


def result(outcomes: Iterable[Outcome], *, predicted: bool) -> dict[str, Any]:
    """Return changed, secrets, instances and warnings. ``predicted``: nothing was written."""
    done = list(outcomes)
    secrets = [
        _secret(outcome, change) for outcome in done for change in (*outcome.changes, *outcome.more)
    ]
    return {
        "changed": any(secret["action"] != "unchanged" for secret in secrets),
        "secrets": secrets,
        "instances": [
            {"name": outcome.instance.name, "hashes": _hashes(outcome, predicted)}
            for outcome in done
        ],
        "warnings": [
            f"{outcome.instance.name}: {text}" for outcome in done for text in outcome.warnings
        ],
    }


def diff(outcomes: Iterable[Outcome]) -> list[dict[str, str]]:
    """For Ansible's ``--diff``: which keys are new or change, without their values."""
    return [
        {
            "before_header": label,
            "after_header": label,
            "before": _shown(change, after=False),
            "after": _shown(change, after=True),
        }
        for outcome in outcomes
        for change in (*outcome.changes, *outcome.more)
        if change.action != "unchanged"
        for label in (f"Secret {outcome.instance.namespace}/{change.name}",)
    ]


def failed(errors: Mapping[Instance, str]) -> list[dict[str, str]]:
    """Each instance that failed, and why."""
    return [
        {"name": each.name, "namespace": each.namespace, "reason": f"credentials: {message}"}
        for each, message in errors.items()
    ]


def failure(errors: Mapping[Instance, str], count: int, **done: Any) -> LitemaasError:
    """The error that names each instance that failed. ``done``: the result of the others."""
    groups: dict[str, list[str]] = {}
    for target, message in errors.items():
        groups.setdefault(message, []).append(target.name)
    lines = [f"- {', '.join(names)}: {message}" for message, names in groups.items()]
    head = f"The credentials of {len(errors)} of {count} instances are not complete"
    head += "; those of the others are." if len(errors) < count else "."
    return LitemaasError("\n".join([head, *lines]), failed_instances=failed(errors), **done)


def _secret(outcome: Outcome, change: Change) -> dict[str, Any]:
    return {
        "namespace": outcome.instance.namespace,
        "name": change.name,
        "action": change.action,
        "generated": list(change.generated),
        "updated": list(change.updated),
    }


def _hashes(outcome: Outcome, predicted: bool) -> dict[str, str]:
    found = {}
    for change in outcome.changes:
        part, unknown = _PARTS[change.name], predicted and not change.predictable
        found[part] = UNKNOWN if unknown else change.hash
        if change.database_hash:
            found[f"{part}_database"] = UNKNOWN if unknown else change.database_hash
    return found


def _shown(change: Change, *, after: bool) -> str:
    if change.action == "created" and not after:
        return ""
    lines = []
    for key in change.data:
        if key in change.generated:
            lines += [f"{key}: (generated)"] if after else []
        elif key in change.updated:
            lines.append(f"{key}: {'(another value)' if after else '(a value, or none)'}")
        else:
            lines.append(f"{key}: (secret)")
    if not (change.generated or change.updated) and change.action == "configured":
        lines.append(f"labels and annotations: {'complete' if after else 'incomplete'}")
    return "".join(f"{line}\n" for line in lines)
