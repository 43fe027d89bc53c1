# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""LiteLLM's management API: finding, making, changing and deleting models, teams, users and keys.

Internal to rhpds.litemaas: no stable interface for other collections.

Each call is one request, or as many as a list has pages. Where the releases differ, both ways are
here and nowhere else. Only what the gateway says is absent counts as absent: every other refusal is
a GatewayError.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from ansible_collections.rhpds.litemaas.plugins.module_utils import _gateway_error as errors
from ansible_collections.rhpds.litemaas.plugins.module_utils import _password
from ansible_collections.rhpds.litemaas.plugins.module_utils._content_holder import Login, Members
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_error import GatewayError
from ansible_collections.rhpds.litemaas.plugins.module_utils._litellm import Gateway

PAGE = 100  # the most that the lists of 1.81 and 1.106 give at once
# What a gateway that never had a model answers to the list of them, with status 500.
_EMPTY = "LLM Model List not loaded in"
_PASSING = (429, 502, 503, 504)
# Parts of a body that are no fields of the request which makes or changes the object.
_APART = ("blocked", "members", "password")
_ABSENT = ("not found", "does not exist", "doesn't exist", "not in db", "no keys found")

Found = dict[str, Any]


def is_passing(error: GatewayError) -> bool:
    """Whether the same request may succeed a moment later."""
    if not error.status:
        return error.type not in (errors.NAME, errors.UNTRUSTED)
    # 500: with its database away, LiteLLM answers management calls so.
    return error.status in _PASSING or (error.status == 500 and _database(error))


def is_absent(error: GatewayError, *statuses: int) -> bool:
    """Whether the gateway says that there is no such object."""
    if error.type in (errors.PROXY, errors.FOREIGN) or error.status not in statuses:
        return False
    said = error.message.lower()
    return any(words in said for words in _ABSENT)


class Management:
    """The management API of one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def models(self) -> list[Found]:
        """All deployments: ``model_name``, ``litellm_params`` without credentials, ``model_info``."""
        try:
            return _rows(self._get("/model/info"), "data", "/model/info")
        except GatewayError as error:
            if error.status == 500 and _EMPTY in error.message:
                return []
            raise

    def team(self, id: str) -> Found | None:
        try:
            answer = self._get("/team/info", team_id=id)
        except GatewayError as error:
            if is_absent(error, 404):
                return None
            raise
        return {**(answer.get("team_info") or {}), "team_id": answer.get("team_id", id)}

    def teams(self, alias: str = "") -> list[Found]:
        """All teams, or those whose alias contains *alias*."""
        query: dict[str, Any] = {"team_alias": alias} if alias else {}
        return list(self._pages("/v2/team/list", "teams", "page_size", **query))

    def user(self, id: str) -> Found | None:
        try:
            found = self._get("/user/info", user_id=id).get("user_info")
        except GatewayError as error:
            if is_absent(error, 404):
                return None
            raise
        return found if found and found.get("user_id") == id else None

    def users(self) -> list[Found]:
        return list(self._pages("/user/list", "users", "page_size"))

    def key(self, alias: str, token: str = "") -> Found | None:
        """The key of an alias, or else the one of a token."""
        query = {"key_alias": alias, "return_full_object": "true"}
        for found in self._pages("/key/list", "keys", "size", **query):
            if found.get("key_alias") == alias:
                return found
        if not token:
            return None
        try:
            answer = self._get("/key/info", key=token)
        except GatewayError as error:
            if is_absent(error, 404):
                return None
            raise
        return {**(answer.get("info") or {}), "token": token}

    def keys(self) -> list[Found]:
        return list(self._pages("/key/list", "keys", "size", return_full_object="true"))

    def create(self, kind: str, body: Mapping[str, Any]) -> None:
        """Make an object. A key whose alias is taken, or any other refusal, is a GatewayError."""
        path = {"model": "/model/new", "key": "/key/generate"}.get(kind, f"/{kind}/new")
        sent = {key: value for key, value in body.items() if key not in _APART}
        if "members" in body:
            sent["members_with_roles"] = _roles(body["members"].added)
        if "password" in body:
            # What says which password it is comes after the password.
            metadata = sent.pop("metadata", {})
            self._post(path, sent)
            self._enter(str(body["user_id"]), body["password"])
            sent, path = {"user_id": body["user_id"], "metadata": metadata}, "/user/update"
        self._post(path, sent)
        if kind in ("key", "team") and body.get("blocked"):
            self._block(kind, str(body["key" if kind == "key" else "team_id"]), True)

    def update(self, kind: str, id: str, body: Mapping[str, Any]) -> None:
        if kind == "model":
            # POST /model/update answers 200 in 1.81 and changes nothing.
            path = f"/model/{quote(id, safe='')}/update"
            self.gateway.request("PATCH", path, dict(body))
            return
        sent = {key: value for key, value in body.items() if key not in _APART}
        identity = {"key": "key", "team": "team_id", "user": "user_id"}[kind]
        if "password" in body:
            self._enter(id, body["password"])
        if sent:
            self._post(f"/{kind}/update", {identity: id, **sent})
        if "members" in body:
            self._settle_members(id, body["members"])
        if "blocked" in body:
            self._block(kind, id, bool(body["blocked"]))

    def delete(self, kind: str, id: str) -> None:
        bodies: dict[str, dict[str, Any]] = {
            "model": {"id": id},
            "team": {"team_ids": [id]},
            "user": {"user_ids": [id]},
            "key": {"keys": [id]},
        }
        try:
            self._post(f"/{kind}/delete", bodies[kind])
        except GatewayError as error:
            if not is_absent(error, 400, 404):
                raise

    def _enter(self, id: str, login: Login) -> None:
        """Give a user a password for the web UI.

        1.106 takes one that others set for a first one, with which nothing can be done but choosing
        another. So it gets a passing one, enters with it, and chooses the right one as that user.
        """
        passing = _password.generate("login")
        self._post("/user/update", {"user_id": id, "password": passing})
        open_to_all = self.gateway.with_key("")
        entered = open_to_all.request(
            "POST", "/v2/login", {"username": login.name, "password": passing}
        )
        session = _claims(entered.get("token"))
        if session.get("password_reset_required"):
            chosen = {"current_password": passing, "new_password": login.password}
            own = self.gateway.with_key(str(session["key"]))
            own.request("POST", "/user/password/change", chosen)
        else:
            self._post("/user/update", {"user_id": id, "password": login.password})

    def _settle_members(self, id: str, members: Members) -> None:
        if members.added:
            self._post("/team/member_add", {"team_id": id, "member": _roles(members.added)})
        for user in members.removed:
            self._post("/team/member_delete", {"team_id": id, "user_id": user})
        for user, role in members.changed.items():
            self._post("/team/member_update", {"team_id": id, "user_id": user, "role": role})

    def _block(self, kind: str, id: str, blocked: bool) -> None:
        body = {"key": id} if kind == "key" else {"team_id": id}
        self._post(f"/{kind}/{'block' if blocked else 'unblock'}", body)

    def _get(self, path: str, **query: Any) -> Any:
        answer = self.gateway.request("GET", path, query=query)
        if not isinstance(answer, dict):
            raise GatewayError(200, f"the answer to {path} is not an object")
        return answer

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self.gateway.request("POST", path, dict(body))

    def _pages(self, path: str, key: str, size: str, **query: Any) -> Iterator[Found]:
        page = 1
        while True:
            answer = self._get(path, **{**query, "page": page, size: PAGE})
            yield from _rows(answer, key, path)
            if page >= int(answer.get("total_pages") or 0):
                return
            page += 1


def _roles(members: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"user_id": id, "role": role} for id, role in members.items()]


def _claims(token: Any) -> dict[str, Any]:
    """What stands in the token of a session; nothing where the release gives none (1.81)."""
    parts = str(token or "").split(".")
    if len(parts) != 3:
        return {}
    return dict(json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))))


def _rows(answer: Mapping[str, Any], key: str, path: str) -> list[Found]:
    rows = answer.get(key)
    if not isinstance(rows, list):
        raise GatewayError(200, f"the answer to {path} has no list of {key}")
    return [row for row in rows if isinstance(row, dict)]


def _database(error: GatewayError) -> bool:
    said = error.message.lower()
    words = ("database", "can't reach", "connection", "query engine", "engine", "timed out")
    return any(word in said for word in words)
