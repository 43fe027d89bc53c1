# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the API server is and who we are: parameters, environment, kubeconfig, service account.

Internal to rhpds.litemaas: no stable interface for other collections.

The options are those of kubernetes.core. AgnosticD passes only ``K8S_AUTH_HOST``,
``K8S_AUTH_API_KEY`` and ``K8S_AUTH_VERIFY_SSL`` in one path and only ``KUBECONFIG`` in another, so
both must be enough by themselves. The ``kubernetes`` package reads kubeconfigs that hold more than
credentials (exec plugins, token refresh); it takes long to import and is left alone otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _kubeconfig, _proxy
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    # no_log: it may be a dictionary with tokens and keys in it.
    "kubeconfig": {"type": "raw", "no_log": True},
    "context": {"type": "str"},
    "host": {"type": "str"},
    "api_key": {"type": "str", "no_log": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "validate_certs": {"type": "bool", "aliases": ["verify_ssl"]},
    "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"]},
    "client_cert": {"type": "path", "aliases": ["cert_file"]},
    "client_key": {"type": "path", "aliases": ["key_file"], "no_log": False},
    "proxy": {"type": "str"},
    "no_proxy": {"type": "str"},
    "proxy_headers": {
        "type": "dict",
        "options": {
            "proxy_basic_auth": {"type": "str", "no_log": True},
            "basic_auth": {"type": "str", "no_log": True},
            "user_agent": {"type": "str"},
        },
    },
    "persist_config": {"type": "bool"},
    "impersonate_user": {"type": "str"},
    "impersonate_groups": {"type": "list", "elements": "str"},
}

# What says which cluster and which identity. A kubeconfig or context given as parameter replaces
# all of it, so that a K8S_AUTH_HOST left in the environment cannot send a task to another cluster.
_IDENTITY = (
    *("host", "api_key", "username", "password", "client_cert", "client_key"),
    *("ca_cert", "validate_certs"),
)


@dataclass(frozen=True)
class Connection:
    """What the client needs to talk to one API server. ``repr`` shows nothing secret."""

    host: str  # scheme, host, port and perhaps a path, without a trailing slash
    source: str  # where the address comes from, in words, for error messages
    credentials: str = ""  # where the identity comes from, in words; empty: the same source
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    ca_cert: str | None = None  # path; None: the system's
    client_cert: str | None = None  # path
    client_key: str | None = None  # path
    validate_certs: bool = True
    server_name: str | None = None  # for the certificate, when it differs from the host
    proxy: str | None = field(default=None, repr=False)
    proxy_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    # Reads everything again: another token after the old one expired. None: it cannot change.
    reload: Callable[[], Connection] | None = field(default=None, repr=False, compare=False)


class Settings:
    """Options by name: parameters first, then ``K8S_AUTH_*``; remembers which of the two it was."""

    def __init__(self, params: Mapping[str, Any], env: Mapping[str, str]) -> None:
        self._params = params
        self._env = env
        replaced = any(_given(params.get(name)) for name in ("kubeconfig", "context"))
        self._only_params = _IDENTITY if replaced else ()

    def find(self, name: str) -> tuple[Any, str]:
        """Return (value or None, "parameter host" | "K8S_AUTH_HOST" | "")."""
        value = self._params.get(name)
        if _given(value):
            return value, f"parameter {name}"
        if name not in self._only_params:
            for alias in (name, *ARGUMENT_SPEC[name].get("aliases", ())):
                variable = f"K8S_AUTH_{alias.upper()}"
                if self._env.get(variable):
                    return _from_text(self._env[variable], ARGUMENT_SPEC[name]["type"]), variable
        return None, ""

    def get(self, name: str) -> Any:
        return self.find(name)[0]

    def proxy_headers(self) -> dict[str, str]:
        """Arguments for ``urllib3.util.make_headers``."""
        given = dict(self._params.get("proxy_headers") or {})
        for name in ARGUMENT_SPEC["proxy_headers"]["options"]:
            if not given.get(name):
                given[name] = self._env.get(f"K8S_AUTH_PROXY_HEADERS_{name.upper()}")
        return {name: value for name, value in given.items() if value}


def load(params: Mapping[str, Any], env: Mapping[str, str] | None = None) -> Connection:
    """Decide how to connect.

    Order: host with credentials; kubeconfig (parameter, ``K8S_AUTH_KUBECONFIG``, ``KUBECONFIG``,
    ``~/.kube/config``); the pod's service account; host alone (``kubectl proxy``). Options given
    beside a kubeconfig replace what it says. Raises LitemaasError with the source in its text.
    """
    env = os.environ if env is None else env
    settings = Settings(params, env)
    host, host_source = settings.find("host")
    has_credentials = (
        settings.get("api_key")
        or (settings.get("username") and settings.get("password"))
        or (settings.get("client_cert") and settings.get("client_key"))
    )
    if host and has_credentials:
        base = Connection(host=host, source=host_source)
    else:
        base = _found(settings, env)
        if host and base.host != host:
            base = replace(
                base,
                host=host,
                source=host_source,
                credentials=base.source,
                server_name=None,
            )
    connection = _override(base, settings)
    return replace(
        connection,
        host=_checked_host(connection.host, connection.source),
        reload=None if settings.get("api_key") else (lambda: load(params, env)),
    )


def _found(settings: Settings, env: Mapping[str, str]) -> Connection:
    """Without host and credentials: the first of kubeconfig, service account, host alone."""
    kubeconfig, source = settings.find("kubeconfig")
    if not kubeconfig and env.get("KUBECONFIG"):
        kubeconfig, source = env["KUBECONFIG"], "KUBECONFIG"
    if not kubeconfig:
        default = os.path.join(env.get("HOME") or os.path.expanduser("~"), ".kube", "config")
        if os.path.exists(default):
            kubeconfig, source = default, "the default kubeconfig"
    if kubeconfig:
        # Ansible blanks a no_log parameter's value wherever it appears: showing it is useless.
        shown = isinstance(kubeconfig, str) and not source.startswith("parameter")
        fields = _kubeconfig.read(
            kubeconfig,
            f"{kubeconfig} ({source})" if shown else f"the {source}",
            context=settings.get("context"),
            persist=bool(settings.get("persist_config")),
        )
        return Connection(**fields)
    if settings.get("context"):
        raise LitemaasError(
            f"The context {settings.get('context')} is given, but there is no kubeconfig to look "
            "in: set KUBECONFIG or the parameter kubeconfig."
        )
    in_cluster = _kubeconfig.in_cluster(env)
    if in_cluster:
        return Connection(**in_cluster)
    host, source = settings.find("host")
    if host:
        return Connection(host=host, source=source)
    raise LitemaasError(
        "No cluster to connect to: set K8S_AUTH_HOST and K8S_AUTH_API_KEY, or KUBECONFIG (or the "
        "parameters host and api_key, or kubeconfig); there is no ~/.kube/config, and this is no "
        "pod with a service account."
    )


def _override(base: Connection, settings: Settings) -> Connection:
    """Replace what parameters or ``K8S_AUTH_*`` say explicitly."""
    headers, credentials = base.headers, base.credentials
    (api_key, key_source), username = settings.find("api_key"), settings.get("username")
    if api_key:
        headers, credentials = (("Authorization", f"Bearer {api_key.strip()}"),), key_source
    elif username and settings.get("password"):
        credentials = settings.find("username")[1]
        headers = (("Authorization", _proxy.basic(f"{username}:{settings.get('password')}")),)
    if settings.get("impersonate_user"):
        headers += (("Impersonate-User", settings.get("impersonate_user")),)
    headers += tuple(("Impersonate-Group", g) for g in settings.get("impersonate_groups") or ())
    validate = settings.get("validate_certs")
    proxy = _proxy.choose(base.host, settings.get("proxy") or base.proxy, settings.get("no_proxy"))
    return replace(
        base,
        headers=headers,
        credentials=credentials or base.source,
        ca_cert=settings.get("ca_cert") or base.ca_cert,
        client_cert=settings.get("client_cert") or base.client_cert,
        client_key=settings.get("client_key") or base.client_key,
        validate_certs=base.validate_certs if validate is None else validate,
        proxy=proxy,
        proxy_headers=_proxy.headers(settings.proxy_headers()) if proxy else (),
    )


def _checked_host(host: str, source: str) -> str:
    if not host.startswith(("https://", "http://")):
        raise LitemaasError(
            f"The API server's address {host!r} (from {source}) must begin with https://, "
            "as in https://api.cluster.example.com:6443."
        )
    return host.rstrip("/")


def _given(value: Any) -> bool:
    """An empty text is no value: AgnosticD templates variables that may be empty."""
    return value is not None and value not in ("", {}, [])


def _from_text(text: str, kind: str) -> Any:
    if kind == "bool":
        return text.strip().lower() not in ("0", "false", "no", "off", "n", "f")
    if kind == "list":
        return [item.strip() for item in text.split(",") if item.strip()]
    return os.path.expanduser(text) if kind == "path" else text
