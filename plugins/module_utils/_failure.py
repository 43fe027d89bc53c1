# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a request failed, in words that say what to do.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _proxy
from ansible_collections.rhpds.litemaas.plugins.module_utils._connection import Connection
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError


class ApiError(LitemaasError):
    """An answer of the API server that is none of those hoped for, or no answer (status 0).

    ``message`` holds the server's words, ``reason`` and ``details`` come from its Status object
    (``details.causes``: a list of reason, message, field).
    """

    def __init__(
        self,
        text: str,
        *,
        status: int = 0,
        reason: str = "",
        message: str = "",
        details: Mapping[str, Any] | None = None,
        method: str = "",
        path: str = "",
    ) -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason
        self.message = message or text
        self.details: dict[str, Any] = dict(details or {})
        self.method = method
        self.path = path


def is_general(error: BaseException) -> bool:
    """Whether an error, where everything meets it, is about the cluster or the permissions."""
    return isinstance(error, ApiError) and (
        error.status in (0, 401, 403, 429) or error.status >= 500
    )


def unreachable(error: BaseException, connection: Connection, method: str, path: str) -> ApiError:
    """No answer: the address, where it comes from, and what the network said."""
    untrusted = next(filter(_is_about_certificate, causes(error)), None)
    if untrusted is not None:
        said = getattr(untrusted, "verify_message", "") or untrusted
        what = f"its certificate is not trusted ({said})"
        todo = (
            "Give the CA that signed it as ca_cert (K8S_AUTH_SSL_CA_CERT), or set validate_certs "
            "(K8S_AUTH_VERIFY_SSL) to false where that risk is taken."
        )
    else:
        what = _plainly(error)
        todo = "Check the address, and that this machine can reach it."
    if connection.proxy:
        todo += f" The proxy {_proxy.without_password(connection.proxy)} is in between."
    return ApiError(
        f"The API server at {connection.host} cannot be reached: {what}. "
        f"The address comes from {connection.source}. {todo}",
        method=method,
        path=path,
    )


def no_api(connection: Connection, method: str, path: str) -> ApiError:
    """An answer that no API server gives: a redirection, or a page."""
    return ApiError(
        f"{connection.host} answers, but not as a Kubernetes API server: is it the address of a "
        f"console? It comes from {connection.source}.",
        method=method,
        path=path,
    )


def refused(
    status: int, body: Any, connection: Connection, method: str, path: str, *, tries: int = 1
) -> ApiError:
    """An answer from status 400 on. ``body``: the Status object, or the text of a load balancer."""
    said = body.get("message", "") if isinstance(body, dict) else str(body)[:300].strip()
    if status == 401:
        text = (
            f"The API server at {connection.host} does not accept the credentials (401) from "
            f"{connection.credentials or connection.source}: log in again, or give a valid token."
        )
    elif status == 403 and "exceeded quota" not in said:
        text = (
            f"Not allowed (403): {said or f'{method} {path}'}. Give this user that permission, or "
            f"connect as another: the credentials come from "
            f"{connection.credentials or connection.source}."
        )
    else:
        text = f"The API server answered {status} to {method} {path}: {said or 'no reason given'}"
        text += f" (tried {tries} times)" if tries > 1 else ""
    status_object = body if isinstance(body, dict) else {}
    return ApiError(
        text,
        status=status,
        reason=status_object.get("reason") or "",
        message=said,
        details=status_object.get("details"),
        method=method,
        path=path,
    )


def is_wrong_setting(error: BaseException) -> bool:
    """Whether an unanswered request points to a wrong address rather than to a passing fault.

    Names of urllib3's exceptions instead of the classes: they moved between its releases, and
    this file must load without it.
    """
    names = {"NewConnectionError", "ConnectTimeoutError", "NameResolutionError", "ProxyError"}
    return any(
        isinstance(cause, (ConnectionRefusedError, socket.gaierror))
        or type(cause).__name__ in names
        or getattr(cause, "reason", "") == "WRONG_VERSION_NUMBER"
        for cause in causes(error)
    )


def is_untrusted(error: BaseException) -> bool:
    """Whether the server's certificate was refused, which no retry changes."""
    return any(map(_is_about_certificate, causes(error)))


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and what it wraps: urllib3 nests them in arguments, ``reason``, and causes."""
    queue: list[Any] = [error]
    seen: set[int] = set()
    while queue:
        current = queue.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        queue += [current.__cause__, current.__context__, getattr(current, "reason", None)]
        queue += current.args


def _is_about_certificate(cause: BaseException) -> bool:
    """Python's own refusal, or urllib3's, which compares the host's name in some releases."""
    return isinstance(cause, ssl.SSLCertVerificationError) or (
        type(cause).__name__ == "CertificateError"
    )


def _plainly(error: BaseException) -> str:
    """The operating system's own words instead of the representation of three nested exceptions."""
    chain = list(causes(error))
    for cause in chain:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    # urllib3 prefixes the connection object: "<…Connection object at 0x…>: words"
    return str(chain[0]).rsplit(">: ", maxsplit=1)[-1]
