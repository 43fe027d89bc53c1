# SPDX-License-Identifier: MIT
"""The router's HAProxy configuration, written from the sites it serves: a pure function, so that a table can test it.

Timeouts, balancing, cookies, forwarded headers and the page for unknown hosts are those of OpenShift's router.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lablib.controllers.site import STAND_IN_HEADER, Server, Site

UNKNOWN_HOST = """HTTP/1.0 503 Service Unavailable\r
Pragma: no-cache\r
Cache-Control: private, max-age=0, no-cache, no-store\r
Connection: close\r
Content-Type: text/html\r
\r
<!doctype html>
<title>Application is not available</title>
<h1>Application is not available</h1>
<p>The application is currently not serving requests at this address. It may not have been started, or the host does not
exist, or its route is not admitted.</p>
"""


@dataclass(frozen=True)
class Listen:
    """Where the router listens, and what it shows there."""

    address: str
    http_port: int
    https_port: int
    certificate: Path  # PEM: certificate, then key
    error_page: Path  # holds UNKNOWN_HOST
    source: str = ""  # the address to connect to pods from; "" leaves it to the kernel
    certificates: Path = Path("certificates")  # folder for those of single sites


LIST = ".list"


def files(sites: Iterable[Site], listen: Listen) -> dict[Path, str]:
    """What the configuration refers to, by path: the certificates of single sites, and which host each is for.

    They are named by their content, so that another one is another configuration.
    """
    found, lines = {}, set()
    for site in sites:
        if site.certificate:
            path = listen.certificates / f"{_digest(site.certificate)}.pem"
            found[path] = site.certificate
            lines.add(f"{path} {site.host}\n")
    if lines:
        text = "".join(sorted(lines))
        found[listen.certificates / f"{_digest(text)}{LIST}"] = text
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def render(sites: Iterable[Site], listen: Listen) -> str:
    """The whole configuration; the same sites in another order give the same text."""
    # Of several that match, the last one wins: the longest path comes last, an exact path after the prefix.
    ordered = sorted(sites, key=lambda site: (site.host, len(site.path), site.exact, site.name))
    plain = [site for site in ordered if site.plain != "refuse"]
    secure = [site for site in ordered if site.secure]
    own = [str(path) for path in files(ordered, listen) if path.suffix == LIST]
    tls = (
        f"ssl crt {listen.certificate} {''.join(f'crt-list {path} ' for path in own)}alpn http/1.1"
    )
    parts = [
        _GLOBAL.format(error_page=listen.error_page),
        _frontend(
            "public", f"{listen.address}:{listen.http_port}", plain, _redirects(plain, listen)
        ),
        _frontend("public_ssl", f"{listen.address}:{listen.https_port} {tls}", secure, []),
        "backend openshift_default\n",
        *(_backend(site, listen.source) for site in ordered),
    ]
    return "\n".join(parts)


# `log stdout`: the log of the process that runs the router. Responses are streamed, as HAProxy does when nothing asks it
# to wait. hard-stop-after: until then a worker of before a reload serves what it had begun.
_GLOBAL = """\
global
  log stdout format raw local0
  maxconn 4000
  nbthread 1
  hard-stop-after 30m
  tune.bufsize 32768
  tune.maxrewrite 8192
  ssl-default-bind-options ssl-min-ver TLSv1.2

defaults
  mode http
  log global
  option httplog
  option dontlognull
  maxconn 4000
  errorfile 503 {error_page}
  timeout connect 5s
  timeout client 30s
  timeout client-fin 1s
  timeout server 30s
  timeout server-fin 1s
  timeout http-request 10s
  timeout http-keep-alive 300s
  timeout tunnel 1h
"""


def _frontend(name: str, bind: str, sites: Sequence[Site], more: Sequence[str]) -> str:
    lines = [
        f"frontend {name}",
        f"  bind {bind}",
        "  http-request del-header Proxy",
        "  http-request set-header Host %[req.hdr(Host),lower]",
        "  http-request set-var(txn.host) req.hdr(Host),field(1,:)",
    ]
    for site in sites:
        lines += [
            f"  http-request set-var(txn.site) str({site.name}) if {match}"
            for match in _matches(site)
        ]
    lines += more
    lines += [
        "  use_backend %[var(txn.site)] if { var(txn.site) -m found }",
        "  default_backend openshift_default",
    ]
    return "\n".join(lines) + "\n"


def _matches(site: Site) -> list[str]:
    """HAProxy conditions, any of which says that a request is for this site."""
    host = f"{{ var(txn.host) -m str {site.host} }}"
    if not site.path:
        return [f"{host} {{ path / }}"] if site.exact else [host]
    exact = f"{host} {{ path '{site.path}' }}"
    return [exact] if site.exact else [exact, f"{host} {{ path_beg '{site.path}/' }}"]


def _redirects(sites: Sequence[Site], listen: Listen) -> list[str]:
    target = "scheme https"
    if listen.https_port != 443:  # a lab without root: the real router knows only the standard port
        target = f"location https://%[var(txn.host)]:{listen.https_port}%[capture.req.uri]"
    return [
        f"  http-request redirect {target} if {{ var(txn.site) -m str {site.name} }}"
        for site in sites
        if site.plain == "redirect"
    ]


def _backend(site: Site, source: str) -> str:
    lines = [
        f"backend {site.name}",
        "  option redispatch",
        "  option forwardfor",
        f"  balance {site.balance or 'random'}",
    ]
    if site.timeout_server:
        lines.append(f"  timeout server {site.timeout_server}")
    if site.timeout_tunnel:
        lines.append(f"  timeout tunnel {site.timeout_tunnel}")
    lines += [
        "  timeout check 5000ms",
        "  http-request add-header X-Forwarded-Host %[req.hdr(host)]",
        "  http-request add-header X-Forwarded-Port %[dst_port]",
        "  http-request add-header X-Forwarded-Proto http if !{ ssl_fc }",
        "  http-request add-header X-Forwarded-Proto https if { ssl_fc }",
        "  http-request add-header Forwarded for=%[src];host=%[req.hdr(host)];proto=%[req.hdr(X-Forwarded-Proto)]",
    ]
    if source and not site.stand_in:
        lines.append(f"  source {source}")
    if site.stand_in:
        lines.append(f"  http-request set-header {STAND_IN_HEADER} {site.namespace}")
    if site.cookie:
        secure = " secure attr SameSite=None" if site.secure and site.plain != "serve" else ""
        lines.append(f"  cookie {site.cookie} insert indirect nocache httponly{secure}")
    lines += [_server(server, site) for server in site.servers]
    return "\n".join(lines) + "\n"


def _server(server: Server, site: Site) -> str:
    line = f"  server {server.name} {server.address}:{server.port} weight {server.weight}"
    if site.cookie:
        line += f" cookie {hashlib.sha256(server.name.encode()).hexdigest()[:32]}"
    # As OpenShift's router: a lone server is not checked, there is nobody to take its place.
    return line + (" check inter 5000ms" if len(site.servers) > 1 else "")
