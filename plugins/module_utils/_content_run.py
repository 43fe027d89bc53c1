# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gateways times models, teams, users and keys: one run over all of them, and its result.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _content_key,
    _content_options,
    _key_store,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._content import LISTS, Change
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_content import (
    GatewayContent,
    Stores,
    Surplus,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_keys import Outcome
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateways import (
    Connected,
    Gateways,
    Target,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._settle import Settler

_IDS = {"model": "id", "team": "team_id", "user": "user_id", "key": "token"}
_NAMES = {"model": "name", "team": "team_alias", "user": "user_id", "key": "key_alias"}


def run(
    params: Mapping[str, Any],
    targets: list[Target],
    content: Mapping[str, Any],
    *,
    dry_run: bool = False,
    diff: bool = False,
) -> dict[str, Any]:
    """Bring all *targets* to *content* and return a module's result.

    *params*: the options of the connections; *content*: ``models``, ``teams``, ``users`` and
    ``virtual_keys``.
    The result has ``failed`` and ``msg`` where a gateway has problems; the others are done. Raises
    LitemaasError for what is wrong with all.
    """
    wrong = _content_options.problems(content)
    if wrong:
        raise LitemaasError("\n".join(wrong))
    if len(targets) > 1 and content.get("virtual_keys") and params.get("key_secret_namespace"):
        raise LitemaasError(
            "key_secret_namespace cannot be given for several gateways: they would share the values "
            "of their keys. Leave it out, and each has a Secret in its own namespace."
        )
    gateways = Gateways(params, targets)
    marks = params.get("surplus_metadata")
    surplus = Surplus(marks, bool(params.get("remove_surplus"))) if marks else None

    def one(connected: Connected) -> tuple[Connected, Outcome]:
        target = connected.target
        settler = Settler(connected.management, retries=gateways.retries, dry_run=dry_run)
        declared = _content_options.declared(
            content,
            lambda source: _key_store.read(
                gateways.client,
                source.get("namespace") or target.namespace,
                source["name"],
                source["key"],
            ),
        )
        where = {
            "namespace": params.get("key_secret_namespace"),
            "name": params.get("key_secret"),
        }
        logins = {**where, "name": _key_store.LOGINS, "kind": "login"}
        stores = Stores()
        if where["namespace"] or target.namespace:
            stores = Stores(
                lambda: gateways.store(target, where), lambda: gateways.store(target, logins)
            )
        engine = GatewayContent(settler, connected.key, stores, threads=gateways.threads)
        return connected, engine.run(declared, surplus)

    found = gateways.each(one)
    orders = _orders(content)
    results, texts = [], []
    for target, each in zip(targets, found, strict=True):
        result = _result(target, each, params, diff, orders)
        results.append(result)
        texts += [f"{target.name}: {problem}" for problem in result["problems"]]
    summary: dict[str, Any] = {
        "changed": any(result["changed"] for result in results),
        "gateways": results,
        "failed_instances": [
            {
                "name": each["name"],
                "namespace": each["namespace"],
                "reason": " ".join(each["problems"]),
            }
            for each in results
            if each["problems"]
        ],
    }
    notes = [f"{each['name']}: {note}" for each in results for note in each["notes"]]
    if notes:
        summary["warnings"] = notes
    if diff:
        summary["diff"] = [part for each in results for part in each.pop("diff")]
    if texts:
        bad = sum(1 for each in results if each["problems"])
        head = f"{bad} of {len(results)} gateways could not be brought to what is declared:"
        summary |= {"failed": True, "msg": "\n".join([head, *texts])}
    return summary


def _orders(content: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """The place of each object in what is declared, by list and name: work is done in any order."""
    orders = {}
    for kind, list_ in LISTS.items():
        specs = content.get(list_) or ()
        names = [spec.get(_NAMES[kind]) or spec.get(_IDS[kind]) for spec in specs]
        orders[list_] = {str(name): place for place, name in enumerate(names)}
    return orders


def _result(
    target: Target,
    found: Any,
    params: Mapping[str, Any],
    diff: bool,
    orders: Mapping[str, Mapping[str, int]],
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "name": target.name,
        "namespace": target.namespace,
        "url": target.url,
        "changed": False,
        "failed": False,
        "problems": [],
        "notes": [],
        "served": [],
        "surplus": [],
        **{name: [] for name in LISTS.values()},
    }
    if diff:
        result["diff"] = []
    if isinstance(found, LitemaasError):
        return result | {"failed": True, "problems": [str(found)]}
    connected, outcome = found
    result |= {
        "via": connected.way.via,
        "via_reason": connected.way.reason,
        "changed": any(change.changes for change in outcome.changes),
        "failed": bool(outcome.problems),
        "problems": outcome.problems,
        "notes": outcome.notes,
        "served": outcome.served,
        "surplus": outcome.surplus,
    }
    for change in outcome.changes:
        entry = {_NAMES[change.kind]: change.name, "action": change.action}
        entry[_IDS[change.kind]] = change.id
        if change.kind == "key":
            entry |= _key(change, outcome, target, params)
        elif change.kind == "user" and change.name in outcome.passwords:
            entry |= _stored(change.name, _key_store.LOGINS, target, params)
            if params.get("return_values"):
                entry["password"] = outcome.passwords[change.name]
        result[LISTS[change.kind]].append(entry)
        if diff and change.changes:
            result["diff"].append(_diff(target, change))
    for kind, list_ in LISTS.items():
        result[list_].sort(key=_placed(orders[list_], _NAMES[kind]))
    return result


def _placed(order: Mapping[str, int], name: str) -> Callable[[Mapping[str, Any]], int]:
    """The place of an entry; what was repaired for declared objects comes first."""
    return lambda entry: order.get(entry[name], -1)


def _key(
    change: Change, outcome: Outcome, target: Target, params: Mapping[str, Any]
) -> dict[str, Any]:
    alias = change.name
    entry: dict[str, Any] = {"models": outcome.granted.get(alias, [])}
    entry |= _stored(alias, params.get("key_secret") or _key_store.NAME, target, params)
    if alias in outcome.verified:
        entry["verified_model"] = outcome.verified[alias]
    value = outcome.values.get(alias, "")
    if value and change.action in ("created", "replaced"):
        entry["token"] = _content_key.token(value)
    if params.get("return_values") and value:
        entry["value"] = value
    return entry


def _stored(name: str, secret: str, target: Target, params: Mapping[str, Any]) -> dict[str, str]:
    """Where a value is kept; nothing where it is not."""
    namespace = params.get("key_secret_namespace") or target.namespace
    if not namespace:
        return {}
    return {
        "secret_namespace": namespace,
        "secret": secret,
        "secret_key": _key_store.entry(name),
    }


def _diff(target: Target, change: Change) -> dict[str, Any]:
    header = f"{target.name}: {change.kind} {change.name}"
    before = {} if change.action == "created" else dict(change.before)
    after = {} if change.action == "deleted" else dict(change.after)
    return {
        "before_header": header,
        "after_header": header,
        "before": before,
        "after": after,
    }
