# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a key may use its models: the names it lists, and the lists of its user and team.

Internal to rhpds.litemaas: no stable interface for other collections.

LiteLLM compares the name that the client sends, which is the model's public name. A key that lists
the upstream id (``openai/x``) is refused with "key not allowed to access model", and so is one whose
user has ``no-default-models``, which LiteLLM's own form sets when nothing is chosen there.
"""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils._content import ALL, names

NO_DEFAULT = "no-default-models"
SPECIAL = (ALL, "*", "all-team-models", NO_DEFAULT)


@dataclass(frozen=True)
class Served:
    """What a gateway serves: public name → upstream ids, and public name → its access groups."""

    upstream: Mapping[str, tuple[str, ...]]
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, listed: Iterable[Mapping[str, Any]]) -> Served:
        """*listed*: the answer to ``/model/info``."""
        found: dict[str, tuple[str, ...]] = {}
        members: dict[str, frozenset[str]] = {}
        for item in listed:
            name = str(item.get("model_name") or "")
            model = str((item.get("litellm_params") or {}).get("model") or "")
            found[name] = (*found.get(name, ()), model)
            groups = (item.get("model_info") or {}).get("access_groups") or ()
            members[name] = members.get(name, frozenset()) | frozenset(groups)
        return cls(found, members)

    @property
    def groups(self) -> frozenset[str]:
        return frozenset().union(*self.members.values())

    def serves(self, name: str) -> bool:
        """Whether a request for *name* finds a model."""
        return name in self.upstream or any(
            "*" in public and fnmatch.fnmatchcase(name, public) for public in self.upstream
        )


@dataclass
class Resolved:
    """Names for a key's list, what was replaced, and why others cannot be."""

    names: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def resolve(asked: Iterable[str], served: Served, aliases: Iterable[str] = ()) -> Resolved:
    """Find the public name of each name. *aliases*: names that the key itself gives to models."""
    result = Resolved()
    known = {*SPECIAL, *served.groups, *aliases}
    for name in asked:
        found = [name] if name in known or served.serves(name) else _candidates(name, served)
        if len(found) == 1:
            if found[0] != name:
                result.notes.append(
                    f"{name} is not what clients ask for; the gateway serves it as {found[0]}"
                )
            if found[0] not in result.names:
                result.names.append(found[0])
        elif found:
            result.problems.append(
                f"{name} is no model of the gateway; it could be {_either(found)}: say which"
            )
        else:
            result.problems.append(_unknown(name, served))
    return result


def allows(listed: Iterable[str] | None, name: str, groups: Iterable[str] = ()) -> bool:
    """Whether a user's or team's list allows a model; an empty list allows every one."""
    allowed = list(listed or ())
    if not names(allowed):
        return True
    return any(
        entry == name or entry in groups or ("*" in entry and fnmatch.fnmatchcase(name, entry))
        for entry in allowed
    )


def lacking(listed: Iterable[str] | None, models: Iterable[str], served: Served) -> list[str]:
    """The models of a key that its user's or team's list does not allow.

    A key without models, which may use any, lacks V(all-proxy-models) only where the list forbids
    every model.
    """
    allowed = list(listed or ())
    wanted = [name for name in models if name not in ("all-team-models",)]
    if not names(wanted):
        return [ALL] if NO_DEFAULT in allowed else []
    return [
        name
        for name in wanted
        if name not in (*SPECIAL, *served.groups)
        and not allows(allowed, name, served.members.get(name, ()))
    ]


def widened(listed: Iterable[str] | None, missing: Iterable[str]) -> list[str]:
    """A list that also allows *missing*."""
    added = list(missing)
    if ALL in added:
        return [ALL]
    kept = [name for name in listed or () if name != NO_DEFAULT]
    return [*kept, *(name for name in added if name not in kept)]


def _candidates(name: str, served: Served) -> list[str]:
    """Public names that somebody who wrote *name* may have meant."""
    exact = [public for public, models in served.upstream.items() if name in models]
    if exact:
        return sorted(exact)
    bare = name.rpartition("/")[2]
    loose = {
        public
        for public, models in served.upstream.items()
        if bare and (public == bare or any(model.rpartition("/")[2] == bare for model in models))
    }
    return sorted(loose)


def _unknown(name: str, served: Served) -> str:
    there = sorted(served.upstream)
    if not there:
        return f"{name} is no model of the gateway, which serves none"
    bare = name.rpartition("/")[2]
    close = difflib.get_close_matches(name, there, n=1) or difflib.get_close_matches(
        bare, there, n=1
    )
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"{name} is no model of the gateway, which serves {', '.join(there)}{hint}"


def _either(found: list[str]) -> str:
    return f"{', '.join(found[:-1])} or {found[-1]}"
