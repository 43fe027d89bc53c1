# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making the Secrets of an instance complete: read, decide, write.

Internal to rhpds.litemaas: no stable interface for other collections.

Each write is an apply for the version that was decided on. Of two runs at once, or after a write
whose answer was lost, the later one is refused: it reads again, finds the credentials there, and
decides anew. So nothing is ever generated twice.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ansible_collections.rhpds.litemaas.plugins.module_utils import _credentials, _labels, _secret
from ansible_collections.rhpds.litemaas.plugins.module_utils._credential_values import Wanted
from ansible_collections.rhpds.litemaas.plugins.module_utils._credentials import Instance, Listed
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError
from ansible_collections.rhpds.litemaas.plugins.module_utils._secret import Stored
from ansible_collections.rhpds.litemaas.plugins.module_utils._secret_plan import Change, SecretPlan

if TYPE_CHECKING:
    from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

TRIES = 8  # decisions for one instance while others write to it
NAMESPACE_PATIENCE = 20.0  # seconds for a namespace just made: cache and role bindings follow it


@dataclass(frozen=True)
class Outcome:
    """What became, or would become, of one instance's Secrets."""

    instance: Instance
    changes: tuple[Change, ...]
    warnings: tuple[str, ...] = ()
    more: tuple[Change, ...] = ()  # of Secrets whose content a site gives


def settle(
    client: Client, target: Instance, known: Listed, wanted: Wanted, *, dry_run: bool = False
) -> Outcome:
    """Make an instance's Secrets complete. ``dry_run``: only say what would be done.

    Raises LitemaasError when that is forbidden or fails.
    """
    decided = _credentials.decide(client, target, _credentials.read(client, target, known), wanted)
    if dry_run:
        return Outcome(target, decided.changes, decided.warnings)
    done: dict[str, Change] = {}
    warnings: dict[str, None] = {}
    for _unused in range(TRIES):
        warnings |= dict.fromkeys(decided.warnings)
        refused = _apply_all(client, target, decided, done)
        if refused is None:
            # What this run did counts, not that its last look found it done.
            changes = (
                replace(done.get(last.name, last), hash=last.hash, database_hash=last.database_hash)
                for last in decided.changes
            )
            return Outcome(target, tuple(changes), tuple(warnings))
        found = _credentials.read(client, target)
        if _holds(found, refused):
            done[refused.name] = refused  # our own write, whose answer was lost
        decided = _credentials.decide(client, target, found, wanted)
    raise LitemaasError(
        f"its Secrets changed {TRIES} times while they were being written. Find out what else "
        "writes to them (their managedFields name it) and run again."
    )


def _apply_all(
    client: Client, target: Instance, decided: SecretPlan, done: dict[str, Change]
) -> Change | None:
    """Apply what changes. Returns the change that came too late for its version, if any."""
    for change in decided.changes:
        if change.action == "unchanged":
            continue
        try:
            _apply(client, target, change)
        except ApiError as error:
            if error.status == 409:
                return change
            raise
        done[change.name] = change
    return None


def _apply(client: Client, target: Instance, change: Change) -> None:
    """Apply one Secret, with patience for a namespace that has only just been made."""
    path = _secret.path(target.namespace, change.name)
    body = _secret.manifest(
        target.namespace, change.name, target.labels, change.data, change.version
    )
    deadline = time.monotonic() + (NAMESPACE_PATIENCE if target.new else 0)
    wait = 0.1
    while True:
        try:
            client.apply(path, body, field_manager=_labels.FIELD_MANAGER)
            return
        except ApiError as error:
            if error.status == 404 and not target.new:
                raise LitemaasError(
                    f"the namespace {target.namespace} does not exist: create it first."
                ) from error
            if error.status not in (403, 404) or time.monotonic() + wait > deadline:
                raise
        time.sleep(wait)
        wait = min(2 * wait, 2.0)


def _holds(found: Mapping[str, Stored], change: Change) -> bool:
    return change.name in found and change.data.items() <= found[change.name].data.items()
