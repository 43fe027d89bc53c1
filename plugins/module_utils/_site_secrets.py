# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets whose content a site gives: the certificate behind the address, and the pull secret.

Internal to rhpds.litemaas: no stable interface for other collections.

They come and go with the variables that hold their content, and nothing in them is generated. Written
beside the credentials, so that their values are in no manifest, no diff and no result.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _certificate,
    _labels,
    _pull_config,
    _secret,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._apply import CREATE_ONLY
from ansible_collections.rhpds.litemaas.plugins.module_utils._credentials import Instance, Listed
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError
from ansible_collections.rhpds.litemaas.plugins.module_utils._secret_names import (
    PULL_SECRET,
    TLS_SECRET,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._secret_plan import Action, Change

if TYPE_CHECKING:
    from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

TRIES = 5  # while somebody else writes the same Secret
OPTIONS: dict[str, dict[str, Any]] = {
    "tls_certificate": {"type": "str", "default": ""},
    "tls_key": {"type": "str", "default": "", "no_log": True},
    "pull_secret": {"type": "raw", "default": "", "no_log": True},
}


@dataclass(frozen=True)
class Given:
    """The content of one Secret."""

    name: str
    type: str
    part: str  # of an instance, by which it is found when it is given no more
    data: Mapping[str, str] = field(repr=False)


def given(params: Mapping[str, Any]) -> list[Given]:
    """The Secrets that the options of the ``credentials`` module ask for.

    Raises LitemaasError for what cannot be; the ``plan`` module says it in more words.
    """
    found = []
    if params["tls_certificate"] and params["tls_key"]:
        certificate, key = _certificate.normal(params["tls_certificate"], params["tls_key"])
        data = {"tls.crt": certificate, "tls.key": key}
        found.append(Given(TLS_SECRET, "kubernetes.io/tls", "certificate", data))
    elif params["tls_certificate"] or params["tls_key"]:
        raise LitemaasError("tls_certificate and tls_key are given together or not at all.")
    if params["pull_secret"]:
        try:
            text = _pull_config.text(params["pull_secret"])
        except ValueError as error:
            raise LitemaasError(f"pull_secret {str(error).replace('|', ': ')}") from None
        kind = "kubernetes.io/dockerconfigjson"
        found.append(Given(PULL_SECRET, kind, "pull-secret", {".dockerconfigjson": text}))
    return found


def settle(
    client: Client, target: Instance, known: Listed, wanted: list[Given], *, dry_run: bool
) -> tuple[Change, ...]:
    """Bring an instance's Secrets to what is given. Raises LitemaasError when that fails."""
    return tuple(_settle(client, target, known, each, dry_run) for each in wanted)


def _settle(
    client: Client, target: Instance, known: Listed, wanted: Given, dry_run: bool
) -> Change:
    path = _secret.path(target.namespace, wanted.name)
    live = known.get((target.namespace, wanted.name))
    if live is None and not target.new:
        live = client.find(path)
    for _unused in range(TRIES):
        change = _change(target, wanted, live)
        if dry_run or change.action == "unchanged":
            return change
        try:
            body = _manifest(target, wanted, change.version)
            client.apply(path, body, field_manager=_labels.FIELD_MANAGER)
            return change
        except ApiError as error:
            if error.status != 409:
                raise
        live = client.find(path)
    raise LitemaasError(f"the Secret {wanted.name} is changed by somebody else all the time.")


def _change(target: Instance, wanted: Given, live: Mapping[str, Any] | None) -> Change:
    action: Action = "created"
    before: Mapping[str, str] = {}
    version = ""
    if live is not None:
        reason = _secret.foreign(live, target.labels)
        if not reason and live.get("type") != wanted.type:
            reason = f"it is of the type {live.get('type')}"
        if reason:
            raise LitemaasError(
                f"the Secret {wanted.name} in the namespace {target.namespace} is left untouched: "
                f"{reason}. Remove it if nobody needs it."
            )
        before = live.get("data") or {}
        version = live["metadata"]["resourceVersion"]
        same = before == _encoded(wanted)
        labelled = _marks(target, wanted).items() <= _labels.of(live).items()
        action = "unchanged" if same and labelled else "configured"
    encoded = _encoded(wanted)
    updated = tuple(key for key in encoded if live and before.get(key) != encoded[key])
    return Change(wanted.name, action, wanted.data, (), updated, version, "", True)


def _manifest(target: Instance, wanted: Given, version: str) -> dict[str, Any]:
    metadata = {
        "name": wanted.name,
        "namespace": target.namespace,
        "labels": _marks(target, wanted),
        "resourceVersion": version or CREATE_ONLY,
    }
    head = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": wanted.type}
    return {**head, "data": _encoded(wanted)}


def _marks(target: Instance, wanted: Given) -> dict[str, str]:
    return {**target.labels, _labels.OPTIONAL: wanted.part}


def _encoded(wanted: Given) -> dict[str, str]:
    return {key: base64.b64encode(text.encode()).decode() for key, text in wanted.data.items()}
