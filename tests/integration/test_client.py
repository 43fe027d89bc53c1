# SPDX-License-Identifier: MIT
"""The client against a real API server: credentials, permissions, TLS, and trouble in between."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _apply,
    _client,
    _connection,
    _inventory,
    _resources,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError, Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._connection import Connection

from .faults import BROKEN, DROPPED, LOST, Fault, FaultyServer, faulty, tunnel

MANAGER = "rhpds.litemaas"


def token(client: Client, namespace: str, name: str = "someone") -> str:
    """A token of a new ServiceAccount, which may do nothing."""
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}"
    metadata = {"name": name, "namespace": namespace}
    body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    client.apply(path, body, field_manager="tests")
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    return client.request("POST", f"{path}/token", body=request)[1]["status"]["token"]


@pytest.fixture
def certificate(client: Client, tmp_path: Path) -> str:
    """The path of the CA of the API server, for connections without the kubeconfig."""
    path = tmp_path / "ca.crt"
    assert client.connection.ca_cert
    path.write_text(Path(client.connection.ca_cert).read_text())
    return str(path)


def test_the_table_of_kinds_is_the_servers(client: Client) -> None:
    wrong = []
    for api_version in {version for version, _kind in _resources.KINDS}:
        served = client.find(_resources.group_path(api_version))
        known = {
            entry["kind"]: (entry["name"], entry["namespaced"])
            for entry in (served or {}).get("resources", ())
            if "/" not in entry["name"]
        }
        for (version, kind), resource in _resources.KINDS.items():
            if version == api_version and kind in known and known[kind] != tuple(resource):
                wrong.append((version, kind, known[kind]))
            if (
                version == api_version
                and served
                and kind not in known
                and "openshift" not in version
            ):
                wrong.append((version, kind, None))
    assert wrong == []
    assert _resources.exists(client, "apps/v1", "Deployment")
    assert not _resources.exists(client, "nothing.example.com/v1", "Nothing")


def test_agnosticd_with_host_and_key(client: Client, namespace: str, certificate: str) -> None:
    params: dict[str, Any] = {}
    environment = {
        "K8S_AUTH_HOST": client.connection.host,
        "K8S_AUTH_API_KEY": token(client, namespace),
        "K8S_AUTH_SSL_CA_CERT": certificate,
    }
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    for verify in ({}, {"K8S_AUTH_VERIFY_SSL": "false", "K8S_AUTH_SSL_CA_CERT": ""}):
        ours = Client(_connection.load(params, {**environment, **verify}))
        user = ours.request("POST", path, body=review)[1]["status"]["userInfo"]
        assert user["username"] == f"system:serviceaccount:{namespace}:someone"


def test_agnosticd_with_kubeconfig_alone(kubeconfig: str, tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "KUBECONFIG": kubeconfig}
    assert Client(_connection.load({}, environment)).list("/api/v1/namespaces")


def test_impersonation(client: Client, kubeconfig: str) -> None:
    groups = ["system:masters", "of:tests"]
    ours = _client.connect(
        {"kubeconfig": kubeconfig, "impersonate_user": "alice", "impersonate_groups": groups}
    )
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    user = ours.request("POST", path, body=review)[1]["status"]["userInfo"]
    assert user["username"] == "alice"
    assert set(groups) <= set(user["groups"])


def test_a_missing_permission_is_told(client: Client, namespace: str, certificate: str) -> None:
    key = token(client, namespace)
    ours = _client.connect({"host": client.connection.host, "api_key": key, "ca_cert": certificate})
    with pytest.raises(
        ApiError, match="cannot list resource .secrets.*credentials come from"
    ) as caught:
        ours.list(f"/api/v1/namespaces/{namespace}/secrets")
    assert caught.value.status == 403
    assert "parameter api_key" in str(caught.value)
    assert key not in str(caught.value)


def test_wrong_credentials_are_told(client: Client, certificate: str) -> None:
    ours = _client.connect(
        {"host": client.connection.host, "api_key": "canary-token", "ca_cert": certificate}
    )
    with pytest.raises(ApiError, match="does not accept the credentials") as caught:
        ours.list("/api/v1/namespaces")
    assert caught.value.status == 401 and "canary-token" not in str(caught.value)


def test_through_a_proxy(client: Client, kubeconfig: str) -> None:
    api = client.connection.host.partition("://")[2]
    with tunnel() as (url, asked):
        environment = {
            "KUBECONFIG": kubeconfig,
            "K8S_AUTH_PROXY": url,
            "K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH": "me:pw",
        }
        assert Client(_connection.load({}, environment)).list("/api/v1/namespaces")
        assert asked == [(api, "Basic bWU6cHc=")]
        ours = Client(_connection.load({"no_proxy": api.rpartition(":")[0]}, environment))
        assert ours.list("/api/v1/namespaces")
        assert len(asked) == 1
    with pytest.raises(ApiError, match=f"cannot be reached: .*The proxy {url} is in between"):
        Client(_connection.load({}, environment)).list("/api/v1/namespaces")


def test_an_unknown_ca_is_told(client: Client) -> None:
    if not client.connection.host.startswith("https:"):
        pytest.fail("the test needs an API server with TLS")
    with pytest.raises(ApiError, match="certificate is not trusted.*K8S_AUTH_SSL_CA_CERT"):
        _client.connect({"host": client.connection.host, "api_key": "x"}).list("/api/v1/pods")


def test_a_port_without_tls_is_told() -> None:
    with faulty(Connection(host="http://127.0.0.1:1", source="tests")) as server:
        host = server.url.replace("http:", "https:")
        with pytest.raises(ApiError, match=f"{host} cannot be reached"):
            Client(Connection(host=host, source="tests")).list("/api/v1/pods")


def test_lists_come_in_pages(
    client: Client, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_client, "PAGE", 3)
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for number in range(8):
        metadata = {
            "name": f"c{number}",
            "namespace": namespace,
            "labels": {"even": str(number % 2)},
        }
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}}
        client.apply(f"{path}/c{number}", body, field_manager="tests")
    found = client.list(path, label_selector="even")
    assert [item["metadata"]["name"] for item in found] == [f"c{n}" for n in range(8)]
    assert {item["kind"] for item in found} == {"ConfigMap"}
    assert len(client.list(path, label_selector="even=1")) == 4
    assert [
        i["metadata"]["name"] for i in client.list(path, field_selector="metadata.name=c5")
    ] == ["c5"]
    assert all("data" not in item for item in client.list(path, metadata=True))


def test_apply_can_be_told_to_create_only(client: Client, namespace: str) -> None:
    """What the guard against foreign objects stands on, for every kind of registry."""
    for kind, api_version in (("ConfigMap", "v1"), ("Service", "v1"), ("Deployment", "apps/v1")):
        spec: dict[str, Any] = {"Service": {"spec": {"ports": [{"port": 1}]}}}.get(kind, {})
        if kind == "Deployment":
            labels = {"app": "x"}
            pod = {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            }
            spec = {"spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": pod}}
        metadata = {"name": "x", "namespace": namespace, "resourceVersion": _apply.CREATE_ONLY}
        body = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **spec}
        path = _resources.object_path(body)
        assert client.apply(path, body, field_manager=MANAGER, dry_run=True)[0] == 201
        assert client.apply(path, body, field_manager=MANAGER)[0] == 201
        for dry_run in (True, False):
            with pytest.raises(ApiError) as caught:
                client.apply(path, body, field_manager=MANAGER, dry_run=dry_run)
            assert caught.value.status == 409


def test_a_rehearsed_deletion_deletes_nothing(client: Client, namespace: str) -> None:
    assert client.delete(f"/api/v1/namespaces/{namespace}", dry_run=True)
    live = client.get(f"/api/v1/namespaces/{namespace}")
    assert "deletionTimestamp" not in live["metadata"]


def test_a_namesake_is_not_deleted(client: Client, namespace: str) -> None:
    with pytest.raises(ApiError) as caught:
        client.delete(f"/api/v1/namespaces/{namespace}", uid="0b5f37c4-0000-0000-0000-000000000000")
    assert caught.value.status == 409


@pytest.fixture
def trouble(client: Client) -> Iterator[FaultyServer]:
    with faulty(client.connection) as server:
        yield server


def through(server: FaultyServer, **options: Any) -> Client:
    return Client(Connection(host=server.url, source="the test's proxy"), **options)


def objects(namespaces: list[str]) -> list[dict[str, Any]]:
    """Namespaces, ours, each with ten ConfigMaps and a Service."""
    made: list[dict[str, Any]] = []
    for namespace in namespaces:
        labels = {
            "app.kubernetes.io/managed-by": MANAGER,
            "rhpds.litemaas/deployment": "test-faults",
        }

        def item(kind: str, name: str, inside: str = namespace, **parts: Any) -> dict[str, Any]:
            metadata = {"name": name, "namespace": inside, "labels": dict(labels)}  # noqa: B023
            return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **parts}

        home = item("Namespace", namespace)
        del home["metadata"]["namespace"]
        made.append(home)
        made += [item("ConfigMap", f"c{number}", data={"a": "b"}) for number in range(10)]
        made.append(item("Service", "s", spec={"ports": [{"port": 80}], "selector": {"a": "b"}}))
    return made


def one_in(number: int, fault: Fault) -> Callable[[int, str, str], Fault | None]:
    return lambda count, _method, _path: fault if count % number == 0 else None


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, retry_after="1"),
        Fault(500),
        Fault(503),
        Fault(DROPPED),
        Fault(LOST),
        Fault(BROKEN),
        Fault(delay=1.0),
    ],
    ids=["429", "500", "503", "dropped", "answer-lost", "answer-broken-off", "slow"],
)
def test_it_converges_whatever_one_request_in_ten_meets(
    client: Client, trouble: FaultyServer, new_namespace: Callable[..., str], fault: Fault
) -> None:
    wanted = objects([new_namespace(create=False) for _unused in range(3)])
    trouble.fault = one_in(10, fault)
    began = time.monotonic()
    first = _apply.apply(through(trouble), wanted)
    assert time.monotonic() - began < 30
    assert first.summary() == {"created": len(wanted)}
    assert trouble.met >= 3
    trouble.fault = lambda *_request: None
    before = {item["metadata"]["name"]: item for item in client.list("/api/v1/namespaces")}
    asked = len(trouble.seen)
    again = _apply.apply(through(trouble), wanted)
    assert again.summary() == {"unchanged": len(wanted)}
    assert all(method == "GET" for method, _path in trouble.seen[asked:])
    # Nothing is doubled: there is no other object of ours than those.
    found = _inventory.Inventory(client, "rhpds.litemaas/deployment=test-faults", ()).find()
    homes = {obj["metadata"]["name"] for obj in wanted if obj["kind"] == "Namespace"}
    ours = [item for item in found if (item.namespace or item.name) in homes]
    assert len(ours) == len(wanted) and homes <= set(before)


def test_a_server_that_stays_away_ends_the_run_soon(
    trouble: FaultyServer, new_namespace: Callable[..., str]
) -> None:
    wanted = objects([new_namespace(create=False) for _unused in range(4)])
    trouble.fault = lambda count, *_request: Fault(DROPPED) if count > 10 else None
    began = time.monotonic()
    changes = _apply.apply(through(trouble, retries=3), wanted)
    assert time.monotonic() - began < 20
    assert changes.failures and "cannot be reached" in changes.failures[0].message


def test_the_first_request_may_be_dropped_too(trouble: FaultyServer) -> None:
    trouble.fault = lambda count, *_request: Fault(DROPPED) if count == 1 else None
    assert through(trouble).list("/api/v1/namespaces")


def test_tls_is_as_strict_as_kubectls(client: Client) -> None:
    context = _client._pool.ssl_context(client.connection)
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert not context.verify_flags & getattr(ssl, "VERIFY_X509_STRICT", 0)
