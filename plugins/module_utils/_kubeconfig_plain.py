# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kubeconfig of the plain kind: one file, with a token or a client certificate in it.

Internal to rhpds.litemaas: no stable interface for other collections.

That is what ``oc login`` and an installer write. The ``kubernetes`` package would read it too, but
importing that costs every module of a run a third of a second, of older releases a whole one. What
is not plain (plug-ins, token files, several files, mistakes) is left to it.
"""

from __future__ import annotations

import atexit
import base64
import binascii
import os
import tempfile
from contextlib import suppress
from functools import cache
from typing import Any

# What is understood here; anything else in its place makes a kubeconfig not plain.
_CLUSTER = frozenset(
    (
        *("server", "certificate-authority", "certificate-authority-data", "tls-server-name"),
        *("insecure-skip-tls-verify", "proxy-url", "extensions"),
    )
)
_USER = frozenset(
    (
        *("token", "client-certificate", "client-certificate-data", "client-key"),
        *("client-key-data", "extensions"),
    )
)


def read(path: str, context: str | None) -> dict[str, Any] | None:
    """Return fields of a Connection, but for ``source``; None where the file is not plain."""
    try:
        import yaml
    except ImportError:
        return None
    folder = os.path.dirname(os.path.abspath(path))
    try:
        with open(path, encoding="utf-8") as stream:
            document = yaml.load(stream, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return _fields(document, context, folder)
    except (OSError, KeyError, ValueError, TypeError, AttributeError, yaml.YAMLError):
        return None


def _fields(document: dict[str, Any], context: str | None, folder: str) -> dict[str, Any] | None:
    chosen = _named(document["contexts"], context or document.get("current-context"), "context")
    cluster = _named(document["clusters"], (chosen or {}).get("cluster"), "cluster")
    user = _named(document["users"], (chosen or {}).get("user"), "user")
    if not cluster or not user or set(cluster) - _CLUSTER or set(user) - _USER:
        return None
    host, token = cluster.get("server"), user.get("token")
    if not isinstance(host, str) or not host.startswith("https://"):
        return None
    return {
        "host": host.rstrip("/"),
        "headers": (("Authorization", f"Bearer {token}"),) if token else (),
        "ca_cert": _file(cluster, "certificate-authority", folder),
        "client_cert": _file(user, "client-certificate", folder),
        "client_key": _file(user, "client-key", folder),
        "validate_certs": not cluster.get("insecure-skip-tls-verify"),
        "server_name": cluster.get("tls-server-name"),
        "proxy": cluster.get("proxy-url"),
    }


def _named(items: list[dict[str, Any]], name: str | None, kind: str) -> dict[str, Any] | None:
    found = [item[kind] for item in items if item.get("name") == name]
    return found[0] if len(found) == 1 else None


def _file(entry: dict[str, Any], key: str, folder: str) -> str | None:
    """The path of a certificate or key, which stands in the entry itself or in a file it names."""
    data, path = entry.get(f"{key}-data"), entry.get(key)
    if data:
        return _kept(data)
    if path and not os.path.isfile(os.path.join(folder, path)):
        raise ValueError(f"there is no file {path}")
    return os.path.join(folder, path) if path else None


@cache
def _kept(data: str) -> str:
    """A file, mode 0600, with what is encoded: TLS libraries take client certificates from files alone."""
    try:
        content = base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error
    handle, path = tempfile.mkstemp(prefix="litemaas-")
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
    atexit.register(_removed, path)
    return path


def _removed(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)
