# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether requests to a host go through an HTTP proxy, decided as oc and kubectl decide it.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import base64
import ipaddress
import urllib.request
from collections.abc import Mapping
from urllib.parse import urlsplit


def choose(host: str, proxy: str | None, no_proxy: str | None) -> str | None:
    """Return the URL of the proxy for ``host`` (a URL), or None.

    An explicit proxy counts unless ``no_proxy`` covers the host; without one, ``HTTPS_PROXY``,
    ``HTTP_PROXY`` and ``NO_PROXY`` of the environment do.
    """
    url = urlsplit(host)
    found = urllib.request.getproxies_environment()
    found["no"] = no_proxy or ("" if proxy else found.get("no", ""))
    chosen = proxy or found.get(url.scheme)
    name = url.hostname or ""
    bypass = urllib.request.proxy_bypass_environment  # type: ignore[attr-defined]
    if not chosen or bypass(name, found) or _in_network(name, found["no"]):
        return None
    return chosen if "://" in chosen else f"http://{chosen}"


def headers(given: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Turn the suboptions of ``proxy_headers`` into headers, as ``urllib3.util.make_headers``."""
    names = {"proxy_basic_auth": "Proxy-Authorization", "basic_auth": "Authorization"}
    return tuple(
        (names[name], basic(value)) if name in names else ("User-Agent", value)
        for name, value in given.items()
    )


def basic(credentials: str) -> str:
    """``user:password`` as the value of an Authorization header."""
    return "Basic " + base64.b64encode(credentials.encode()).decode()


def without_password(url: str) -> str:
    """A proxy's URL as it may be shown."""
    scheme, found, rest = url.rpartition("://")
    return scheme + found + rest.rsplit("@", maxsplit=1)[-1]


def _in_network(name: str, no_proxy: str) -> bool:
    """NO_PROXY may hold networks (10.0.0.0/8), which the standard library does not know."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    for entry in no_proxy.split(","):
        try:
            if "/" in entry and address in ipaddress.ip_network(entry.strip(), strict=False):
                return True
        except ValueError:
            continue
    return False
