# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two states of the module ``credentials``, for all instances at once.

Internal to rhpds.litemaas: no stable interface for other collections.

One instance that cannot be served does not take the others with it: it is named in the error at the
end, whose result holds what became of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _apply,
    _credential_report,
    _credentials,
    _manifest,
    _resources,
    _secret_writer,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._changes import ChangeSet
from ansible_collections.rhpds.litemaas.plugins.module_utils._credential_values import Wanted
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError

if TYPE_CHECKING:
    from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

Given = Sequence[Mapping[str, Any]]


def present(
    client: Client, instances: Given, namespaces: str, wanted: Wanted, *, dry_run: bool, diff: bool
) -> dict[str, Any]:
    """Make all Secrets complete, and return the module's result.

    ``namespaces``: YAML text, applied first. ``dry_run``: write nothing and predict.
    """
    homes = ChangeSet()
    if namespaces.strip():
        manifests = _manifest.load(namespaces, partial(_resources.resolve, client))
        homes = _apply.apply(client, manifests, dry_run=dry_run, diff=diff)
    lost = {change.name: change.message for change in homes.failures}
    new = [change.name for change in homes.changes if change.action == "created"]
    targets = _credentials.instances(instances, new)
    usable = [target for target in targets if target.namespace not in lost]
    known, notes = _credentials.listed(client, usable)
    settle = partial(_secret_writer.settle, client, known=known, wanted=wanted, dry_run=dry_run)
    settled = client.each(settle, usable)
    outcomes = [each for each in settled if not isinstance(each, LitemaasError)]
    result = _credential_report.result(outcomes, predicted=dry_run)
    result |= {"notes": notes, "objects": homes.result()["objects"]}
    result["changed"] |= homes.changed
    if diff:
        result["diff"] = [*homes.diff(), *_credential_report.diff(outcomes)]
    errors = {each.name: lost[each.namespace] for each in targets if each.namespace in lost}
    errors |= _errors(usable, settled)
    if errors:
        raise _credential_report.failure(errors, len(targets), **result)
    return result


def read(client: Client, instances: Given, *, dry_run: bool) -> dict[str, Any]:
    """Return what users are told. ``dry_run``: instances without credentials are no error."""
    targets = _credentials.instances(instances)
    known, notes = _credentials.listed(client, targets)
    found = client.each(lambda target: _credentials.read(client, target, known), targets)
    errors = _errors(targets, found)
    if errors:
        raise _credential_report.failure(errors, len(targets))
    told = {t.name: _credentials.published(each) for t, each in zip(targets, found, strict=True)}
    missing = [name for name, values in told.items() if values is None]
    if missing and not dry_run:
        names = ", ".join(missing)
        raise LitemaasError(f"There are no credentials of {names} yet: deploy first.")
    credentials = {name: values for name, values in told.items() if values}
    return {"changed": False, "credentials": credentials, "missing": missing, "notes": notes}


def _errors(targets: list[_credentials.Instance], results: list[Any]) -> dict[str, str]:
    """The message of each instance that failed. Raises an error that is not about an instance."""
    errors = {}
    for target, error in zip(targets, results, strict=True):
        if isinstance(error, ApiError) and error.status in (0, 401):
            raise error
        if isinstance(error, LitemaasError):
            errors[target.name] = str(error)
    return errors
