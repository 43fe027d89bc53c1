# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual keys of one gateway: what they may use, their values, and that they work.

Internal to rhpds.litemaas: no stable interface for other collections.

All are judged before any value is written down, all values are written down in one go before the
gateway learns of any, and then they are made. A run that is killed in between finds them again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _content_holder,
    _content_key,
    _key_call,
    _model_access,
    _settle,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._content import Change
from ansible_collections.rhpds.litemaas.plugins.module_utils._content_model import Model
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._key_store import Birth, KeyStore
from ansible_collections.rhpds.litemaas.plugins.module_utils._model_access import Served
from ansible_collections.rhpds.litemaas.plugins.module_utils._settle import Settler

Spec = Mapping[str, Any]
# From so many keys on, one list of all of the gateway's is cheaper than to look for each.
_MANY = 4


@dataclass(frozen=True)
class Declared:
    """What a gateway should hold."""

    models: tuple[Model, ...] = ()
    teams: tuple[Spec, ...] = ()
    users: tuple[Spec, ...] = ()
    keys: tuple[Spec, ...] = field(default=(), repr=False)


@dataclass
class Outcome:
    """What became of it."""

    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict, repr=False)  # of keys, by alias
    passwords: dict[str, str] = field(default_factory=dict, repr=False)  # by user id
    granted: dict[str, list[str]] = field(default_factory=dict)  # models of keys, by alias
    verified: dict[str, str] = field(default_factory=dict)  # the model asked for, by alias
    served: list[str] = field(default_factory=list)  # public names
    surplus: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class _Judged:
    """A key that may be made. *models*: resolved; None where they are left as they are."""

    spec: Spec
    models: list[str] | None
    stand: _content_key.Stand


@dataclass
class _Pending:
    """A key with its value on its way. *seen*: what was looked at a moment ago counts as a look."""

    judged: _Judged
    value: str = field(repr=False)
    seen: list[Mapping[str, Any] | None] = field(repr=False)
    change: Change | None = None


class GatewayKeys:
    """Keys of one gateway. *store*: where values are kept; None: nowhere, so each must be given.

    *holders*: teams and users as they were seen in this run, by ``team …`` or ``user …`` and the id.
    """

    def __init__(
        self,
        settler: Settler,
        store: KeyStore | None,
        declared: Declared,
        outcome: Outcome,
        *,
        find_team: Callable[[str], Mapping[str, Any] | None],
        holders: dict[str, Mapping[str, Any]],
    ) -> None:
        self._settler = settler
        self._api = settler.management
        self._store = store
        self._declared = declared
        self._outcome = outcome
        self._find_team = find_team
        self._holders = holders
        self._guard = threading.Lock()
        self._granting: dict[str, threading.Lock] = {}
        self._teams = {
            name: spec
            for spec in declared.teams
            for name in (spec.get("team_id"), spec.get("team_alias"))
            if name
        }
        self._users = {spec["user_id"]: spec for spec in declared.users}

    def run(self, each: Callable[..., list[Any]], served: Served) -> None:
        """Make the keys that are to be there. *each*: runs a function for all at once."""
        present = [spec for spec in self._declared.keys if spec.get("state") != "absent"]
        known = self._listed(present)
        judged = each(present, lambda spec: self._judge(spec, served, known))
        self._make(each, [key for key in judged if isinstance(key, _Judged)])

    def _make(self, each: Callable[..., list[Any]], judged: list[_Judged]) -> None:
        births = {
            key.spec["key_alias"]: Birth(
                key.spec.get("value") or "",
                bool(key.spec.get("rotate")) and not key.spec.get("value"),
            )
            for key in judged
        }
        values: dict[str, str] = {}
        if self._store and not self._settler.dry_run:
            values = self._store.born(births)
        many = len(judged) >= _MANY and not self._settler.dry_run
        pending = [_Pending(key, self._chosen(key, values), [key.stand.found]) for key in judged]
        if many:
            done = each(pending, lambda key: self._settle(key, confirm=False))
            pending = [key for key in done if isinstance(key, _Pending)]
            changed = any(key.change and key.change.changes for key in pending)
            seen = self._listed([key.judged.spec for key in pending]) if changed else None
            for key in pending if seen is not None else ():
                key.seen.append((seen or {}).get(key.judged.spec["key_alias"]))
        each(pending, self._finish)

    def remove(self, each: Callable[..., list[Any]]) -> None:
        """Take the keys away that are to be absent."""
        absent = [spec for spec in self._declared.keys if spec.get("state") == "absent"]
        gone = each(absent, self._remove)
        self.forget(alias for alias in gone if isinstance(alias, str))

    def forget(self, aliases: Iterable[str]) -> None:
        """Take the values of keys that are gone out of the Secret."""
        listed = list(aliases)
        if listed and self._store and not self._settler.dry_run:
            self._store.forget(listed)

    def _listed(self, specs: list[Spec]) -> dict[str, Mapping[str, Any]] | None:
        """The gateway's keys by alias; None where each is looked for by itself."""
        if len(specs) < _MANY:
            return None
        return {str(key.get("key_alias")): key for key in self._settler.ask(self._api.keys)}

    def _judge(
        self, spec: Spec, served: Served, known: Mapping[str, Mapping[str, Any]] | None
    ) -> _Judged:
        alias = spec["key_alias"]
        with naming("key", alias):
            resolved = _model_access.resolve(
                spec.get("models") or (), served, spec.get("aliases") or ()
            )
            self._outcome.notes += [f"key {alias}: {note}" for note in resolved.notes]
            if resolved.problems:
                raise LitemaasError("; ".join(resolved.problems))
            models = resolved.names if spec.get("models") is not None else None
            if spec.get("team_id"):
                spec = {**spec, "team_id": self._team_id(spec["team_id"])}
            stored = spec.get("value") or (self._store.value(alias) if self._store else "")
            if not spec.get("value") and not self._store:
                raise LitemaasError(
                    "there is nowhere to keep its value: give the namespace of the gateway, or of "
                    "the Secret, or the value itself."
                )
            found = (known or {}).get(alias)
            if found is None and (known is None or stored):
                token = _content_key.token(stored) if stored else ""
                found = self._settler.ask(lambda: self._api.key(alias, token))
            stand = _content_key.Stand(found, stored)
            # What is refused is refused before a value is written down.
            _content_key.change(spec, models, stand, stored or "sk-")
            self._grant(spec, stand, models, served)
            return _Judged(spec, models, stand)

    def _chosen(self, key: _Judged, born: Mapping[str, str]) -> str:
        """The value that a key is to have, "" where it is not known yet."""
        spec = key.spec
        kept = "" if spec.get("rotate") else key.stand.value
        return born.get(spec["key_alias"]) or spec.get("value") or kept

    def _settle(self, key: _Pending, *, confirm: bool = True) -> _Pending:
        spec, value, stand = key.judged.spec, key.value, key.judged.stand
        alias = spec["key_alias"]

        def look() -> Any:
            return key.seen.pop() if key.seen else self._api.key(alias, _content_key.token(value))

        def decide(found: Any) -> Change:
            # The value was ours or is now.
            known = _content_key.Stand(found, value or stand.value)
            return _content_key.change(spec, key.judged.models, known, value)

        with naming("key", alias):
            change = self._settler.settle(look, decide, confirm=confirm)
            if key.change is None or not key.change.changes:
                key.change = change
        return key

    def _finish(self, key: _Pending) -> None:
        """See that the key is what it should be, and note it."""
        if key.change is None or key.change.changes:
            self._settle(key)
        spec, models, alias = key.judged.spec, key.judged.models, key.judged.spec["key_alias"]
        with naming("key", alias):
            if key.change:
                self._outcome.changes.append(key.change)
            self._outcome.values[alias] = key.value
            granted = models if models is not None else listed_models(key.judged.stand.found)
            self._outcome.granted[alias] = granted
            if spec.get("verify") and not self._settler.dry_run:
                fresh = any(done.changes for done in self._outcome.changes)
                self._outcome.verified[alias] = _key_call.verify(
                    self._api, key.value, granted, spec.get("verify_model") or "", fresh=fresh
                )

    def _remove(self, spec: Spec) -> str:
        alias = str(spec["key_alias"])
        with naming("key", alias):
            change = self._settler.settle(
                lambda: self._api.key(alias),
                lambda found: _content_key.change(spec, None, _content_key.Stand(found, ""), ""),
            )
            self._outcome.changes.append(change)
        return alias

    def _team_id(self, name: str) -> str:
        """The id of a team that a key names by id or alias."""
        found = self._settler.ask(lambda: self._find_team(name))
        if found is None:
            raise LitemaasError(f"the gateway has no team {name}: declare it, or name another.")
        return str(found["team_id"])

    def _grant(
        self, spec: Spec, stand: _content_key.Stand, models: list[str] | None, served: Served
    ) -> None:
        """See to it that the list of the key's team, or of its user, does not refuse its models."""
        live = stand.found or {}
        team, user = (spec.get(name) or live.get(name) for name in ("team_id", "user_id"))
        if not team and not user:
            return
        # LiteLLM asks the user's own list only of a key that is in no team.
        kind, id = ("team", str(team)) if team else ("user", str(user))
        wanted = models if models is not None else listed_models(live)
        own = (self._teams if team else self._users).get(id, {})
        declared = own.get("models") is not None
        holder = f"{kind} {id}"
        with self._guard:
            granting = self._granting.setdefault(holder, threading.Lock())
        with granting:
            found = self._holders.get(holder)
            if found is None and not declared:
                found = self._settler.ask(lambda: getattr(self._api, kind)(id))
            allowed = listed_models(own if declared else found)
            missing = _model_access.lacking(allowed, wanted, served)
            if not missing:
                return
            what = "every model" if missing == [_model_access.ALL] else ", ".join(missing)
            why = f"its {holder} may only use {', '.join(allowed) or 'no model'}, not {what}"
            if declared:
                raise LitemaasError(f"{why}: correct the models of the {kind}, or of the key.")
            if not spec.get("repair_access", True):
                raise LitemaasError(f"{why}: add that to the {kind}'s models, or allow the repair.")
            fixed = {
                f"{kind}_id": id,
                "team_alias": (found or {}).get("team_alias"),
                "models": _model_access.widened(allowed, missing),
            }
            self._holders.pop(holder, None)
            decide = getattr(_content_holder, kind)
            change = self._settler.settle(
                lambda: getattr(self._api, kind)(id), lambda seen: decide(fixed, seen)
            )
            self._outcome.changes.append(change)
            self._outcome.notes.append(f"key {spec['key_alias']}: {why}, which was added")


class naming:
    """Puts the object's name before an error that does not know it."""

    def __init__(self, kind: str, name: str) -> None:
        self._name = f"{kind} {name}"

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, LitemaasError):
            raise LitemaasError(f"{self._name}: {_settle.said(error, 'the gateway')}") from error


def listed_models(found: Mapping[str, Any] | None) -> list[str]:
    return list((found or {}).get("models") or ())
