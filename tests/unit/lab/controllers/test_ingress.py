# SPDX-License-Identifier: MIT
"""Ingresses of the lab's class."""

from __future__ import annotations

from typing import Any

import pytest
from lablib.controllers.ingress import ANNOTATION, IngressAdmission, ours, sites, status
from lablib.controllers.site import Endpoints, Site

SERVICE = {
    "metadata": {"namespace": "a", "name": "web"},
    "spec": {"ports": [{"name": "http", "port": 80}]},
}
SLICE = {
    "metadata": {
        "namespace": "a",
        "name": "web-1",
        "labels": {"kubernetes.io/service-name": "web"},
    },
    "addressType": "IPv4",
    "ports": [{"name": "http", "port": 4000}],
    "endpoints": [{"addresses": ["10.0.0.1"]}],
}


def ingress(
    *paths: tuple[str, str, str, Any], tls: bool = False, name: str = "i", **more: Any
) -> dict[str, Any]:
    """`paths` are (host, path, pathType, service port)."""
    return {
        "metadata": {
            "namespace": "a",
            "name": name,
            "creationTimestamp": more.pop("created", "2026-01-01T00:00:00Z"),
            "annotations": {
                ANNOTATION + key: text for key, text in more.pop("annotations", {}).items()
            },
        },
        "spec": {
            "ingressClassName": "lab",
            "tls": [{"hosts": [host for host, *_ in paths]}] if tls else None,
            "rules": [
                {
                    "host": host,
                    "http": {
                        "paths": [
                            {
                                "path": path,
                                "pathType": path_type,
                                "backend": {"service": {"name": "web", "port": port}},
                            }
                        ]
                    },
                }
                for host, path, path_type, port in paths
            ],
            **more,
        },
    }


def made(*items: dict[str, Any]) -> list[Site]:
    return sites(items, Endpoints([SERVICE], [SLICE]))


WEB = ("w.lab", "/", "Prefix", {"number": 80})


@pytest.mark.parametrize(
    ("spec", "annotations", "expected"),
    [
        ({"ingressClassName": "lab"}, {}, True),
        ({"ingressClassName": "nginx"}, {}, False),
        ({}, {"kubernetes.io/ingress.class": "lab"}, True),
        ({}, {}, False),
    ],
)
def test_class(spec: dict[str, Any], annotations: dict[str, str], expected: bool) -> None:
    assert ours({"metadata": {"annotations": annotations}, "spec": spec}) is expected


def test_site() -> None:
    (site,) = made(ingress(WEB, tls=True))
    assert (site.name, site.host, site.path, site.secure, site.plain) == (
        "be_ingress:a:i:0",
        "w.lab",
        "",
        True,
        "redirect",
    )
    assert [(server.address, server.port) for server in site.servers] == [("10.0.0.1", 4000)]
    assert site.timeout_server == "60s"


@pytest.mark.parametrize(
    ("annotations", "tls", "timeout", "plain"),
    [
        ({}, False, "60s", "serve"),
        ({"proxy-read-timeout": "600"}, True, "600s", "redirect"),
        ({"proxy-read-timeout": "600s"}, True, "60s", "redirect"),
        ({"ssl-redirect": "false"}, True, "60s", "serve"),
    ],
)
def test_annotations(annotations: dict[str, str], tls: bool, timeout: str, plain: str) -> None:
    (site,) = made(ingress(WEB, tls=tls, annotations=annotations))
    assert (site.timeout_server, site.plain) == (timeout, plain)


@pytest.mark.parametrize(
    ("port", "count"),
    [({"number": 80}, 1), ({"name": "http"}, 1), ({"number": 81}, 0), ({"name": "other"}, 0)],
)
def test_port_is_the_services(port: dict[str, Any], count: int) -> None:
    (site,) = made(ingress(("w.lab", "/", "Prefix", port)))
    assert len(site.servers) == count


def test_paths() -> None:
    found = made(
        ingress(
            ("w.lab", "/a/", "Prefix", {"number": 80}), ("w.lab", "/b", "Exact", {"number": 80})
        )
    )
    assert [(site.path, site.exact) for site in found] == [("/a", False), ("/b", True)]


def test_the_older_ingress_holds_the_host() -> None:
    young = ingress(WEB, name="a-young", created="2026-01-02T00:00:00Z")
    assert [site.name for site in made(young, ingress(WEB, name="old"))] == ["be_ingress:a:old:0"]


def test_what_cannot_be_served_is_left_out() -> None:
    assert made(ingress(("W lab", "/", "Prefix", {"number": 80}))) == []
    assert made(ingress(("w.lab", "/'", "Prefix", {"number": 80}))) == []
    assert made(ingress(WEB, ingressClassName="nginx")) == []
    assert made({**ingress(), "spec": {"ingressClassName": "lab", "defaultBackend": {}}}) == []


def test_status_is_written_once() -> None:
    item = ingress(WEB)
    assert status(item, "198.18.0.2") == [{"ip": "198.18.0.2"}]
    item["status"] = {"loadBalancer": {"ingress": [{"ip": "198.18.0.2"}]}}
    assert status(item, "198.18.0.2") is None


def test_only_our_class_gets_a_status() -> None:
    items = {("a", "i"): ingress(WEB), ("a", "n"): ingress(WEB, name="n", ingressClassName="nginx")}
    written = []

    class Cluster:
        def get(self, key: tuple[str, str]) -> dict[str, Any] | None:
            return items.get(key)

        def patch(self, path: str, body: dict[str, Any]) -> None:
            written.append(path)

    cluster = Cluster()
    admission = IngressAdmission(cluster, cluster, "198.18.0.2")  # type: ignore[arg-type]
    for key in [*items, ("a", "gone")]:
        admission.reconcile("Ingress", key)
    assert written == ["/apis/networking.k8s.io/v1/namespaces/a/ingresses/i/status"]


def test_an_ingress_is_served_with_the_certificate_of_its_secret_where_there_is_one() -> None:
    item = ingress(("a.lab", "/", "Prefix", {"number": 80}), tls=True)
    endpoints = Endpoints([SERVICE], [SLICE])
    found = {"a": "PEM"}
    for name, expected in (("a", "PEM"), ("b", ""), ("", "")):
        item["spec"]["tls"][0]["secretName"] = name
        (site,) = sites([item], endpoints, lambda _namespace, secret: (found.get(secret, ""), "x"))
        assert site.certificate == expected
