# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One real request with a virtual key: whether it works, in the gateway's own words if not.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_error import GatewayError
from ansible_collections.rhpds.litemaas.plugins.module_utils._management import Management
from ansible_collections.rhpds.litemaas.plugins.module_utils._model_access import SPECIAL, allows

# Seconds that a replica may go on with what it knew: 60 of keys and users, 30 of models.
LAG = 75.0
_SETTLED = 5.0  # seconds, where nothing was changed
TIMEOUT = 60.0  # seconds for a model to answer
_FINAL = ("budget", "rate limit", "blocked")
# By mode: the path behind /v1, and the body without the model.
CALLS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/chat/completions", {"messages": [{"role": "user", "content": "hello"}]}),
    "embedding": ("/embeddings", {"input": "hello"}),
}


def verify(
    api: Management,
    value: str,
    models: list[str],
    model: str = "",
    *,
    fresh: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Ask a model with the key and return the model's name. Raises LitemaasError when refused.

    *models*: the key's list. *fresh*: something was changed just now, so that what another replica
    remembers is waited out.
    """
    name, mode = choose(api.models(), models, model)
    path, body = CALLS[mode]
    sent: dict[str, Any] = {"model": name, **body}
    if mode == "chat":
        # Without it LiteLLM 1.106 reserves the price of 16384 tokens against the budget.
        sent["max_tokens"] = 5
    end = time.monotonic() + (LAG if fresh else _SETTLED)
    gateway = api.gateway.with_key(value)
    while True:
        try:
            gateway.request("POST", f"/v1{path}", sent, timeout=TIMEOUT)
            return name
        except GatewayError as error:
            if not _may_pass(error) or time.monotonic() > end:
                raise LitemaasError(
                    f"the gateway refuses a request for the model {name} with it "
                    f"({error.status or 'no answer'}): {error.message}"
                ) from error
        sleep(1.0)


def choose(listed: list[dict[str, Any]], models: list[str], model: str = "") -> tuple[str, str]:
    """(public name, chat or embedding) of what to ask. Raises LitemaasError when there is none."""
    modes: dict[str, str] = {}
    for item in listed:
        mode = (item.get("model_info") or {}).get("mode") or "chat"
        modes.setdefault(str(item.get("model_name")), "chat" if mode == "responses" else mode)
    if model:
        mode = modes.get(model, "chat")
        return model, mode if mode in CALLS else "chat"
    wanted = [name for name in models if name not in SPECIAL] or list(modes)
    fits = [name for name in modes if "*" not in name and allows(wanted, name)]
    for name in (*(name for name in wanted if name in fits), *fits):
        if modes[name] in CALLS:
            return name, modes[name]
    raise LitemaasError(
        "it cannot be verified: none of its models can be asked by name. Name one as verify_model."
    )


def _may_pass(error: GatewayError) -> bool:
    """Whether another replica, or this one in a moment, may answer otherwise."""
    said = error.message.lower()
    if any(words in said for words in _FINAL) or "budget" in error.type:
        return False
    return error.status in (0, 400, 401, 403, 404, 429, 500, 502, 503, 504)
