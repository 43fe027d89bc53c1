# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which OAuth server a cluster has: read only where something is to use its login.

Internal to rhpds.litemaas: no stable interface for other collections.

OpenShift's API server tells it to everybody under a well-known path (RFC 8414). Where that is not
served, the cluster's configuration says whether the OAuth server is its own one, which then has a host
of its own below the domain of the routers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError

if TYPE_CHECKING:
    from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

METADATA = "/.well-known/oauth-authorization-server"
AUTHENTICATION = "/apis/config.openshift.io/v1/authentications/cluster"
INGRESS = "/apis/config.openshift.io/v1/ingresses/cluster"
_OWN = "IntegratedOAuth"
_HOST = "oauth-openshift"


def read(client: Client, apps_domain: str) -> str:
    """The issuer, a URL without a slash at its end. Raises LitemaasError where there is none.

    *apps_domain*: of the applications' hosts, for a user who may not read the routers' domain.
    """
    metadata = _read(client, METADATA)
    if metadata:
        return issuer(metadata, {}, {}, apps_domain)
    return issuer({}, _read(client, AUTHENTICATION), _read(client, INGRESS), apps_domain)


def issuer(
    metadata: Mapping[str, Any] | None,
    authentication: Mapping[str, Any] | None,
    ingress: Mapping[str, Any] | None,
    apps_domain: str,
) -> str:
    """Decide from what the cluster says; None or empty is what it does not have or tell. Pure."""
    told = (metadata or {}).get("issuer")
    if isinstance(told, str) and told.startswith("https://"):
        return told.rstrip("/")
    if not authentication:
        raise LitemaasError(
            f"the API server tells of none at {METADATA}, nor may this user read whether "
            "authentications.config.openshift.io has one"
        )
    kind = (authentication.get("spec") or {}).get("type") or _OWN
    if kind != _OWN:
        raise LitemaasError(
            f"authentications.config.openshift.io/cluster says {kind}, which is another login"
        )
    # An appsDomain is for applications: the platform's own hosts stay below the domain.
    domain = ((ingress or {}).get("spec") or {}).get("domain") or apps_domain
    return f"https://{_HOST}.{domain}"


def _read(client: Client, path: str) -> dict[str, Any] | None:
    try:
        return client.find(path)
    except ApiError as error:
        if error.status != 403:
            raise
        return None
