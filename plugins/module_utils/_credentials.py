# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances whose credentials are kept, and what the cluster holds of them.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _external_database,
    _key_store,
    _labels,
    _secret,
    _secret_plan,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._credential_values import Wanted
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError
from ansible_collections.rhpds.litemaas.plugins.module_utils._secret import (
    LITELLM,
    NAMES,
    POSTGRES,
    Stored,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._secret_plan import SecretPlan

if TYPE_CHECKING:
    from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

CA_FILE = "/etc/litellm-ca/ca.pem"  # the site's certificates, in every pod that has them
CLAIM = "data-postgres-0"  # of the database's StatefulSet
PUBLISHED = {
    "username": "UI_USERNAME",
    "password": "UI_PASSWORD",
    "api_key": "LITELLM_MASTER_KEY",
}

Listed = Mapping[tuple[str, str], Mapping[str, Any]]  # Secret objects by namespace and name


@dataclass(frozen=True)
class Instance:
    """The parts of an instance of the ``plan`` module that matter here."""

    name: str
    namespace: str
    labels: Mapping[str, str] = field(hash=False)
    new: bool = False  # whether its namespace was made, or would be, in this very run
    secrets: tuple[str, ...] = NAMES  # that it is to have
    # Where the URL of a site's database is kept, in place of its own.
    external: Mapping[str, str] | None = field(default=None, hash=False)
    ca_file: str = ""
    login: Mapping[str, str] = field(default_factory=dict, hash=False)  # of its LiteMaaS backend


def instances(given: Iterable[Mapping[str, Any]], new: Iterable[str] = ()) -> list[Instance]:
    """Read a module's list of instances. ``new``: namespaces that did not exist before."""
    fresh = set(new)
    found = []
    for item in given:
        lacking = [key for key in ("name", "namespace", "labels") if not item.get(key)]
        if lacking:
            raise LitemaasError(
                f"An instance lacks {', '.join(lacking)}: hand over what the plan module returned."
            )
        home = item["namespace"]
        optional = (name for name, part in _secret.OPTIONAL.items() if item.get(part))
        external = item.get("external_database")
        always = tuple(name for name in NAMES if not (external and name == POSTGRES))
        ca_file = CA_FILE if (item.get("litellm") or {}).get("ca_bundle") else ""
        found.append(
            Instance(
                *(item["name"], home, dict(item["labels"]), home in fresh),
                secrets=(*always, *optional),
                external=external or None,
                ca_file=ca_file,
                login=item.get("backend") or {},
            )
        )
    return found


def listed(client: Client, targets: Iterable[Instance]) -> tuple[Listed, list[str]]:
    """Return (all Secrets with our labels, from one LIST; notes).

    Where a user may not list Secrets in all namespaces there are none, and each is read by itself.
    """
    deployments = sorted({target.labels.get(_labels.DEPLOYMENT, "") for target in targets})
    selector = f"{_labels.selector(dict([_labels.MANAGED_BY]))},"
    selector += f"{_labels.DEPLOYMENT} in ({','.join(deployments)})"
    try:
        items = client.list("/api/v1/secrets", label_selector=selector)
    except ApiError as error:
        if error.status != 403:
            raise
        return {}, ["Not allowed (403) to list Secrets in all namespaces: read one by one."]
    return {(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in items}, []


def read(client: Client, target: Instance, known: Listed | None = None) -> dict[str, Stored]:
    """Return an instance's Secrets by name. Raises LitemaasError for one that is not its own.

    What is not ``known`` from the list is asked for by name, because a Secret without our labels
    may stand there; not in a new namespace, where there can be none before we write.
    """
    found = {}
    for name in target.secrets:
        obj = (known or {}).get((target.namespace, name))
        if obj is None and not (target.new and known is not None):
            obj = client.find(_secret.path(target.namespace, name))
        if obj is None:
            continue
        reason = _secret.foreign(obj, target.labels)
        if reason:
            raise LitemaasError(
                f"the Secret {name} in the namespace {target.namespace} is left untouched: "
                f"{reason}. Choose another namespace, or remove that Secret if nobody needs it."
            )
        found[name] = _secret.stored(obj, target.labels)
    return found


def decide(
    client: Client, target: Instance, existing: Mapping[str, Stored], wanted: Wanted
) -> SecretPlan:
    """Decide for one instance. Raises LitemaasError with all that forbids to go on."""
    volume: bool | None = None
    external = None
    if target.external:
        # Whether it has served an instance before is not for us to see.
        place = _external_database.place(target.external)
        external = _external_database.fetch(client, place, target.namespace)
    elif target.new:
        volume = False
    elif _secret_plan.needs_volume(existing, wanted):
        volume = _has_volume(client, target)
    decided = _secret_plan.decide(
        existing,
        wanted,
        volume=volume,
        names=target.secrets,
        external=external,
        ca_file=target.ca_file,
        login=target.login,
    )
    if decided.problems:
        raise LitemaasError(" ".join(decided.problems))
    return decided


def kept(client: Client, target: Instance, known: Listed) -> dict[str, dict[str, str]]:
    """``virtual_keys`` and ``passwords`` of an instance, by their entries in its Secrets."""
    found = {}
    for what, name in {"virtual_keys": _key_store.NAME, "passwords": _key_store.LOGINS}.items():
        obj = known.get((target.namespace, name))
        if obj is None and not known:  # Secrets may not be listed here
            obj = client.find(_secret.path(target.namespace, name))
        found[what] = dict(_secret.stored(obj, target.labels).data) if obj else {}
    return found


def published(
    existing: Mapping[str, Stored], values: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, Any] | None:
    """What there is to tell of an instance; None when some of it is missing. *values*: of :func:`kept`."""
    secret = existing.get(LITELLM, Stored({}))
    found = {name: secret.value(key) for name, key in PUBLISHED.items()}
    own = values or {"virtual_keys": {}, "passwords": {}}
    return {**found, **own} if all(found.values()) else None


def _has_volume(client: Client, target: Instance) -> bool | None:
    claims = f"/api/v1/namespaces/{target.namespace}/persistentvolumeclaims"
    try:
        return client.find(f"{claims}/{CLAIM}") is not None
    except ApiError as error:
        if error.status != 403:
            raise
        return None
