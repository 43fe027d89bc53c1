# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two states of the module ``credentials``, for all instances at once.

Internal to rhpds.litemaas: no stable interface for other collections.

One instance that cannot be served does not take the others with it: it is named at the end, beside
what became of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _apply,
    _credential_report,
    _credentials,
    _failure,
    _hand_out,
    _manifest,
    _resources,
    _secret_writer,
    _site_secrets,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._changes import ChangeSet
from ansible_collections.rhpds.litemaas.plugins.module_utils._credential_values import Wanted
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

if TYPE_CHECKING:
    from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

# Seconds to wait for a namespace that is being deleted: the other instances wait with it.
HOME_GONE = 30.0

Given = Sequence[Mapping[str, Any]]


def present(
    client: Client,
    instances: Given,
    namespaces: str,
    wanted: Wanted,
    given: list[_site_secrets.Given] | None = None,
    *,
    dry_run: bool,
    diff: bool,
    report: bool = False,
) -> dict[str, Any]:
    """Make all Secrets complete, and return the module's result.

    ``namespaces``: YAML text, applied first. ``given``: Secrets of the site's, the same for all. ``dry_run``: write nothing and predict. ``report``:
    instances that fail are part of the result; without, they raise LitemaasError.
    """
    homes = ChangeSet()
    if namespaces.strip():
        manifests = _manifest.load(namespaces, partial(_resources.resolve, client))
        homes = _apply.apply(client, manifests, dry_run=dry_run, diff=diff, gone=HOME_GONE)
        homes.report()
    lost = {change.name: change.message for change in homes.failures}
    new = [change.name for change in homes.changes if change.action == "created"]
    targets = _credentials.instances(instances, new)
    usable = [target for target in targets if target.namespace not in lost]
    known, notes = _credentials.listed(client, usable)

    def settle(target: _credentials.Instance) -> _secret_writer.Outcome:
        done = _secret_writer.settle(client, target, known, wanted, dry_run=dry_run)
        more = _site_secrets.settle(client, target, known, given or [], dry_run=dry_run)
        return replace(done, more=more) if more else done

    settled = client.each(settle, usable)
    outcomes = [each for each in settled if not isinstance(each, LitemaasError)]
    result = _credential_report.result(outcomes, predicted=dry_run)
    result |= {"notes": notes, "objects": homes.result()["objects"]}
    result["changed"] |= homes.changed
    if diff:
        result["diff"] = [*homes.diff(), *_credential_report.diff(outcomes)]
    errors = {
        each: f"namespace {each.namespace}: {lost[each.namespace]}"
        for each in targets
        if each.namespace in lost
    }
    errors |= _errors(usable, settled)
    return _done(errors, len(targets), result, report)


def read(
    client: Client,
    instances: Given,
    recipients: Given = (),
    contents: Given = (),
    *,
    dry_run: bool,
    report: bool = False,
) -> dict[str, Any]:
    """Return what users are told. ``dry_run``: instances without credentials are no error.

    ``recipients``: of the plan; ``contents``: of the gateways, as gateway_content returns them.
    """
    targets = _credentials.instances(instances)
    known, notes = _credentials.listed(client, targets)
    found = client.each(lambda target: _credentials.read(client, target, known), targets)
    errors = _errors(targets, found)
    kept = client.each(lambda target: _credentials.kept(client, target, known), targets)
    errors = {**_errors(targets, kept), **errors}
    told = {
        target: _credentials.published(each, own)
        for target, each, own in zip(targets, found, kept, strict=True)
        if target not in errors
    }
    absent = [target for target, values in told.items() if values is None]
    if not dry_run:
        errors |= dict.fromkeys(absent, "there are none yet: deploy first.")
    there = {target.name: values for target, values in told.items() if values}
    result = {
        "changed": False,
        "credentials": there,
        "handed_out": _hand_out.logins(recipients, there, contents),
        "missing": [target.name for target in absent],
        "notes": notes,
    }
    return _done(errors, len(targets), result, report)


def _done(
    errors: Mapping[_credentials.Instance, str], count: int, result: dict[str, Any], report: bool
) -> dict[str, Any]:
    """The result with the instances that failed, unless those are an error."""
    if errors and not report:
        raise _credential_report.failure(errors, count, **result)
    return {**result, "failed_instances": _credential_report.failed(errors)}


def _errors(
    targets: list[_credentials.Instance], results: list[Any]
) -> dict[_credentials.Instance, str]:
    """The message of each instance that failed. Raises an error that is not about an instance."""
    errors = {}
    general = [error for error in results if _failure.is_general(error)]
    expired = [error for error in general if error.status == 401]
    if expired or (general and len(general) == len(results)):
        raise (expired or general)[0]
    for target, error in zip(targets, results, strict=True):
        if isinstance(error, LitemaasError):
            errors[target] = str(error)
    return errors
