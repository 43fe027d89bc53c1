# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each user is told: the credentials of an instance, and what its gateway holds, brought together.

Internal to rhpds.litemaas: no stable interface for other collections.

The master key of a gateway is told to whom it is alone, and to none of those who share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _key_store

Given = Mapping[str, Any]


def logins(
    recipients: Iterable[Given], credentials: Mapping[str, Given], contents: Iterable[Given]
) -> dict[str, dict[str, str]]:
    """By the name of each recipient: username, password, api_key, virtual_key and models.

    *recipients*: of the plan; *credentials*: by instance; *contents*: the gateways that
    gateway_content returned. Who cannot be served yet is left out.
    """
    gateways = {gateway["name"]: gateway for gateway in contents}
    made = {name: _made(gateway) for name, gateway in gateways.items()}
    found = {}
    for recipient in recipients:
        name = recipient["instance"]
        if name not in credentials:
            continue
        told = _told(recipient, credentials[name], gateways.get(name, {}), made.get(name, {}))
        if told:
            found[recipient["name"]] = told
    return found


def _made(gateway: Given) -> dict[str, Given]:
    """The keys that are there, by alias, in the order in which they were declared."""
    keys = gateway.get("virtual_keys") or ()
    return {key["key_alias"]: key for key in keys if key["action"] != "deleted"}


def _told(
    recipient: Given, credentials: Given, gateway: Given, made: Mapping[str, Given]
) -> dict[str, str]:
    key = made.get(recipient["key"]) if recipient["key"] else next(iter(made.values()), None)
    value = credentials["virtual_keys"].get(key["secret_key"], "") if key else ""
    models = (key["models"] if key else ()) or gateway.get("served") or ()
    found = {"virtual_key": value, "models": ",".join(models)}
    if not recipient["login"]:
        own = {name: credentials[name] for name in ("username", "password", "api_key")}
        return {**own, **found}
    password = credentials["passwords"].get(_key_store.entry(recipient["login"]), "")
    users = {user["user_id"] for user in gateway.get("users") or ()}
    if not value or not password or recipient["login"] not in users:
        return {}
    return {"username": recipient["login"], "password": password, "api_key": value, **found}
