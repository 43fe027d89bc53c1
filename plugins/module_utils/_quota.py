# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an instance fits into the quota and limits of a namespace that others set up.

Internal to rhpds.litemaas: no stable interface for other collections.

A pod that a quota refuses never exists, so nothing but an event of its ReplicaSet tells why. A
namespace that we create has no quota yet; this is for the ones that are used as they are. A
ClusterResourceQuota of OpenShift counts several namespaces together; in each of them it can be read
as an AppliedClusterResourceQuota.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _instances,
    _quantity,
    _resources,
    _settings,
    _sizing,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError
from ansible_collections.rhpds.litemaas.plugins.module_utils._instances import Instance
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import (
    Problem,
    listed,
    variable,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._settings import Settings

if TYPE_CHECKING:
    from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

# Our pods run for as long as they are wanted and state what they need: quotas for others pass by.
_OUR_SCOPES = {"NotTerminating", "NotBestEffort"}
_NAME = variable("namespace")
_REMEDY = "Lower the requests and limits, or have the quota raised."
_SHARED = "AppliedClusterResourceQuota"


def read(
    client: Client, namespaces: Iterable[str], *, openshift: bool
) -> dict[str, list[dict[str, Any]]]:
    """The quotas and LimitRanges in each namespace; none where they may not be read."""
    homes = list(namespaces)
    kinds = [("v1", "ResourceQuota"), ("v1", "LimitRange")]
    if openshift:
        kinds.append(("quota.openshift.io/v1", _SHARED))
    wanted = [(home, *kind) for home in homes for kind in kinds]

    def inside(item: tuple[str, str, str]) -> list[dict[str, Any]]:
        home, api_version, kind = item
        try:
            return client.list(_resources.collection_path(api_version, kind, home))
        except ApiError as error:
            if error.status not in (403, 404):
                raise
            return []

    found: dict[str, list[dict[str, Any]]] = {home: [] for home in homes}
    for (home, _version, _kind), items in zip(wanted, client.each(inside, wanted), strict=True):
        if isinstance(items, LitemaasError):
            raise items
        found[home] += items
    return found


def problems(
    settings: Settings,
    instance: Instance,
    rules: Iterable[Mapping[str, Any]],
    present: Iterable[tuple[str, str]],
) -> list[Problem]:
    """What of *instance* does not fit under *rules* (ResourceQuotas and LimitRanges).

    *present*: (kind, name) of the objects of the instance that are there and so counted already.
    """
    found: list[Problem] = []
    for rule in rules:
        if rule["kind"] == "ResourceQuota":
            found += _over_quota(instance, rule, set(present))
        elif rule["kind"] == "LimitRange":
            found += _out_of_range(settings, instance, rule)
    return found


def shared_problems(
    instances: Iterable[Instance],
    rules: Mapping[str, Iterable[Mapping[str, Any]]],
    present: Mapping[str, Iterable[tuple[str, str]]],
) -> Iterator[Problem]:
    """What of all *instances* does not fit under quotas that count namespaces together.

    *rules* and *present* as for :func:`problems`, by namespace.
    """
    quotas: dict[str, Mapping[str, Any]] = {}
    homes: dict[str, list[str]] = {}
    sums: dict[str, dict[str, Decimal]] = {}
    for instance in instances:
        home = instance["namespace"]
        for rule in rules.get(home, ()):
            if rule["kind"] != _SHARED:
                continue
            name = rule["metadata"]["name"]
            quotas[name] = rule
            homes.setdefault(name, []).append(home)
            total = sums.setdefault(name, {})
            for resource, amount in _needed(instance, set(present.get(home, ()))).items():
                total[resource] = total.get(resource, Decimal(0)) + amount
    for name, quota in quotas.items():
        spec = (quota.get("spec") or {}).get("quota") or {}
        status = (quota.get("status") or {}).get("total") or {}
        short = _short(spec, status, sums[name])
        if short:
            problem = f"{listed(homes[name])} under a ClusterResourceQuota {name} that is exceeded"
            yield Problem(_NAME, f"puts {problem}: {'; '.join(short)}", _REMEDY)


def _over_quota(
    instance: Instance, quota: Mapping[str, Any], present: set[tuple[str, str]]
) -> Iterator[Problem]:
    spec, status = quota.get("spec") or {}, quota.get("status") or {}
    short = _short(spec, status, _needed(instance, present))
    if short:
        name, home = quota["metadata"]["name"], instance["namespace"]
        problem = f"{home} has a ResourceQuota {name} that the instance exceeds: {'; '.join(short)}"
        yield Problem(_NAME, problem, _REMEDY)


def _short(
    spec: Mapping[str, Any], status: Mapping[str, Any], needed: Mapping[str, Decimal]
) -> list[str]:
    """Of what a quota has too little left, with the figures; nothing where it is not for us."""
    if spec.get("scopeSelector") or not set(spec.get("scopes") or ()) <= _OUR_SCOPES:
        return []
    short = []
    for resource, text in (status.get("hard") or spec.get("hard") or {}).items():
        if resource not in needed:
            continue
        used = _quantity.parse(str((status.get("used") or {}).get(resource, "0")))
        left = max(_quantity.parse(str(text)) - used, Decimal(0))
        if needed[resource] > left:
            short.append(
                f"{resource} {_shown(resource, needed[resource])}, "
                f"{_shown(resource, left)} of {text} left"
            )
    return short


def _needed(instance: Instance, present: set[tuple[str, str]]) -> dict[str, Decimal]:
    """What is still to be counted, by the names that quotas use."""
    sizing = _sizing.Sizing()
    for app, part in _sizing.BY_APP.items():
        kind = "StatefulSet" if app == "postgres" else "Deployment"
        if (kind, app) not in present:
            sizing += part(instance)
    if ("Deployment", "litellm") not in present and _instances.migrates_by_job(instance):
        sizing += _sizing.gateway_pod(instance)  # the migration, before the others
    volume, storage = 0, Decimal(0)
    own = not instance["external_database"]
    if own and ("PersistentVolumeClaim", "data-postgres-0") not in present:
        volume += 1
        storage += _quantity.parse(instance["postgres"]["storage_size"])
    redis = instance["redis"]
    kept = redis["storage_size"] if redis else ""
    if kept and ("PersistentVolumeClaim", "redis") not in present:
        volume += 1
        storage += _quantity.parse(kept)
    needed = {
        "cpu": sizing.cpu_request,
        "requests.cpu": sizing.cpu_request,
        "limits.cpu": sizing.cpu_limit,
        "memory": sizing.memory_request,
        "requests.memory": sizing.memory_request,
        "limits.memory": sizing.memory_limit,
        "pods": Decimal(sizing.pods),
        "count/pods": Decimal(sizing.pods),
        "persistentvolumeclaims": Decimal(volume),
        "count/persistentvolumeclaims": Decimal(volume),
        "requests.storage": storage,
    }
    of_class = f"{instance['postgres']['storage_class']}.storageclass.storage.k8s.io"
    needed[f"{of_class}/requests.storage"] = storage
    needed[f"{of_class}/persistentvolumeclaims"] = Decimal(volume)
    return needed


def _out_of_range(
    settings: Settings, instance: Instance, limits: Mapping[str, Any]
) -> Iterator[Problem]:
    """Each part is one container in a pod of its own, so Container and Pod mean the same here.

    What checks the backend's tables beside it is as small as what waits for the database in any pod.
    """
    home, name = instance["namespace"], limits["metadata"]["name"]
    for rule in (limits.get("spec") or {}).get("limits") or ():
        for option, bound, resource, text in _asked(settings, rule.get("type", "")):
            amount = _quantity.parse(text)
            least, most = (rule.get(each, {}).get(resource) for each in ("min", "max"))
            if most is not None and bound != "request" and amount > _quantity.parse(most):
                problem = f"is more than the {most} that the LimitRange {name} in {home} allows"
                yield Problem(option, problem, "Lower it, or have the range changed.", repr(text))
            if least is not None and bound != "limit" and amount < _quantity.parse(least):
                problem = f"is less than the {least} that the LimitRange {name} in {home} demands"
                yield Problem(option, problem, "Raise it, or have the range changed.", repr(text))


def _asked(settings: Settings, kind: str) -> Iterator[tuple[str, str, str, str]]:
    """(variable, request | limit | both, resource, quantity) that a LimitRange of *kind* judges."""
    own = not settings["database_secret"]
    if kind == "PersistentVolumeClaim":
        if own:
            size = settings["postgres"]["storage_size"]
            yield variable("postgres", "storage_size"), "both", "storage", size
        redis = settings["redis"]
        if redis is not None and "redis" in _settings.parts(settings) and redis["storage_size"]:
            yield variable("redis", "storage_size"), "both", "storage", redis["storage_size"]
    if kind not in ("Container", "Pod"):
        return
    for part in _settings.parts(settings):
        if part == "postgres" and not own:
            continue
        option, sizes = _settings.sizes(settings, part)
        for resource in ("cpu", "memory"):
            for bound in ("request", "limit"):
                text: str = sizes[f"{resource}_{bound}"]  # type: ignore[literal-required]
                yield variable(option, f"{resource}_{bound}"), bound, resource, text


def _shown(resource: str, amount: Decimal) -> str:
    if "memory" in resource or resource.endswith("storage"):
        return _sizing.size(amount)
    return _sizing.cpu(amount)
