# SPDX-License-Identifier: MIT
"""Kubeconfig files of a lab: self-contained, in the lab's own folder; a person's own one is never touched."""

from __future__ import annotations

import base64
from pathlib import Path

import yaml
from lablib import files
from lablib.settings import Settings

# File (below the lab's config folder) and the certificate it carries.
IDENTITIES = ("controllers", "dns", "controller-manager", "scheduler", "proxy", "node", "kwok")


def document(
    server: str, authority: bytes, certificate: bytes, key: bytes, user: str
) -> dict[str, object]:
    """A kubeconfig of one cluster, one user and one context."""

    def encoded(data: bytes) -> str:
        return base64.b64encode(data).decode()

    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "lab",
                "cluster": {"server": server, "certificate-authority-data": encoded(authority)},
            }
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": encoded(certificate),
                    "client-key-data": encoded(key),
                },
            }
        ],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": user}}],
        "current-context": "lab",
    }


def path(settings: Settings, identity: str) -> Path:
    return settings.config / f"{identity}.kubeconfig"


def ensure(settings: Settings) -> None:
    """Write the lab's kubeconfig files, the admin's and the components'."""
    _write(settings, "admin", "system:admin", settings.kubeconfig)
    for identity in IDENTITIES:
        _write(settings, identity, identity, path(settings, identity))


def _write(settings: Settings, identity: str, user: str, target: Path) -> None:
    authority, certificate, key = (
        (settings.pki / name).read_bytes()
        for name in ("ca.crt", f"{identity}.crt", f"{identity}.key")
    )
    content = document(settings.api_url, authority, certificate, key, user)
    files.write(target, yaml.safe_dump(content))
