# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One gateway and all that it should hold: models, teams, users and keys, in the order they need.

Internal to rhpds.litemaas: no stable interface for other collections.

What fails is named, and the rest is done all the same: a key that names a broken model has its own
sentence.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _content_holder,
    _content_key,
    _content_model,
    _key_call,
    _model_access,
    _parallel,
    _settle,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._content import Change
from ansible_collections.rhpds.litemaas.plugins.module_utils._content_model import Model
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._key_store import KeyStore
from ansible_collections.rhpds.litemaas.plugins.module_utils._model_access import Served
from ansible_collections.rhpds.litemaas.plugins.module_utils._settle import Settler

Spec = Mapping[str, Any]


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
    granted: dict[str, list[str]] = field(default_factory=dict)  # models of keys, by alias
    verified: dict[str, str] = field(default_factory=dict)  # the model asked for, by alias
    served: list[str] = field(default_factory=list)  # public names


class GatewayContent:
    """Brings one gateway to what is declared. *key*: the one it is managed with.

    *store*: where values of keys are kept; None: nowhere, so that each must be given.
    """

    def __init__(
        self,
        settler: Settler,
        key: str,
        store: Callable[[], KeyStore] | None,
        *,
        threads: int = 1,
    ) -> None:
        self._settler = settler
        self._api = settler.management
        self._key = key
        self._make_store = store
        self._store: KeyStore | None = None
        self._threads = threads
        self._granting = threading.Lock()
        self._team_ids: dict[str, str] = {}
        self.outcome = Outcome()

    def run(self, declared: Declared) -> Outcome:
        """Do everything; problems are in the outcome. Raises LitemaasError for the first look."""
        api, dry_run = self._api, self._settler.dry_run
        listed = self._settler.ask(api.models)
        if declared.keys and self._make_store:
            self._store = self._make_store()
        self._each(declared.models, self._model, lambda model: model.present)
        self._each(declared.teams, self._team, _present)
        self._each(declared.users, self._user, _present)
        if any(change.kind == "model" and change.changes for change in self.outcome.changes):
            listed = listed if dry_run else self._settler.ask(api.models)
        served = Served.of(_with(listed, declared.models) if dry_run else listed)
        self._each(declared.keys, lambda spec: self._live_key(spec, served, declared), _present)
        self._each(declared.keys, self._dead_key, _absent)
        self._each(declared.users, self._user, _absent)
        self._each(declared.teams, self._team, _absent)
        self._each(declared.models, self._model, lambda model: not model.present)
        gone = {model.name for model in declared.models if not model.present}
        kept = {model.name for model in declared.models if model.present}
        if gone and not dry_run:
            served = Served.of(self._settler.ask(api.models))
        self.outcome.served = sorted(set(served.upstream) - (gone - kept if dry_run else set()))
        return self.outcome

    def _each(
        self, items: Iterable[Any], do: Callable[[Any], Any], those: Callable[[Any], bool]
    ) -> None:
        for result in _parallel.each(do, filter(those, items), self._threads):
            if isinstance(result, LitemaasError):
                self.outcome.problems.append(_settle.said(result, "the gateway"))

    def _settle(self, look: Callable[[], Any], decide: Callable[[Any], Change]) -> Change:
        change = self._settler.settle(look, decide)
        self.outcome.changes.append(change)
        return change

    def _model(self, model: Model) -> None:
        with _naming("model", model.name):
            self._settle(
                self._api.models, lambda listed: _content_model.change(model, listed, self._key)
            )

    def _team(self, spec: Spec) -> None:
        with _naming("team", spec["team_alias"] or spec["team_id"]):
            change = self._settle(
                lambda: self._find_team(spec.get("team_id"), spec.get("team_alias")),
                lambda found: _content_holder.team(spec, found),
            )
            self._team_ids[change.name] = change.id

    def _find_team(self, id: str | None, alias: str | None) -> Mapping[str, Any] | None:
        """By its id, or else the one team that has the alias."""
        found = self._api.team(str(id or alias))
        if found is None and alias and not id:
            named = _content_holder.only(self._api.teams(alias), alias)
            found = self._api.team(named["team_id"]) if named else None
        return found

    def _user(self, spec: Spec) -> None:
        with _naming("user", spec["user_id"]):
            self._settle(
                lambda: self._api.user(spec["user_id"]),
                lambda found: _content_holder.user(spec, found),
            )

    def _live_key(self, spec: Spec, served: Served, declared: Declared) -> None:
        alias = spec["key_alias"]
        with _naming("key", alias):
            resolved = _model_access.resolve(
                spec.get("models") or (), served, spec.get("aliases") or ()
            )
            self.outcome.notes += [f"key {alias}: {note}" for note in resolved.notes]
            if resolved.problems:
                raise LitemaasError("; ".join(resolved.problems))
            models = resolved.names if spec.get("models") is not None else None
            if spec.get("team_id"):
                spec = {**spec, "team_id": self._team_id(spec["team_id"], declared)}
            stored = spec.get("value") or (self._store.value(alias) if self._store else "")
            known_token = _content_key.token(stored) if stored else ""

            def look() -> Any:
                return self._api.key(alias, known_token)

            stand = _content_key.Stand(self._settler.ask(look), stored)
            # What is refused is refused before a value is written down.
            _content_key.change(spec, models, stand, stored or "sk-")
            self._grant(spec, stand, models, served, declared)
            value = self._value(spec, stored)
            known = _content_key.Stand  # the value was ours or is now
            change = self._settle(
                lambda: self._api.key(alias, _content_key.token(value)),
                lambda found: _content_key.change(spec, models, known(found, value), value),
            )
            self.outcome.values[alias] = value
            live = self._settler.ask(look) if models is None and not self._settler.dry_run else {}
            self.outcome.granted[alias] = models if models is not None else _models(live)
            if spec.get("verify") and not self._settler.dry_run:
                fresh = any(done.changes for done in self.outcome.changes) or change.changes
                self.outcome.verified[alias] = _key_call.verify(
                    self._api,
                    value,
                    self.outcome.granted[alias],
                    spec.get("verify_model") or "",
                    fresh=fresh,
                )

    def _value(self, spec: Spec, stored: str) -> str:
        alias, given, rotate = spec["key_alias"], spec.get("value") or "", bool(spec.get("rotate"))
        if self._settler.dry_run:
            return "" if rotate or not stored else stored
        if self._store:
            return self._store.born(alias, given=given, anew=rotate and not given)
        if not given:
            raise LitemaasError(
                "there is nowhere to keep its value: give the namespace of the gateway, or of the "
                "Secret, or the value itself."
            )
        return given

    def _dead_key(self, spec: Spec) -> None:
        alias = spec["key_alias"]
        with _naming("key", alias):
            self._settle(
                lambda: self._api.key(alias),
                lambda found: _content_key.change(spec, None, _content_key.Stand(found, ""), ""),
            )
            if self._store and not self._settler.dry_run:
                self._store.forget(alias)

    def _team_id(self, name: str, declared: Declared) -> str:
        """The id of a team that a key names by id or alias."""
        known = self._team_ids.get(name)
        if known:
            return known
        found = self._settler.ask(lambda: self._find_team(None, name))
        if found is None:
            raise LitemaasError(f"the gateway has no team {name}: declare it, or name another.")
        return str(found["team_id"])

    def _grant(
        self,
        spec: Spec,
        stand: _content_key.Stand,
        models: list[str] | None,
        served: Served,
        declared: Declared,
    ) -> None:
        """See to it that the list of the key's team, or of its user, does not refuse its models."""
        live = stand.found or {}
        team, user = (spec.get(name) or live.get(name) for name in ("team_id", "user_id"))
        if not team and not user:
            return
        # LiteLLM asks the user's own list only of a key that is in no team.
        kind, id = ("team", str(team)) if team else ("user", str(user))
        wanted = models if models is not None else _models(live)
        specs = declared.teams if team else declared.users
        names = {"team": ("team_id", "team_alias"), "user": ("user_id",)}[kind]
        own = next((s for s in specs if id in [s.get(name) for name in names]), {})
        with self._granting:
            found = self._settler.ask(lambda: getattr(self._api, kind)(id))
            allowed = _models(own) if own.get("models") is not None else _models(found)
            missing = _model_access.lacking(allowed, wanted, served)
            if not missing:
                return
            what = "every model" if missing == [_model_access.ALL] else ", ".join(missing)
            why = f"its {kind} {id} may only use {', '.join(allowed) or 'no model'}, not {what}"
            if own.get("models") is not None:
                raise LitemaasError(f"{why}: correct the models of the {kind}, or of the key.")
            if not spec.get("repair_access", True):
                raise LitemaasError(f"{why}: add that to the {kind}'s models, or allow the repair.")
            fixed = {
                f"{kind}_id": id,
                "team_alias": (found or {}).get("team_alias"),
                "models": _model_access.widened(allowed, missing),
            }
            decide = getattr(_content_holder, kind)
            self._settle(lambda: getattr(self._api, kind)(id), lambda seen: decide(fixed, seen))
            self.outcome.notes.append(f"key {spec['key_alias']}: {why}, which was added")


class _naming:
    """Puts the object's name before an error that does not know it."""

    def __init__(self, kind: str, name: str) -> None:
        self._name = f"{kind} {name}"

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, LitemaasError):
            raise LitemaasError(f"{self._name}: {_settle.said(error, 'the gateway')}") from error


def _models(found: Mapping[str, Any] | None) -> list[str]:
    return list((found or {}).get("models") or ())


def _present(spec: Spec) -> bool:
    return spec.get("state") != "absent"


def _absent(spec: Spec) -> bool:
    return not _present(spec)


def _with(listed: Iterable[Spec], models: Iterable[Model]) -> list[Spec]:
    """What a gateway would serve, where nothing is really changed."""
    made = [
        {"model_name": model.name, "litellm_params": {"model": model.upstream}}
        for model in models
        if model.present
    ]
    ids = {model.id for model in models}
    return [item for item in listed if _content_model.id_of(item) not in ids] + made
