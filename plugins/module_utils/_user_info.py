# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a workload tells the catalog and the lab guide, merged into what others told before.

Internal to rhpds.litemaas: no stable interface for other collections.

The form is that of the AgnosticD action of the same name: a list of messages, a list of bodies, and
a mapping of data in which ``users`` holds a mapping for each user. Text is added to, data replaced
key by key. Unlike there, what is there already is not added again, so that a run can be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

USERS = "users"


@dataclass(frozen=True)
class Entry:
    """One call: what is told, and whether it is for one user or for all."""

    messages: tuple[str, ...] = ()
    body: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    prefix: str = ""
    user: str = ""
    as_list: bool = False  # whether the messages were given as a list

    def prefixed(self) -> dict[str, Any]:
        """The data as they are kept."""
        return {f"{self.prefix}{key}": value for key, value in self.data.items()}

    def result(self) -> dict[str, Any]:
        """What the task returns: the catalog reads it from the task's event.

        The prefix of the keys is not in it, as it is not in that of AgnosticD's action.
        """
        found: dict[str, Any] = {}
        lines = list(self.messages)
        if not self.user:
            lines = [f"user.info: {line}" for line in lines]
        if self.messages or self.as_list:
            found["msg"] = lines if self.as_list else lines[0]
        if self.body is not None and not self.user:
            found["msg"] = f"user.body: {self.body}"
        if self.data:
            found["data"] = dict(self.data)
        if self.user:
            found["user"] = self.user
        return found


def entry(arguments: Mapping[str, Any]) -> Entry:
    """Read the task's arguments. Raises LitemaasError for what they may not be."""
    given = {name: plain(value) for name, value in arguments.items() if value is not None}
    message, body, data = given.get("msg"), given.get("body"), given.get("data")
    if message and body:
        raise LitemaasError("msg and body are mutually exclusive: use two tasks.")
    if data and not isinstance(data, dict):
        raise LitemaasError("data must be a dictionary of names and values.")
    if isinstance(message, dict) or isinstance(body, (dict, list)):
        raise LitemaasError("msg must be text or a list of texts, and body must be text.")
    as_list = isinstance(message, list)
    texts = message if isinstance(message, list) else [] if message is None else [message]
    return Entry(
        messages=tuple(str(text) for text in texts),
        body=None if body is None else str(body),
        data=data or {},
        prefix=str(given.get("data_prefix") or ""),
        user=str(given.get("user") or ""),
        as_list=as_list,
    )


def plain(value: Any) -> Any:
    """Return a value in the types of JSON.

    Ansible 2.19 and later hand over subclasses of str, dict and list that carry where a value comes
    from. A YAML dumper writes those as one string, which nobody can read back.
    """
    if isinstance(value, Mapping):
        return {str.__str__(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    # The base class's method returns an exact str; also of dates and of decrypted values.
    return str.__str__(value) if isinstance(value, str) else str.__str__(str(value))


def added(existing: Sequence[Any], new: Sequence[str]) -> list[str]:
    """Return what of ``new`` has to be appended to ``existing``.

    Blank texts are kept, as they divide paragraphs, unless nothing else is new.
    """
    missing = [text for text in new if not text.strip() or text not in existing]
    return missing if any(text.strip() for text in missing) else []


def merged(existing: Mapping[str, Any], told: Entry) -> dict[str, Any]:
    """Return the data with an entry merged in. Raises LitemaasError when users are no mapping."""
    if told.user:
        users = _users(existing)
        users[told.user] = user_merged(users.get(told.user), told)
        return {**existing, USERS: users}
    data = told.prefixed()
    if isinstance(data.get(USERS), dict):
        # Data of several users at once: it must not push out what others told them.
        users = _users(existing)
        for name, values in data[USERS].items():
            users[name] = {**_user(users.get(name), name), **values}
        data[USERS] = users
    return {**existing, **data}


def user_merged(existing: Any, told: Entry) -> dict[str, Any]:
    """Return one user's data with an entry for that user merged in."""
    user = {**_user(existing, told.user), **told.prefixed()}
    if told.messages:
        user["msg"] = _joined(user.get("msg"), told.messages)
    if told.body is not None:
        user["body"] = _joined(user.get("body"), (told.body,))
    return user


def _users(existing: Mapping[str, Any]) -> dict[str, Any]:
    users = existing.get(USERS) or {}
    if not isinstance(users, dict):
        raise LitemaasError(f"{USERS} is not a mapping of users")
    return dict(users)


def _user(existing: Any, name: str) -> dict[str, Any]:
    user = existing or {}
    if isinstance(user, str):
        user = _unquoted(user)
    if not isinstance(user, dict):
        raise LitemaasError(f"{USERS}.{name} is not a mapping")
    return user


def _unquoted(text: str) -> Any:
    """Read a mapping that was written as one string by an action without ``plain``."""
    import ast

    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def _joined(existing: Any, new: Sequence[str]) -> str:
    """Add texts to a text of lines."""
    before = str(existing) if existing else ""
    lines = [line for text in new for line in text.split("\n")]
    more = added(before.split("\n") if before else [], lines)
    return "\n".join([*([before] if before else []), *more])
