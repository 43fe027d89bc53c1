# SPDX-License-Identifier: MIT
"""The router's configuration."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from lablib.controllers.haproxy import Listen, files, render
from lablib.controllers.site import Server, Site

LISTEN = Listen("198.18.0.2", 80, 443, Path("/pki/router.pem"), Path("/router/503.http"))
ONE = (Server("p:10.0.0.1:4000", "10.0.0.1", 4000, 256),)
TWO = (*ONE, Server("q:10.0.0.2:4000", "10.0.0.2", 4000, 256))


def sections(*sites: Site, listen: Listen = LISTEN) -> dict[str, list[str]]:
    """Header of a section → its lines."""
    found: dict[str, list[str]] = {}
    for line in render(sites, listen).splitlines():
        if line and not line.startswith(" "):
            found[line] = current = []
        elif line:
            current.append(line.strip())
    return found


def site(**changes: Any) -> Site:
    return Site(
        **{
            "name": "be:x:a",
            "host": "a.lab",
            "servers": ONE,
            "secure": True,
            "plain": "redirect",
            **changes,
        }
    )


def test_nothing_to_serve() -> None:
    found = sections()
    assert list(found) == [
        "global",
        "defaults",
        "frontend public",
        "frontend public_ssl",
        "backend openshift_default",
    ]
    assert (
        found["backend openshift_default"] == []
    )  # no server: 503, with the page for unknown hosts
    assert "errorfile 503 /router/503.http" in found["defaults"]
    assert "bind 198.18.0.2:80" in found["frontend public"]
    assert (
        "bind 198.18.0.2:443 ssl crt /pki/router.pem alpn http/1.1" in found["frontend public_ssl"]
    )


def test_defaults_are_those_of_openshifts_router() -> None:
    assert {
        "timeout server 30s",
        "timeout client 30s",
        "timeout tunnel 1h",
        "timeout connect 5s",
    } <= set(sections()["defaults"])


def test_nothing_waits_for_a_whole_body() -> None:
    assert "http-buffer-request" not in render([site()], LISTEN)


@pytest.mark.parametrize(
    ("changes", "public", "redirected", "public_ssl"),
    [
        ({"secure": True, "plain": "redirect"}, True, True, True),
        ({"secure": True, "plain": "serve"}, True, False, True),
        ({"secure": True, "plain": "refuse"}, False, False, True),
        ({"secure": False, "plain": "serve"}, True, False, False),
    ],
)
def test_where_a_site_is_served(
    changes: dict[str, Any], public: bool, redirected: bool, public_ssl: bool
) -> None:
    found = sections(site(**changes))
    rule = "http-request set-var(txn.site) str(be:x:a) if { var(txn.host) -m str a.lab }"
    redirect = "http-request redirect scheme https if { var(txn.site) -m str be:x:a }"
    assert (rule in found["frontend public"]) is public
    assert (redirect in found["frontend public"]) is redirected
    assert (rule in found["frontend public_ssl"]) is public_ssl


def test_redirect_to_another_port() -> None:
    lines = sections(site(), listen=Listen("127.0.0.1", 8080, 8443, Path("/p"), Path("/e")))[
        "frontend public"
    ]
    assert any(
        "redirect location https://%[var(txn.host)]:8443%[capture.req.uri]" in line
        for line in lines
    )


def test_the_longest_path_is_decided_last() -> None:
    found = sections(
        site(name="be:api", path="/api"),
        site(name="be:all"),
        site(name="be:exact", path="/api", exact=True),
        site(name="be:deep", path="/api/v1"),
    )
    rules = [line for line in found["frontend public_ssl"] if "set-var(txn.site)" in line]
    names = [line.split("str(")[1].split(")")[0] for line in rules]
    assert names == ["be:all", "be:api", "be:api", "be:exact", "be:deep", "be:deep"]
    assert "{ path '/api' }" in rules[1]
    assert "{ path_beg '/api/' }" in rules[2]  # /apix is another path


def test_backend() -> None:
    found = sections(site(timeout_server="600s", timeout_tunnel="10m", balance="leastconn"))[
        "backend be:x:a"
    ]
    assert {
        "timeout server 600s",
        "timeout tunnel 10m",
        "balance leastconn",
        "option forwardfor",
    } <= set(found)
    assert found[-1] == "server p:10.0.0.1:4000 10.0.0.1:4000 weight 256"


def test_a_backend_without_annotations_leaves_the_defaults() -> None:
    found = sections(site())["backend be:x:a"]
    assert "balance random" in found
    assert not any(
        line.startswith(("timeout server", "timeout tunnel", "cookie")) for line in found
    )


def test_several_servers_are_checked_a_lone_one_is_not() -> None:
    assert "check" not in sections(site())["backend be:x:a"][-1]
    servers = [
        line for line in sections(site(servers=TWO))["backend be:x:a"] if line.startswith("server ")
    ]
    assert len(servers) == 2
    assert all(line.endswith("check inter 5000ms") for line in servers)


@pytest.mark.parametrize(
    ("changes", "ending"),
    [
        ({"plain": "redirect"}, "httponly secure attr SameSite=None"),
        ({"plain": "serve"}, "httponly"),
        ({"plain": "serve", "secure": False}, "httponly"),
    ],
)
def test_cookie(changes: dict[str, Any], ending: str) -> None:
    found = sections(site(cookie="c0ffee", **changes))["backend be:x:a"]
    assert [line for line in found if line.startswith("cookie ")] == [
        f"cookie c0ffee insert indirect nocache {ending}"
    ]
    assert " cookie " in found[-1]


def test_no_endpoints_is_a_backend_without_servers() -> None:
    assert not any(
        line.startswith("server ") for line in sections(site(servers=()))["backend be:x:a"]
    )


def test_the_text_does_not_depend_on_the_order_of_the_sites() -> None:
    sites = [
        site(name=f"be:{host}{path}", host=host, path=path)
        for host in ("a", "b", "c")
        for path in ("", "/x")
    ]
    text = render(sites, LISTEN)
    for seed in range(5):
        random.Random(seed).shuffle(sites)
        assert render(sites, LISTEN) == text


def test_a_site_of_its_own_certificate_is_in_a_list_by_its_host() -> None:
    one, other = site(certificate="ONE"), site(name="be:x:b", host="b.lab", certificate="OTHER")
    listen = Listen("198.18.0.2", 80, 443, Path("/pki/router.pem"), Path("/x"), "", Path("/certs"))
    found = files([one, other, site(name="be:x:c", host="c.lab")], listen)
    (index,) = [path for path in found if path.suffix == ".list"]
    lines = dict(reversed(line.split()) for line in found[index].splitlines())
    assert {host: found[Path(path)] for host, path in lines.items()} == {
        "a.lab": "ONE",
        "b.lab": "OTHER",
    }
    bind = f"bind 198.18.0.2:443 ssl crt /pki/router.pem crt-list {index} alpn http/1.1"
    assert bind in sections(one, other, listen=listen)["frontend public_ssl"]
    renewed = files([site(certificate="RENEWED"), other], listen)
    assert index not in renewed, "another certificate is another configuration"
    assert files([site()], listen) == {} and "crt-list" not in render([site()], listen)
