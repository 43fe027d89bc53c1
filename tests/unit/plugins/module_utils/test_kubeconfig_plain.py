# SPDX-License-Identifier: MIT
"""A plain kubeconfig is read as the package `kubernetes` reads it, and without it; anything else is left to it."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _kubeconfig, _kubeconfig_plain

SERVER = "https://api.example.com:6443"
DATA = base64.b64encode(b"-----BEGIN-----").decode()
TOKEN = {"token": "sha256~abc"}
PLAIN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "token": ({}, TOKEN),
    "slash": ({"server": SERVER + "/"}, TOKEN),
    "path": ({"server": SERVER + "/k8s/clusters/c-1"}, TOKEN),
    "insecure": ({"insecure-skip-tls-verify": True}, TOKEN),
    "name and proxy": ({"tls-server-name": "k8s", "proxy-url": "http://proxy:3128"}, TOKEN),
    "CA inside": ({"certificate-authority-data": DATA}, TOKEN),
    "CA beside": ({"certificate-authority": "ca.crt"}, TOKEN),
    "CA inside and beside": (
        {"certificate-authority-data": DATA, "certificate-authority": "ca.crt"},
        TOKEN,
    ),
    "client certificate": (
        {"certificate-authority-data": DATA},
        {"client-certificate-data": DATA, "client-key-data": DATA},
    ),
    "client certificate beside": (
        {"extensions": []},
        {"client-certificate": "client.crt", "client-key": "client.key"},
    ),
    "certificate and token": (
        {},
        {**TOKEN, "client-certificate-data": DATA, "client-key-data": DATA},
    ),
    "nothing": ({}, {"extensions": []}),
}
NOT_PLAIN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plug-in": ({}, {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "x"}}),
    "token file": ({}, {"tokenFile": "token"}),
    "user name": ({}, {"username": "admin", "password": "x"}),
    "provider": ({}, {**TOKEN, "auth-provider": {"name": "oidc"}}),
    "no server": ({"server": None}, TOKEN),
    "no TLS": ({"server": "http://api.example.com"}, TOKEN),
    "no base64": ({"certificate-authority-data": "%"}, TOKEN),
    "no such file": ({"certificate-authority": "absent.crt"}, TOKEN),
    "impersonation": ({}, {**TOKEN, "as": "somebody"}),
}


def written(folder: Path, cluster: dict[str, Any], user: dict[str, Any]) -> str:
    """The path of a kubeconfig with two contexts, of which `second` is another server's."""
    for name in ("ca.crt", "client.crt", "client.key"):
        (folder / name).write_text(name)
    clusters = {"first": {"server": SERVER, **cluster}, "second": {"server": SERVER + "2"}}
    contexts = {name: {"cluster": name, "user": name} for name in clusters}
    users = {"first": user, "second": {"token": "other"}}
    document = {
        "current-context": "first",
        "clusters": [{"name": name, "cluster": each} for name, each in clusters.items()],
        "contexts": [{"name": name, "context": each} for name, each in contexts.items()],
        "users": [{"name": name, "user": each} for name, each in users.items()],
    }
    path = folder / "config"
    path.write_text(yaml.safe_dump(document))
    return str(path)


def contents(fields: dict[str, Any]) -> dict[str, Any]:
    """With what stands in the files in place of their paths, which differ."""
    paths = ("ca_cert", "client_cert", "client_key")
    return {
        name: Path(value).read_text() if name in paths and value else value
        for name, value in fields.items()
    }


def read(path: str, context: str | None = None) -> dict[str, Any]:
    return _kubeconfig.read(path, "a test", context=context, persist=False)


@pytest.mark.parametrize("context", [None, "second"])
@pytest.mark.parametrize("name", PLAIN)
def test_as_the_package_reads_it_and_without_it(
    name: str, context: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, *PLAIN[name])
    with monkeypatch.context() as only_package:
        only_package.setattr(_kubeconfig_plain, "read", lambda *_: None)
        expected = contents(read(path, context))
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    found = read(path, context)
    assert contents(found) == expected


@pytest.mark.parametrize("name", NOT_PLAIN)
def test_what_is_not_plain(name: str, tmp_path: Path) -> None:
    assert _kubeconfig_plain.read(written(tmp_path, *NOT_PLAIN[name]), None) is None


@pytest.mark.parametrize(
    "text", ["", "[]", "a: b: c", "contexts: 1", "clusters: []\ncontexts: []\nusers: []"]
)
def test_what_is_no_kubeconfig(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    assert _kubeconfig_plain.read(str(path), None) is None


def test_an_unknown_context(tmp_path: Path) -> None:
    assert _kubeconfig_plain.read(written(tmp_path, {}, TOKEN), "third") is None


def test_the_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    user = {"client-certificate-data": DATA, "client-key-data": DATA}
    found = _kubeconfig_plain.read(written(tmp_path, {}, user), None)
    assert found and os.stat(found["client_key"]).st_mode & 0o777 == 0o600
