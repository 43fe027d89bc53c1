# SPDX-License-Identifier: MIT
"""Which routes are admitted, what their status says, what is served for them."""

from __future__ import annotations

from typing import Any

import pytest
from lablib.controllers import route as routes
from lablib.controllers.api import ApiError
from lablib.controllers.route import RouteAdmission, Verdict, admit, host_problems, sites, status
from lablib.controllers.site import Endpoints

DOMAIN = "apps.lab.test"
NOW = "2026-01-01T12:00:00Z"
CLAIMED = "HostAlreadyClaimed"


def route(name: str, host: str = "a.apps.lab.test", minute: int = 0, **spec: Any) -> dict[str, Any]:
    """`name` is namespace/name."""
    namespace, _, name = name.partition("/")
    return {
        "metadata": {
            "namespace": namespace,
            "name": name,
            "uid": f"uid-{namespace}-{name}",
            "creationTimestamp": f"2026-01-01T00:{minute:02d}:00Z",
            "resourceVersion": "1",
            "annotations": spec.pop("annotations", None),
        },
        "spec": {
            "host": host,
            "to": {"kind": "Service", "name": "web", "weight": 100},
            "wildcardPolicy": "None",
            **spec,
        },
        **({"status": spec.pop("status")} if "status" in spec else {}),
    }


def reasons(*items: dict[str, Any]) -> dict[str, str]:
    """namespace/name → reason of the refusal, or "" when admitted."""
    return {"/".join(key): verdict.reason for key, verdict in admit(items, DOMAIN).items()}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], {}),
        ([route("x/one")], {"x/one": ""}),
        # The oldest wins, in whatever order they are listed, and across namespaces.
        ([route("x/young", minute=2), route("y/old", minute=1)], {"x/young": CLAIMED, "y/old": ""}),
        ([route("x/young", minute=2), route("x/old", minute=1)], {"x/young": CLAIMED, "x/old": ""}),
        # Of the same second: the uid decides.
        ([route("y/b"), route("x/a")], {"x/a": "", "y/b": CLAIMED}),
        # Another path of the host only in the owner's namespace.
        ([route("x/all"), route("x/api", minute=1, path="/api")], {"x/all": "", "x/api": ""}),
        ([route("x/all"), route("y/api", minute=1, path="/api")], {"x/all": "", "y/api": CLAIMED}),
        (
            [route("x/api", path="/api"), route("x/api2", minute=1, path="/api")],
            {"x/api": "", "x/api2": CLAIMED},
        ),
        ([route("x/a"), route("y/b", "b.apps.lab.test")], {"x/a": "", "y/b": ""}),
        # What is not fit holds nothing.
        (
            [route("x/odd", wildcardPolicy="Subdomain"), route("y/young", minute=1)],
            {"x/odd": "RouteNotAdmitted", "y/young": ""},
        ),
        ([route("x/none", "")], {"x/none": "NoHostValue"}),
        (
            [route("x/sub", "", subdomain="a"), route("y/a", minute=1)],
            {"x/sub": "", "y/a": CLAIMED},
        ),
        ([route("x/long", "a" * 63 + ".apps.lab.test")], {"x/long": ""}),
        ([route("x/long", "a" * 64 + ".apps.lab.test")], {"x/long": "InvalidHost"}),
        ([route("x/path", path="/a b")], {"x/path": "ExtendedValidationFailed"}),
        ([route("x/path", path="/'\n")], {"x/path": "ExtendedValidationFailed"}),
        ([route("x/tls", tls={"termination": "edge"})], {"x/tls": ""}),
        ([route("x/tls", tls={"termination": "passthrough"})], {"x/tls": "NotServedByTheLab"}),
    ],
)
def test_admission(items: list[dict[str, Any]], expected: dict[str, str]) -> None:
    assert reasons(*items) == expected


def test_the_next_oldest_is_admitted_when_the_owner_goes() -> None:
    old, middle, young = route("x/a"), route("y/b", minute=1), route("z/c", minute=2)
    assert reasons(old, middle, young) == {"x/a": "", "y/b": CLAIMED, "z/c": CLAIMED}
    assert reasons(middle, young) == {"y/b": "", "z/c": CLAIMED}


def test_messages_are_those_of_openshift() -> None:
    items = [
        route("x/a"),
        route("x/b", minute=1),
        route("y/c", minute=2),
        route("z/d", "a" * 64 + ".b"),
    ]
    verdicts = admit(items, DOMAIN)
    assert verdicts["x", "b"].message == "route a already exposes a.apps.lab.test and is older"
    assert (
        verdicts["y", "c"].message
        == "a route in another namespace holds a.apps.lab.test and is older than c"
    )
    assert verdicts["z", "d"].message == (
        f'host name validation errors: spec.host: Invalid value: "{"a" * 64}.b": must be no more than 63 characters'
    )


@pytest.mark.parametrize(
    ("host", "count"),
    [
        ("a.b", 0),
        ("a-1.b", 0),
        ("A.b", 1),
        ("-a.b", 1),
        ("a-.b", 1),
        ("a..b", 1),
        ("a_b.c", 1),
        ("a b.c", 1),
        ("a.b\n", 1),
        (".".join(["a" * 63] * 4), 1),  # 255 characters
        ("a" * 64, 1),
    ],
)
def test_host_problems(host: str, count: int) -> None:
    assert len(host_problems(host)) == count


def admitted(**changes: Any) -> dict[str, Any]:
    return {
        "conditions": [{"type": "Admitted", "status": "True", "lastTransitionTime": NOW}],
        "host": "a.apps.lab.test",
        "routerCanonicalHostname": "router-default.apps.lab.test",
        "routerName": "default",
        "wildcardPolicy": "None",
        **changes,
    }


def test_first_status() -> None:
    assert status(route("x/a"), Verdict(True), DOMAIN, NOW) == [admitted()]


def test_a_status_that_is_right_is_left_alone() -> None:
    item = route("x/a", status={"ingress": [admitted()]})
    assert status(item, Verdict(True), DOMAIN, "later") is None


def test_the_time_changes_only_with_the_verdict() -> None:
    item = route("x/a", status={"ingress": [admitted(host="before.apps.lab.test")]})
    assert status(item, Verdict(True), DOMAIN, "later") == [admitted()]
    refused = status(item, Verdict(False, CLAIMED, "m"), DOMAIN, "later")
    assert refused is not None
    assert refused[0]["conditions"] == [
        {
            "type": "Admitted",
            "status": "False",
            "reason": CLAIMED,
            "message": "m",
            "lastTransitionTime": "later",
        }
    ]


def test_other_routers_entries_stay() -> None:
    other = {"routerName": "internal", "host": "x"}
    item = route("x/a", status={"ingress": [other]})
    assert status(item, Verdict(True), DOMAIN, NOW) == [other, admitted()]


def site(item: dict[str, Any]) -> Any:
    return sites([item], admit([item], DOMAIN), Endpoints([], []), DOMAIN)[0]


@pytest.mark.parametrize(
    ("tls", "secure", "plain", "name"),
    [
        (None, False, "serve", "be_http:x:a"),
        ({"termination": "edge"}, True, "refuse", "be_edge_http:x:a"),
        (
            {"termination": "edge", "insecureEdgeTerminationPolicy": "None"},
            True,
            "refuse",
            "be_edge_http:x:a",
        ),
        (
            {"termination": "edge", "insecureEdgeTerminationPolicy": "Allow"},
            True,
            "serve",
            "be_edge_http:x:a",
        ),
        (
            {"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"},
            True,
            "redirect",
            "be_edge_http:x:a",
        ),
    ],
)
def test_tls(tls: dict[str, str] | None, secure: bool, plain: str, name: str) -> None:
    made = site(route("x/a", **({"tls": tls} if tls else {})))
    assert (made.secure, made.plain, made.name) == (secure, plain, name)


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ({}, ("", "", "", True)),
        ({"timeout": "600s", "timeout-tunnel": "10m"}, ("600s", "10m", "", True)),
        ({"timeout": "soon"}, ("", "", "", True)),
        ({"balance": "leastconn", "disable_cookies": "true"}, ("", "", "leastconn", False)),
        ({"balance": "best", "disable_cookies": "no"}, ("", "", "", True)),
    ],
)
def test_annotations(annotations: dict[str, str], expected: tuple[str, str, str, bool]) -> None:
    made = site(
        route(
            "x/a",
            annotations={routes.ANNOTATION + name: text for name, text in annotations.items()},
        )
    )
    assert (made.timeout_server, made.timeout_tunnel, made.balance, bool(made.cookie)) == expected


def test_refused_routes_are_not_served() -> None:
    items = [route("x/a"), route("y/b", minute=1)]
    assert [
        made.name for made in sites(items, admit(items, DOMAIN), Endpoints([], []), DOMAIN)
    ] == ["be_http:x:a"]


class Cluster:
    """Routes, and what was written about them."""

    def __init__(self, *items: dict[str, Any], errors: dict[str, int] | None = None) -> None:
        self._items = list(items)
        self._errors = errors or {}
        self.written: dict[str, dict[str, Any]] = {}

    def items(self) -> list[dict[str, Any]]:
        return self._items

    def patch(self, path: str, body: dict[str, Any]) -> None:
        if path in self._errors:
            raise ApiError(self._errors[path], "no")
        self.written[path] = body


def path(name: str) -> str:
    namespace, _, name = name.partition("/")
    return f"/apis/route.openshift.io/v1/namespaces/{namespace}/routes/{name}/status"


def test_one_route_that_cannot_be_written_does_not_hold_up_the_others() -> None:
    items = [route("x/a"), route("x/b", "b.lab"), route("x/c", "c.lab"), route("x/d", "d.lab")]
    cluster = Cluster(*items, errors={path("x/a"): 409, path("x/b"): 404})
    admission = RouteAdmission(cluster, cluster, DOMAIN, lambda: NOW)  # type: ignore[arg-type]
    with pytest.raises(ApiError, match="409"):
        admission.reconcile("Route", ("", ""))
    assert set(cluster.written) == {path("x/c"), path("x/d")}
    assert cluster.written[path("x/c")]["metadata"] == {"resourceVersion": "1"}


def test_a_route_deleted_meanwhile_is_no_failure() -> None:
    cluster = Cluster(route("x/a"), errors={path("x/a"): 404})
    RouteAdmission(cluster, cluster, DOMAIN, lambda: NOW).reconcile("Route", ("", ""))  # type: ignore[arg-type]


def external(name: str, secret: str) -> dict[str, Any]:
    return route(name, tls={"termination": "edge", "externalCertificate": {"name": secret}})


def test_a_route_is_served_with_the_certificate_of_its_secret() -> None:
    def lookup(namespace: str, name: str) -> tuple[str, str]:
        return (f"PEM of {namespace}", "") if name == "tls" else ("", f'secrets "{name}" not found')

    good, bad = external("x/a", "tls"), external("y/b", "other")
    bad["spec"]["host"] = "b.apps.lab.test"
    verdicts = admit([good, bad], DOMAIN, lookup)
    assert verdicts["x", "a"] == Verdict(True)
    assert verdicts["y", "b"].reason == "ExternalCertificateValidationFailed"
    assert 'secrets "other" not found' in verdicts["y", "b"].message
    (site,) = sites([good, bad], verdicts, Endpoints([], []), DOMAIN, lookup)
    assert site.certificate == "PEM of x"
    plain = route("x/c", tls={"termination": "edge"})
    (site,) = sites([plain], admit([plain], DOMAIN, lookup), Endpoints([], []), DOMAIN, lookup)
    assert site.certificate == ""
