# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who and where the API server is, as a kubeconfig or a pod's service account says it.

Internal to rhpds.litemaas: no stable interface for other collections.

The ``kubernetes`` package does the reading where it is more than plain: it knows exec plugins, token
refresh, merged files. It takes long to import. Both functions return fields of a Connection.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _kubeconfig_plain
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def read(
    kubeconfig: str | dict[str, Any], source: str, *, context: str | None, persist: bool
) -> dict[str, Any]:
    """Read a kubeconfig: a path, several (separated as in PATH), or its content.

    ``source`` says in words where it was found, for error messages. ``persist``: write a renewed
    token back. Raises LitemaasError.
    """
    if isinstance(kubeconfig, str):
        kubeconfig = os.pathsep.join(map(os.path.expanduser, kubeconfig.split(os.pathsep)))
        if not any(os.path.isfile(path) for path in kubeconfig.split(os.pathsep)):
            raise LitemaasError(
                f"The kubeconfig from {source} does not exist: correct the path, or log in."
            )
        plain = _kubeconfig_plain.read(kubeconfig, context)
        if plain:
            return {**plain, "source": _said(source, context)}
    elif not isinstance(kubeconfig, dict):
        raise LitemaasError(f"The kubeconfig from {source} must be a path or a dictionary.")
    try:
        from kubernetes import client, config
    except ImportError as error:
        raise LitemaasError(
            f"Reading a kubeconfig needs the Python package kubernetes ({error}): install it for "
            "the interpreter that runs this module, or give host and api_key."
        ) from error

    configuration = client.Configuration()
    # Whether it looks into HTTPS_PROXY by itself differs between releases: that is decided here.
    configuration.proxy = None
    options = {
        "context": context,
        "client_configuration": configuration,
        "persist_config": persist,
    }
    with _Complaints() as complaints:
        try:
            if isinstance(kubeconfig, dict):
                config.load_kube_config_from_dict(kubeconfig, **options)
            else:
                config.load_kube_config(config_file=kubeconfig, **options)
        except Exception as error:  # pylint: disable=broad-except
            # ConfigException, YAML and file errors, plugins: the user can act on any of them alike.
            raise LitemaasError(f"The kubeconfig from {source} cannot be used: {error}") from error
    # The key's name changed between releases of the package.
    keys = configuration.api_key
    token = keys.get("BearerToken") or keys.get("authorization")
    if complaints.texts and not (token or configuration.cert_file):
        raise LitemaasError(
            f"The kubeconfig from {source} gave no credentials: {'; '.join(complaints.texts)}"
        )
    return {
        "host": configuration.host,
        "source": _said(source, context),
        "headers": (("Authorization", token),) if token else (),
        "ca_cert": configuration.ssl_ca_cert,
        "client_cert": configuration.cert_file,
        "client_key": configuration.key_file,
        "validate_certs": configuration.verify_ssl,
        "server_name": getattr(configuration, "tls_server_name", None),
        "proxy": configuration.proxy,
    }


def in_cluster(env: Mapping[str, str], folder: str = SERVICE_ACCOUNT) -> dict[str, Any] | None:
    """The identity of the pod this runs in; None outside of a pod."""
    address, port = env.get("KUBERNETES_SERVICE_HOST"), env.get("KUBERNETES_SERVICE_PORT")
    token = os.path.join(folder, "token")
    if not (address and port and os.path.exists(token)):
        return None
    with open(token, encoding="utf-8") as stream:
        authorization = f"Bearer {stream.read().strip()}"
    return {
        "host": f"https://{f'[{address}]' if ':' in address else address}:{port}",
        "source": f"the service account of this pod ({folder})",
        "headers": (("Authorization", authorization),),
        "ca_cert": os.path.join(folder, "ca.crt"),
    }


def _said(source: str, context: str | None) -> str:
    return source + (f", context {context}" if context else "")


class _Complaints(logging.Handler):
    """The kubernetes package only logs why an exec plugin failed: collect that while it loads."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())

    def __enter__(self) -> _Complaints:
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_unused: object) -> None:
        logging.getLogger().removeHandler(self)
