# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pool of connections to one API server: TLS, proxy, time-outs, common headers.

Internal to rhpds.litemaas: no stable interface for other collections.

``urllib3`` comes with the package ``kubernetes``; it is imported on use, because Ansible's own
tests load this file without it.
"""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Container
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils._connection import Connection
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

CONNECT_TIMEOUT = 10.0  # seconds


def pool(connection: Connection, *, size: int, timeout: float) -> Any:
    """Return a PoolManager or ProxyManager that keeps ``size`` connections open.

    ``timeout``: seconds without a byte of an answer.
    """
    library = urllib3()
    options: dict[str, Any] = {
        "num_pools": 2,
        "maxsize": size,
        "timeout": library.Timeout(connect=CONNECT_TIMEOUT, read=timeout),
    }
    if connection.host.startswith("https:"):
        options["ssl_context"] = ssl_context(connection)
        if connection.server_name:
            options["server_hostname"] = connection.server_name
            options["assert_hostname"] = connection.server_name
        if not connection.validate_certs:
            # The user asked for it, and a warning for each of a thousand requests helps nobody.
            warnings.simplefilter("ignore", library.exceptions.InsecureRequestWarning)
    if connection.proxy:
        proxy_headers = dict(connection.proxy_headers)
        return library.ProxyManager(connection.proxy, proxy_headers=proxy_headers, **options)
    return library.PoolManager(**options)


def headers(connection: Connection) -> dict[str, str]:
    """Return the headers of every request."""
    made = {"Accept-Encoding": "gzip", "User-Agent": "rhpds.litemaas"}
    for name, value in connection.headers:
        made[_spelling(name, made)] = value
    return made


def _spelling(name: str, taken: Container[str]) -> str:
    """Return a spelling of a header's name that is not taken.

    Impersonate-Group comes once for each group, a mapping holds a key once, and case means nothing
    in HTTP. urllib3's own multi-dictionary joins the values with commas in its release 1.
    """
    number = 0
    spelled = name
    while spelled in taken:
        spelled = "".join(
            letter.upper() if number >> place & 1 else letter.lower()
            for place, letter in enumerate(name)
        )
        number += 1
    return spelled


def urllib3() -> Any:
    """Return the library. Raises LitemaasError where it is missing."""
    try:
        import urllib3 as library
    except ImportError as error:
        raise LitemaasError(
            f"The Python package urllib3 is missing ({error}): install the package kubernetes, "
            "which brings it, for the interpreter that runs this module."
        ) from error
    return library


def ssl_context(connection: Connection) -> ssl.SSLContext:
    """Return the context for ``https://``. Raises LitemaasError naming a file that is no use."""
    urllib3()
    from urllib3.util.ssl_ import create_urllib3_context

    # Not ssl.create_default_context: whether the context or the library compares the host's name
    # differs between its releases, and the first fails for addresses with release 1.
    made = create_urllib3_context()
    try:
        if connection.ca_cert:
            made.load_verify_locations(cafile=connection.ca_cert)
        else:
            made.load_default_certs()
    except (OSError, ssl.SSLError) as error:
        raise LitemaasError(
            f"The CA certificate {connection.ca_cert} for {connection.host} (from "
            f"{connection.source}) cannot be used: {error}"
        ) from error
    # On by default from Python 3.13 on, it refuses CAs that oc and kubectl accept.
    made.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    if not connection.validate_certs:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if connection.client_cert:
        try:
            made.load_cert_chain(connection.client_cert, connection.client_key)
        except (OSError, ssl.SSLError) as error:
            raise LitemaasError(
                f"The client certificate {connection.client_cert} for {connection.host} (from "
                f"{connection.credentials or connection.source}) and its key cannot be used: {error}"
            ) from error
    return made
