# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The namespaces of a deployment as the cluster has them, and whether they may be used.

Internal to rhpds.litemaas: no stable interface for other collections.

Only our own things are touched, so a namespace is ours by its labels and never by its name. One
that is not ours may be used when the user says so and nothing in it bears one of our names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels, _resources
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import (
    Problem,
    listed,
    variable,
)

if TYPE_CHECKING:
    from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

Objects = Mapping[tuple[str, str], Mapping[str, Any]]
# Up to so many are asked for one by one: a cluster may have thousands of others.
FEW = 20
_EXISTING = variable("use_existing_namespace")
# What shows that another collection's instance lives in a namespace.
_INSTANCE = (("Deployment", "litellm"), ("StatefulSet", "postgres"))
_WAY_OVER = (
    "To move over: dump its database with pg_dump, note its master key and salt key, remove it "
    "with what installed it, deploy with these keys, and restore the dump."
)


@dataclass(frozen=True)
class Found:
    """One namespace: its live object, None when there is none; and our names that are in it."""

    name: str
    live: Mapping[str, Any] | None = None
    readable: bool = True
    """False when looking at it is forbidden: then nothing is known about it."""
    objects: Objects = field(default_factory=dict)
    """Their metadata by (kind, name); looked for only in a namespace that is not ours."""

    @property
    def ours(self) -> bool:
        return self.live is not None and _labels.is_ours(self.live)

    @property
    def foreign(self) -> bool:
        """There, and made by somebody else; or out of our sight."""
        return not self.readable or (self.live is not None and not self.ours)

    @property
    def terminating(self) -> bool:
        return bool(self.live and self.live["metadata"].get("deletionTimestamp"))


@dataclass(frozen=True)
class Survey:
    """All that was looked at."""

    found: list[Found]
    """The namespaces of the plan, in its order."""
    surplus: list[str]
    """Namespaces of the same deployment that are not in the plan: users of a larger run."""
    clash: list[str]
    """Namespaces that bear our deployment's label by coincidence: see :func:`look`."""

    @property
    def foreign(self) -> list[str]:
        return [each.name for each in self.found if each.foreign]

    @property
    def terminating(self) -> list[str]:
        return [each.name for each in self.found if each.terminating]


def look(
    client: Client,
    deployment: str,
    names: Iterable[str],
    *,
    multi_user: bool,
    application: bool = False,
) -> Survey:
    """Read the namespaces *names*. Raises LitemaasError when the API fails.

    *application*: whether the instances have the LiteMaaS application, whose names count then too.

    On a second run one LIST by label finds them all; what it does not find is asked for by name, of
    many only what another LIST of all names has: so no run costs a request a user.

    A single deployment in the namespace ``litemaas-user`` and the users' deployment ``litemaas``
    with the prefix ``user`` would bear the same label, and removing one would remove both.
    """
    wanted = list(names)
    if not wanted:
        return Survey([], [], [])
    known = _labelled(client, deployment)
    there = _names(client) if len(set(wanted) - set(known)) > FEW else None

    def find(name: str) -> Found:
        if name in known or (there is not None and name not in there):
            return Found(name, known.get(name))
        return _read(client, name)

    found = client.each(find, wanted)
    for each in found:
        if isinstance(each, LitemaasError):
            raise each
    ours = _labels.objects(application)
    objects = _objects(client, [each.name for each in found if each.foreign], ours)
    # user9 before user10.
    beyond = sorted(set(known) - set(wanted), key=lambda name: (len(name), name))
    surplus = [name for name in beyond if multi_user and name != deployment]
    return Survey(
        [Found(each.name, each.live, each.readable, objects.get(each.name, {})) for each in found],
        surplus,
        [name for name in beyond if name not in surplus],
    )


def problems(survey: Survey, deployment: str, *, use_existing: bool) -> list[Problem]:
    """Why the namespaces cannot be used; one problem for all of them that share the reason.

    Some that are being deleted are no problem of the others: those are waited for, and fail alone.
    """
    name = variable("namespace")
    reasons: dict[tuple[str, str], list[str]] = {}
    judged = [each for each in survey.found if not each.terminating] or survey.found
    for each in judged:
        reason = _reason(each, deployment, use_existing)
        if reason:
            reasons.setdefault(reason, []).append(each.name)
    if survey.clash:
        problem = f"makes the deployment {deployment}, which exists in another mode"
        reasons[problem, "Choose another namespace or user prefix."] = survey.clash
    return [
        Problem(name, problem, remedy, listed(names))
        for (problem, remedy), names in reasons.items()
    ]


def _reason(found: Found, deployment: str, use_existing: bool) -> tuple[str, str] | None:
    """(problem, remedy) for one namespace, or None when it may be used."""
    if found.live is None and found.readable:
        problem = f"names no existing namespace, and {_EXISTING} is true"
        remedy = f"Create it first, or set {_EXISTING} to false to have it created."
        return (problem, remedy) if use_existing else None
    if found.terminating:
        remedy = "Wait until it is gone; `kubectl get namespace -o yaml` shows what holds it."
        return "names a namespace that is being deleted", remedy
    if found.live and found.ours:
        return _other_deployment(found.live, deployment)
    return _foreign(found, deployment, use_existing)


def _foreign(found: Found, deployment: str, use_existing: bool) -> tuple[str, str] | None:
    others = [key for key, obj in found.objects.items() if not _labels.is_ours(obj, deployment)]
    for key in others:
        if _labels.is_ours(found.objects[key]):
            return _other_deployment(found.objects[key], deployment)
    if any(key in _INSTANCE for key in others):
        problem = "names a namespace with an instance that something else than this collection made"
        return problem, f"It stays untouched. {_WAY_OVER}"
    if use_existing and others:
        what = ", ".join(f"{kind} {name}" for kind, name in others)
        problem = f"names a namespace where others hold names that the instance needs: {what}"
        return problem, "They stay untouched. Use another namespace, or remove them first."
    if use_existing or not found.readable:
        return None
    if found.objects and not others:
        problem = "names a namespace that was not made by this collection but holds its instance"
        return problem, f"Set {_EXISTING} to true, as when it was deployed."
    problem = "names a namespace that exists and was not made by this collection"
    remedy = f"Choose another, or set {_EXISTING} to true to have the instance put into it."
    return problem, remedy


def _other_deployment(obj: Mapping[str, Any], deployment: str) -> tuple[str, str] | None:
    owner = _labels.of(obj).get(_labels.DEPLOYMENT, "")
    if owner == deployment:
        return None
    problem = f"names a namespace of another deployment of this collection ({owner or 'unnamed'})"
    return problem, "Choose another name, or remove that deployment first."


def _labelled(client: Client, deployment: str) -> dict[str, Mapping[str, Any]]:
    """The namespaces of *deployment* by name; none where listing them is forbidden."""
    selector = _labels.selector(_labels.deployment_labels(deployment))
    return {each["metadata"]["name"]: each for each in _list(client, label_selector=selector) or ()}


def _names(client: Client) -> set[str] | None:
    """The names of all namespaces; None where listing them is forbidden."""
    listed = _list(client, metadata=True)
    return None if listed is None else {each["metadata"]["name"] for each in listed}


def _list(client: Client, **options: Any) -> list[dict[str, Any]] | None:
    try:
        return client.list(_resources.collection_path("v1", "Namespace"), **options)
    except ApiError as error:
        if error.status != 403:
            raise
        return None


def _read(client: Client, name: str) -> Found:
    path = _resources.object_path(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    )
    try:
        return Found(name, client.find(path))
    except ApiError as error:
        if error.status != 403:
            raise
        return Found(name, readable=False)


def _objects(
    client: Client, names: list[str], known: Iterable[tuple[str, str, str]]
) -> dict[str, Objects]:
    """What bears one of our names in each of the namespaces *names*.

    Metadata only, so that no Secret's value is sent. A kind that may not be listed, or that the
    cluster does not have, is left out: ``_permissions`` names the former.
    """
    ours = {(kind, name) for _api_version, kind, name in known}
    kinds = sorted({(api_version, kind) for api_version, kind, _name in known})
    wanted = [(name, *kind) for name in names for kind in kinds]

    def read(item: tuple[str, str, str]) -> list[dict[str, Any]]:
        namespace, api_version, kind = item
        try:
            return client.list(
                _resources.collection_path(api_version, kind, namespace), metadata=True
            )
        except ApiError as error:
            if error.status not in (403, 404):
                raise
            return []

    found: dict[str, dict[tuple[str, str], Mapping[str, Any]]] = {name: {} for name in names}
    for (namespace, _api_version, kind), items in zip(
        wanted, client.each(read, wanted), strict=True
    ):
        if isinstance(items, LitemaasError):
            raise items
        for item in items:
            key = (kind, item["metadata"]["name"])
            if key in ours:
                found[namespace][key] = item
    return dict(found)
