# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of a pull secret: logins to registries, as ``podman login`` writes them.

Internal to rhpds.litemaas: no stable interface for other collections.

No message holds any of it but the names of registries.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Any

_EXAMPLE = 'Give the text of a file as `podman login --authfile FILE` writes it: {"auths": {…}}.'


def content(given: Any) -> dict[str, Any]:
    """The mapping that *given* is; text or, as Ansible makes of such text, the mapping itself.

    ValueError says what is wrong and what to do: ``problem|remedy``.
    """
    found = given
    if isinstance(given, str):
        try:
            found = json.loads(given)
        except ValueError:
            raise ValueError(f"is no JSON|{_EXAMPLE}") from None
    auths = found.get("auths") if isinstance(found, Mapping) else None
    if not isinstance(auths, Mapping) or not auths:
        raise ValueError(f"has no logins in auths|{_EXAMPLE}")
    for registry, login in auths.items():
        fault = _fault(login)
        if fault:
            raise ValueError(f"has a login to {registry} {fault}|{_EXAMPLE}")
    return dict(found)


def text(given: Any) -> str:
    """The same content in one form, so that the order of a file's keys changes no Secret."""
    return json.dumps(content(given), sort_keys=True, separators=(",", ":"))


def lacking(given: Any, registries: Iterable[str]) -> list[str]:
    """Those of *registries* to which it has no login. A registry of an image may need none."""
    known = {_host(name) for name in content(given)["auths"]}
    return sorted(name for name in set(registries) if name and name not in known)


def _host(name: str) -> str:
    """``quay.io`` of ``https://quay.io/v2/`` and of ``quay.io/team``."""
    return name.partition("://")[2].partition("/")[0] if "://" in name else name.partition("/")[0]


def _fault(login: Any) -> str:
    if not isinstance(login, Mapping):
        return "that is no mapping"
    if login.get("username") and login.get("password"):
        return ""
    auth = login.get("auth")
    if not isinstance(auth, str) or not auth:
        if login.get("identitytoken") or login.get("registrytoken"):
            return ""
        return "without auth"
    try:
        pair = base64.b64decode(auth, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "whose auth is no base64"
    return "" if ":" in pair else "whose auth is not of the form user:password"
