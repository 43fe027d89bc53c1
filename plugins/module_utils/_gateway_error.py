# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What went wrong with a request to a gateway, told apart so that callers can decide.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable

from ansible_collections.rhpds.litemaas.plugins.module_utils import _failure
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

# `type` of a GatewayError without an HTTP status: the network's doing.
NAME = "name"  # the host name does not resolve
REFUSED = "refused"
TIMED_OUT = "timeout"  # no connection within the time
UNTRUSTED = "untrusted"  # the certificate is not trusted
UNREACHABLE = "unreachable"  # no route to the host
LOST = "lost"  # connected, and then no (whole) answer
# With a status: who answered when it was not LiteLLM.
PROXY = "proxy"  # the API server's service proxy
FOREIGN = "http"  # a router's error page, another server


class GatewayError(LitemaasError):
    """No answer (status 0), or one from status 300 on, or one that is not LiteLLM's.

    ``type``: LiteLLM's own error type (``key_model_access_denied`` …) or one of the constants
    above. ``message`` has been through the redaction of the key in use.
    """

    def __init__(self, status: int, message: str, type: str = FOREIGN) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type


def refused(path: str, status: int, data: bytes, redact: Callable[[str], str]) -> GatewayError:
    """An answer that is an error: LiteLLM's, FastAPI's, the API server's, or anyone else's."""
    try:
        said = json.loads(data)
    except ValueError:
        return foreign(path, status, data, redact)
    if not isinstance(said, dict):
        return foreign(path, status, data, redact)
    if said.get("kind") == "Status":
        return GatewayError(status, redact(said.get("message", "")), PROXY)
    error = said.get("error")
    if isinstance(error, dict):
        text = str(error.get("message") or error)
        return GatewayError(status, redact(text), str(error.get("type") or "litellm"))
    detail = said.get("detail")
    if isinstance(detail, dict) and detail.get("error"):
        detail = detail["error"]
    text = str(detail or error or said.get("message") or json.dumps(said))
    return GatewayError(status, redact(text), "litellm")


def foreign(path: str, status: int, data: bytes, redact: Callable[[str], str]) -> GatewayError:
    """An answer that LiteLLM, or a model server, would not give."""
    text = " ".join(data.decode("utf-8", "replace").split())[:200]
    return GatewayError(status, redact(f"{status} for {path}, not from the API: {text or 'empty'}"))


def unanswered(error: BaseException) -> GatewayError:
    """No answer. Names of urllib3's exceptions, because they moved between its releases."""
    chain = list(_failure.causes(error))
    names = {type(cause).__name__ for cause in chain}
    said = next((c.strerror for c in chain if isinstance(c, OSError) and c.strerror), "")
    untrusted = [c for c in chain if isinstance(c, ssl.SSLCertVerificationError)]
    if untrusted:
        why = untrusted[0].verify_message or untrusted[0]
        what, text = UNTRUSTED, f"its certificate is not trusted here ({why})"
    elif any(isinstance(cause, socket.gaierror) for cause in chain):
        what, text = NAME, "its host name does not resolve here"
    elif any(isinstance(cause, ConnectionRefusedError) for cause in chain):
        what, text = REFUSED, "the connection is refused"
    elif "NewConnectionError" in names:
        what, text = UNREACHABLE, f"it cannot be reached from here ({said})"
    elif "ConnectTimeoutError" in names:
        what, text = TIMED_OUT, "no connection within the time"
    elif "ReadTimeoutError" in names:
        what, text = LOST, "no answer within the time"
    else:
        what, text = LOST, f"the connection broke off ({said or chain[-1]})"
    return GatewayError(0, text, what)
