# SPDX-License-Identifier: MIT
"""Which cluster, as whom: parameters, environment, kubeconfig, service account."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _connection, _kubeconfig
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

HOST = "https://api.example.com:6443"
OTHER = "https://other.example.com:6443"


def kubeconfig(**user: Any) -> dict[str, Any]:
    """A kubeconfig with the contexts `first` (current, with this user) and `second`."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "first",
        "contexts": [
            {"name": name, "context": {"cluster": name, "user": name}}
            for name in ("first", "second")
        ],
        "clusters": [
            {"name": "first", "cluster": {"server": HOST + "/"}},
            {
                "name": "second",
                "cluster": {
                    "server": OTHER,
                    "insecure-skip-tls-verify": True,
                    "tls-server-name": "kubernetes",
                    "proxy-url": "http://proxy:3128",
                },
            },
        ],
        "users": [
            {"name": "first", "user": user or {"token": "file-token"}},
            {"name": "second", "user": {"token": "second-token"}},
        ],
    }


@pytest.fixture
def config_file(tmp_path: Path) -> str:
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(kubeconfig()))
    return str(path)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def authorization(connection: _connection.Connection) -> str:
    return dict(connection.headers).get("Authorization", "")


def test_agnosticd_with_host_and_key_needs_neither_file_nor_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    environment = {
        "HOME": str(tmp_path),
        "K8S_AUTH_HOST": HOST + "/",
        "K8S_AUTH_API_KEY": "sha256~abc\n",
        "K8S_AUTH_VERIFY_SSL": "False",
    }
    found = _connection.load({}, environment)
    assert (found.host, found.source, found.credentials) == (
        HOST,
        "K8S_AUTH_HOST",
        "K8S_AUTH_API_KEY",
    )
    assert authorization(found) == "Bearer sha256~abc"
    assert found.validate_certs is False


def test_agnosticd_with_kubeconfig_alone(config_file: str, tmp_path: Path) -> None:
    found = _connection.load({}, {"HOME": str(tmp_path), "KUBECONFIG": config_file})
    assert (found.host, authorization(found)) == (HOST, "Bearer file-token")
    assert found.source == f"{config_file} (KUBECONFIG)"
    assert found.validate_certs is True


def test_empty_settings_are_none(config_file: str, tmp_path: Path) -> None:
    environment = {
        "HOME": str(tmp_path),
        "K8S_AUTH_HOST": "",
        "K8S_AUTH_API_KEY": "",
        "KUBECONFIG": config_file,
    }
    params = {"host": "", "api_key": "", "impersonate_groups": [], "proxy_headers": {}}
    assert _connection.load(params, environment).host == HOST


@pytest.mark.parametrize(
    ("params", "environment", "expected"),
    [
        # parameters win, and each may come from the other side
        ({"host": HOST, "api_key": "p"}, {"K8S_AUTH_HOST": OTHER}, (HOST, "p")),
        ({"host": HOST}, {"K8S_AUTH_API_KEY": "e"}, (HOST, "e")),
        ({"api_key": "p"}, {"K8S_AUTH_HOST": OTHER, "K8S_AUTH_API_KEY": "e"}, (OTHER, "p")),
        # host and key of the environment win over its kubeconfig …
        ({}, {"K8S_AUTH_HOST": OTHER, "K8S_AUTH_API_KEY": "e", "KUBECONFIG": "FILE"}, (OTHER, "e")),
        # … but not over a kubeconfig or context that the task names
        (
            {"kubeconfig": "FILE"},
            {"K8S_AUTH_HOST": OTHER, "K8S_AUTH_API_KEY": "e"},
            (HOST, "file-token"),
        ),
        (
            {"context": "second"},
            {"K8S_AUTH_HOST": HOST, "K8S_AUTH_API_KEY": "e", "KUBECONFIG": "FILE"},
            (OTHER, "second-token"),
        ),
        # options beside a kubeconfig replace what it says
        ({"kubeconfig": "FILE", "host": OTHER}, {}, (OTHER, "file-token")),
        ({"kubeconfig": "FILE", "api_key": "p"}, {}, (HOST, "p")),
        ({}, {"K8S_AUTH_KUBECONFIG": "FILE", "KUBECONFIG": "/nowhere"}, (HOST, "file-token")),
        (
            {},
            {"K8S_AUTH_KUBECONFIG": "FILE", "K8S_AUTH_CONTEXT": "second"},
            (OTHER, "second-token"),
        ),
    ],
)
def test_precedence(
    config_file: str,
    tmp_path: Path,
    params: dict[str, Any],
    environment: dict[str, str],
    expected: tuple[str, str],
) -> None:
    def filled(values: dict[str, Any]) -> dict[str, Any]:
        return {k: config_file if v == "FILE" else v for k, v in values.items()}

    found = _connection.load(filled(params), {"HOME": str(tmp_path), **filled(environment)})
    assert (found.host, authorization(found)) == (expected[0], f"Bearer {expected[1]}")


def test_all_options(tmp_path: Path) -> None:
    params = {
        "host": HOST,
        "username": "me",
        "password": "pw",
        "ca_cert": "/ca",
        "client_cert": "/cert",
        "client_key": "/key",
        "validate_certs": True,
        "proxy": "http://proxy:3128",
        "proxy_headers": {"proxy_basic_auth": "a:b", "basic_auth": None, "user_agent": None},
        "impersonate_user": "alice",
        "impersonate_groups": ["one", "two"],
    }
    found = _connection.load(params, {"HOME": str(tmp_path)})
    assert found.headers == (
        ("Authorization", "Basic " + base64.b64encode(b"me:pw").decode()),
        ("Impersonate-User", "alice"),
        ("Impersonate-Group", "one"),
        ("Impersonate-Group", "two"),
    )
    assert (found.ca_cert, found.client_cert, found.client_key) == ("/ca", "/cert", "/key")
    assert found.proxy == "http://proxy:3128"
    assert found.proxy_headers == (("Proxy-Authorization", "Basic YTpi"),)
    shown = repr(found)
    assert all(secret not in shown for secret in ("bWU6cHc", "YTpi", "alice"))


def test_the_same_from_the_environment(tmp_path: Path) -> None:
    environment = {
        "HOME": str(tmp_path),
        "K8S_AUTH_HOST": HOST,
        "K8S_AUTH_CERT_FILE": "/cert",
        "K8S_AUTH_KEY_FILE": "~/key",
        "K8S_AUTH_SSL_CA_CERT": "/ca",
        "K8S_AUTH_VERIFY_SSL": "no",
        "K8S_AUTH_PROXY": "http://proxy:3128",
        "K8S_AUTH_NO_PROXY": "localhost",
        "K8S_AUTH_PROXY_HEADERS_USER_AGENT": "me",
        "K8S_AUTH_IMPERSONATE_USER": "alice",
        "K8S_AUTH_IMPERSONATE_GROUPS": "one, two",
    }
    found = _connection.load({}, environment)
    assert (found.client_cert, found.ca_cert, found.validate_certs) == ("/cert", "/ca", False)
    assert found.client_key is not None and not found.client_key.startswith("~")
    assert found.proxy_headers == (("User-Agent", "me"),)
    assert [value for _unused, value in found.headers] == ["alice", "one", "two"]


def test_what_a_kubeconfig_says(tmp_path: Path) -> None:
    found = _connection.load(
        {"kubeconfig": kubeconfig(), "context": "second"}, {"HOME": str(tmp_path)}
    )
    assert (found.host, found.validate_certs, found.server_name, found.proxy) == (
        OTHER,
        False,
        "kubernetes",
        "http://proxy:3128",
    )
    assert found.source == "the parameter kubeconfig, context second"


def test_an_expired_token_can_be_read_again(config_file: str, tmp_path: Path) -> None:
    found = _connection.load({}, {"HOME": str(tmp_path), "KUBECONFIG": config_file})
    Path(config_file).write_text(yaml.safe_dump(kubeconfig(token="fresh")))
    assert found.reload is not None
    assert authorization(found.reload()) == "Bearer fresh"
    fixed = _connection.load({"host": HOST, "api_key": "p"}, {"HOME": str(tmp_path)})
    assert fixed.reload is None


def plugin(tmp_path: Path, script: str) -> dict[str, Any]:
    path = tmp_path / "plugin"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(path)}}


def test_an_exec_plugin_gives_the_token(tmp_path: Path) -> None:
    credential = (
        '{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", '
        '"status": {"token": "from-plugin"}}'
    )
    content = kubeconfig(**plugin(tmp_path, f"echo '{credential}'"))
    found = _connection.load({"kubeconfig": content}, {"HOME": str(tmp_path)})
    assert authorization(found) == "Bearer from-plugin"


def test_a_failing_exec_plugin_is_named(tmp_path: Path) -> None:
    content = kubeconfig(**plugin(tmp_path, "echo please log in >&2; exit 3"))
    with pytest.raises(LitemaasError, match="(?s)gave no credentials: .*returned 3. please log in"):
        _connection.load({"kubeconfig": content}, {"HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "No cluster to connect to: set K8S_AUTH_HOST and K8S_AUTH_API_KEY, or KUBECONFIG"),
        (
            {"kubeconfig": "/no/such/file"},
            "kubeconfig from the parameter kubeconfig does not exist",
        ),
        ({"kubeconfig": 7}, "must be a path or a dictionary"),
        ({"kubeconfig": {"clusters": []}}, "from the parameter kubeconfig cannot be used: "),
        ({"kubeconfig": kubeconfig(), "context": "third"}, "cannot be used: .*third"),
        ({"context": "second"}, "context second is given, but there is no kubeconfig"),
        ({"host": "api.example.com", "api_key": "x"}, "'api.example.com' .* must begin with https"),
    ],
)
def test_what_cannot_work_is_said(tmp_path: Path, params: dict[str, Any], message: str) -> None:
    with pytest.raises(LitemaasError, match=message):
        _connection.load(params, {"HOME": str(tmp_path)})


def test_a_broken_kubeconfig_names_its_source(tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("a: [")
    environment = {"HOME": str(tmp_path), "KUBECONFIG": str(tmp_path / "broken")}
    with pytest.raises(LitemaasError, match=r"broken \(KUBECONFIG\) cannot be used"):
        _connection.load({}, environment)


def test_without_the_package_a_kubeconfig_with_a_plug_in_is_no_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(kubeconfig(exec={"command": "aws"})))
    with pytest.raises(LitemaasError, match="needs the Python package kubernetes"):
        _connection.load({"kubeconfig": str(path)}, {})


def test_a_host_alone_is_kubectl_proxy(tmp_path: Path) -> None:
    found = _connection.load({"host": "http://localhost:8001"}, {"HOME": str(tmp_path)})
    assert (found.host, found.headers) == ("http://localhost:8001", ())


def test_the_default_kubeconfig(tmp_path: Path) -> None:
    folder = tmp_path / ".kube"
    folder.mkdir()
    (folder / "config").write_text(yaml.safe_dump(kubeconfig()))
    found = _connection.load({}, {"HOME": str(tmp_path)})
    assert found.source == f"{folder / 'config'} (the default kubeconfig)"


def test_a_pods_service_account(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("pod-token\n")
    address = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    found = _kubeconfig.in_cluster(address, str(tmp_path))
    assert found is not None
    assert found["host"] == "https://[fd00::1]:443"
    assert found["headers"] == (("Authorization", "Bearer pod-token"),)
    assert _kubeconfig.in_cluster({}, str(tmp_path)) is None
    assert _kubeconfig.in_cluster(address, str(tmp_path / "nowhere")) is None
