# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Secrets in which the values of an instance's virtual keys and users' passwords are kept.

Internal to rhpds.litemaas: no stable interface for other collections.

LiteLLM never gives such a value a second time, so it is generated here and written down before the
gateway learns of it, all values of a run in one write. Each write is for the version that was read:
of two runs at once the later one is refused, reads again, and takes the values that it finds.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _labels,
    _password,
    _secret,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._apply import CREATE_ONLY
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError, Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

NAME = "litellm-virtual-keys"
LOGINS = "litellm-user-passwords"
_TRIES = 8
_ENTRY = re.compile(r"[-._a-zA-Z0-9]{1,253}")


class Birth(NamedTuple):
    """A value that is to be there: the *given* one, or one that is generated where there is none.

    *anew*: replace the one that is there.
    """

    given: str = ""
    anew: bool = False


class KeyStore:
    """Values by alias, in one Secret. *kind*: of what is generated. Safe to use from several threads."""

    def __init__(
        self,
        client: Client,
        namespace: str,
        labels: Mapping[str, str],
        name: str = NAME,
        kind: _password.Kind = "key",
    ) -> None:
        self._client = client
        self._kind = kind
        self._path = _secret.path(namespace, name)
        self._namespace, self._name = namespace, name
        self._labels = dict(labels)
        self._lock = threading.Lock()
        self._data: dict[str, str] = {}
        self._version = ""
        self._read()

    def value(self, alias: str) -> str:
        """The stored value of a key, "" when there is none."""
        return self._data.get(entry(alias), "")

    def born(self, births: Mapping[str, Birth]) -> dict[str, str]:
        """The values by alias. All that are new are written down at once, before this returns."""
        with self._lock:
            before = {alias: self.value(alias) for alias in births}
            for _unused in range(_TRIES):
                values = {
                    alias: self._decided(alias, birth, before[alias])
                    for alias, birth in births.items()
                }
                data = {**self._data, **{entry(alias): value for alias, value in values.items()}}
                if data == self._data or self._write(data):
                    return values
            raise LitemaasError(self._contended())

    def forget(self, aliases: Iterable[str]) -> None:
        """Take values out."""
        gone = set(map(entry, aliases))
        with self._lock:
            for _unused in range(_TRIES):
                kept = {key: value for key, value in self._data.items() if key not in gone}
                if len(kept) == len(self._data) or self._write(kept):
                    return
            raise LitemaasError(self._contended())

    def _decided(self, alias: str, birth: Birth, before: str) -> str:
        known = self.value(alias)
        if birth.anew and known != before:
            return known  # another run has just replaced it
        if known and not birth.anew and birth.given in ("", known):
            return known
        return birth.given or _password.generate(self._kind)

    def _write(self, data: dict[str, str]) -> bool:
        """Whether the Secret was written; if not, it has been read again."""
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": self._name,
                "namespace": self._namespace,
                "labels": {**self._labels, "app": "litellm", "app.kubernetes.io/name": "litellm"},
                "resourceVersion": self._version or CREATE_ONLY,
            },
            "type": "Opaque",
            "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
        }
        try:
            _status, made = self._client.apply(
                self._path, body, field_manager=_labels.FIELD_MANAGER
            )
        except ApiError as error:
            if error.status != 409:
                raise
            self._read()
            return False
        self._data, self._version = data, made["metadata"]["resourceVersion"]
        return True

    def _read(self) -> None:
        obj = self._client.find(self._path)
        if obj is None:
            self._data, self._version = {}, ""
            return
        reason = _secret.foreign(obj, self._labels)
        if reason:
            raise LitemaasError(
                f"the Secret {self._name} in the namespace {self._namespace} is left untouched: "
                f"{reason}."
            )
        self._data = {key: _decoded(value) for key, value in (obj.get("data") or {}).items()}
        self._version = obj["metadata"]["resourceVersion"]

    def _contended(self) -> str:
        return (
            f"the Secret {self._name} in the namespace {self._namespace} changed {_TRIES} times "
            "while it was being written. Find out what else writes to it and run again."
        )


def read(client: Client, namespace: str, name: str, key: str) -> str:
    """One value of any Secret. Raises LitemaasError saying what is missing."""
    obj = client.find(_secret.path(namespace, name))
    if obj is None:
        raise LitemaasError(f"the Secret {name} does not exist in the namespace {namespace}.")
    value = (obj.get("data") or {}).get(key)
    if not value:
        there = ", ".join(sorted(obj.get("data") or {})) or "nothing"
        raise LitemaasError(
            f"the Secret {name} in the namespace {namespace} has no {key}; it has {there}."
        )
    return _decoded(value)


def entry(alias: str) -> str:
    """The key in the Secret: the alias where Kubernetes takes it, else a name made of it."""
    if _ENTRY.fullmatch(alias) and alias not in (".", ".."):
        return alias
    digest = hashlib.sha256(alias.encode()).hexdigest()[:10]
    return re.sub(r"[^-._a-zA-Z0-9]+", "-", alias)[:200] + "." + digest


def _decoded(value: Any) -> str:
    return base64.b64decode(value).decode("utf-8", "replace").strip("\r\n")
