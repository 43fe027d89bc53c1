# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The address of the gateways: the host that a site wants, and the certificate behind it.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _certificate,
    _instances,
    _pem,
    _settings,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import (
    Problem,
    variable,
    wrong,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._settings import Settings

HOST, SECRET = variable("route", "host"), variable("route", "tls_secret")
CERTIFICATE, KEY = variable("route", "tls_certificate"), variable("route", "tls_key")
CA = variable("route", "ca")
_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_LONGEST_HOST = 253
# Seconds that Route and Ingress give a request; a test compares it with the role's.
TIMEOUT = 600
# The Kubernetes of OpenShift 4.19, whose routers read a certificate from a Secret.
EXTERNAL_CERTIFICATES = (1, 32)


def host_problems(settings: Settings, count: int) -> Iterator[Problem]:
    """What is wrong with the host that is wanted, for the last of *count* users, whose is longest."""
    wanted = settings["route"]["host"]
    each = settings["multi_user"] and not _settings.shared(settings)
    mark = _instances.USER
    if each and mark not in wanted:
        remedy = f"Write {mark} where it differs, such as llm-{mark}.example.com."
        yield wrong(HOST, wanted, "gives all users the same host", remedy)
        return
    if not each and mark in wanted:
        remedy = f"Leave {mark} out."
        yield wrong(HOST, wanted, f"has {mark}, and there is one address only", remedy)
        return
    host = _instances.host(settings, count)
    labels = host.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        remedy = (
            "Write it as llm.example.com: small letters, digits and dashes, 63 at most between two "
            "dots; no scheme, port, path or wildcard."
        )
        yield wrong(HOST, wanted, "is no host name", remedy)
    elif labels[-1].isdigit():
        yield wrong(HOST, wanted, "is an address", "Write a host name, which a router needs.")
    elif len(host) > _LONGEST_HOST:
        problem = f"makes a host of {len(host)} characters, {_LONGEST_HOST} are allowed"
        yield wrong(HOST, wanted, problem, "Shorten it.")


def warnings(settings: Settings) -> Iterator[str]:
    """A gateway that would wait longer for a model than its router does for it."""
    given = settings["litellm"]["config"]
    for section, name in (("litellm_settings", "request_timeout"), ("router_settings", "timeout")):
        found = (given.get(section) or {}) if isinstance(given, Mapping) else {}
        seconds = found.get(name) if isinstance(found, Mapping) else None
        if isinstance(seconds, (int, float)) and seconds > TIMEOUT:
            yield (
                f"{variable('litellm', 'config')} sets {section}.{name} to {seconds}: the router "
                f"ends each request after {TIMEOUT} s, so no answer takes longer."
            )


def tls_problems(settings: Settings, count: int) -> Iterator[Problem]:
    """What is wrong with the certificate, be it given or in a Secret, and with whom to trust."""
    found = settings["route"]
    certificate = found["tls_certificate"].strip()
    key = settings["credentials"].get(KEY) or ""
    fault = _authorities_fault(found["ca"])
    if fault:
        yield fault
    elif certificate or key or found["tls_secret"]:
        fault = _combined(found["tls_secret"], certificate, key)
        faults = [fault] if fault else [*_unserved(settings), *_pair(settings, count)]
        yield from faults


def _authorities_fault(given: str) -> Problem | None:
    try:
        authorities = _pem.pem(given, CA)
    except LitemaasError as error:
        return Problem(CA, "cannot be read", str(error))
    if given and "-----BEGIN CERTIFICATE-----" not in authorities:
        return Problem(CA, "holds no certificate", "Give PEM text, or the path of a PEM file.")
    return None


def _combined(secret: str, certificate: str, key: Any) -> Problem | None:
    """One of several ways to give a certificate, and that whole."""
    if not isinstance(key, str):
        return Problem(KEY, "is no text", "Give the text of a PEM file.")
    if secret and (certificate or key):
        remedy = (
            f"Use {SECRET} for a Secret that is there, {CERTIFICATE} and {KEY} for one to be made."
        )
        return Problem(SECRET, "is given beside a certificate or a key", remedy)
    if not secret and bool(certificate) != bool(key):
        lacking, there = (KEY, CERTIFICATE) if certificate else (CERTIFICATE, KEY)
        return Problem(lacking, f"is empty where {there} is given", "Give both or none.")
    return None


def _unserved(settings: Settings) -> Iterator[Problem]:
    """A certificate that nothing would serve."""
    used = SECRET if settings["route"]["tls_secret"] else CERTIFICATE
    expose = _instances.exposure(settings)
    if expose == "none":
        remedy = f"Set {HOST} or {variable('cluster_domain')}, or leave it out."
        yield Problem(used, "is given for gateways without an address outside the cluster", remedy)
    elif expose == "route" and _older(settings["cluster"]["kubernetes_version"]):
        remedy = (
            "Before OpenShift 4.19 a Route has its key inside, for everyone to read who may read "
            "Routes. Leave it out and use the router's own certificate, or update the cluster."
        )
        yield Problem(used, "needs OpenShift 4.19 or newer", remedy)


def _pair(settings: Settings, count: int) -> Iterator[Problem]:
    """Certificate and key, tried on each host."""
    found = settings["route"]
    if not found["tls_certificate"] or _instances.exposure(settings) == "none":
        return
    places = range(1, _instances.number(settings, count) + 1)
    hosts = [_instances.host(settings, place) for place in places]
    key = settings["credentials"][KEY]
    try:
        _certificate.check(found["tls_certificate"], key, hosts, _pem.pem(found["ca"], CA))
    except _certificate.CertificateError as error:
        remedy = (
            "Give the key in PEM that belongs to the certificate, without a passphrase."
            if error.key
            else "Give the server's certificate in PEM, those between it and its CA behind it."
        )
        yield Problem(KEY if error.key else CERTIFICATE, str(error), remedy)


def _older(version: str) -> bool:
    found = re.match(r"v?([0-9]+)\.([0-9]+)", version)
    return bool(found) and (int(found[1]), int(found[2])) < EXTERNAL_CERTIFICATES  # type: ignore[index]
