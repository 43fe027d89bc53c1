# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One gateway and all that it should hold: models, users, teams and keys, in the order they need.

Internal to rhpds.litemaas: no stable interface for other collections.

What fails is named, and the rest is done all the same: a key that names a broken model has its own
sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _content_holder,
    _content_model,
    _content_surplus,
    _parallel,
    _settle,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._content import Change
from ansible_collections.rhpds.litemaas.plugins.module_utils._content_model import Model
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_keys import (
    Declared,
    GatewayKeys,
    Outcome,
    Spec,
    naming,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._key_store import Birth, KeyStore
from ansible_collections.rhpds.litemaas.plugins.module_utils._model_access import Served
from ansible_collections.rhpds.litemaas.plugins.module_utils._settle import Settler

Store = Callable[[], KeyStore]
# Stands for a password in a run that makes none; no other is the same.
_UNBORN = "not made yet"


@dataclass(frozen=True)
class Stores:
    """Where values of keys, and passwords of users, are kept; None: nowhere, so each must be given."""

    keys: Store | None = None
    passwords: Store | None = None


@dataclass(frozen=True)
class Surplus:
    """What of an earlier run is looked for, by entries of its metadata; and whether it goes."""

    metadata: Mapping[str, Any]
    remove: bool = False


class GatewayContent:
    """Brings one gateway to what is declared. *key*: the one it is managed with."""

    def __init__(self, settler: Settler, key: str, stores: Stores, *, threads: int = 1) -> None:
        self._settler = settler
        self._api = settler.management
        self._key = key
        self._stores = stores
        self._threads = threads
        self._passwords: KeyStore | None = None
        self._chosen: dict[str, str] = {}  # passwords by user id
        self._team_ids: dict[str, str] = {}
        self._holders: dict[str, Mapping[str, Any]] = {}
        self.outcome = Outcome()

    def run(self, declared: Declared, surplus: Surplus | None = None) -> Outcome:
        """Do everything; problems are in the outcome. Raises LitemaasError for the first look."""
        api, dry_run = self._api, self._settler.dry_run
        listed = self._settler.ask(api.models)
        needed = declared.keys or (surplus and surplus.remove)
        store = self._stores.keys() if needed and self._stores.keys else None
        keys = GatewayKeys(
            self._settler,
            store,
            declared,
            self.outcome,
            find_team=self._any_team,
            holders=self._holders,
        )
        self._each(filter(lambda model: model.present, declared.models), self._model)
        self._users(list(filter(_present, declared.users)))
        self._each(filter(_present, declared.teams), self._team)
        if any(change.kind == "model" and change.changes for change in self.outcome.changes):
            listed = listed if dry_run else self._settler.ask(api.models)
        made = (
            declared.models if dry_run else unlisted(listed, declared.models, self.outcome.changes)
        )
        served = Served.of(_with(listed, made))
        keys.run(self._each, served)
        keys.remove(self._each)
        self._each(filter(_absent, declared.teams), self._team)
        self._users(list(filter(_absent, declared.users)))
        self._each(filter(lambda model: not model.present, declared.models), self._model)
        if surplus:
            self._surplus(declared, surplus, keys)
        gone = {model.name for model in declared.models if not model.present}
        kept = {model.name for model in declared.models if model.present}
        if gone and not dry_run:
            served = Served.of(self._settler.ask(api.models))
        self.outcome.served = sorted(set(served.upstream) - (gone - kept if dry_run else set()))
        return self.outcome

    def _each(self, items: Iterable[Any], do: Callable[[Any], Any]) -> list[Any]:
        """Results for all items; what fails is a problem of the outcome, and its result the error."""
        results = _parallel.each(do, items, self._threads)
        for result in results:
            if isinstance(result, LitemaasError):
                self.outcome.problems.append(_settle.said(result, "the gateway"))
        return results

    def _settle(self, look: Callable[[], Any], decide: Callable[[Any], Change]) -> Change:
        change = self._settler.settle(look, decide)
        self.outcome.changes.append(change)
        return change

    def _model(self, model: Model) -> None:
        with naming("model", model.name):
            self._settle(
                self._api.models, lambda listed: _content_model.change(model, listed, self._key)
            )

    def _team(self, spec: Spec) -> None:
        with naming("team", spec["team_alias"] or spec["team_id"]):
            change = self._settle(
                lambda: self._find_team(spec.get("team_id"), spec.get("team_alias")),
                lambda found: _content_holder.team(spec, found),
            )
            self._team_ids[change.name] = change.id
            self._holders[f"team {change.id}"] = change.found

    def _any_team(self, name: str) -> Mapping[str, Any] | None:
        """A team by its id or alias; of one that was settled just now no more than its id."""
        known = self._team_ids.get(name)
        return {"team_id": known} if known else self._find_team(None, name)

    def _find_team(self, id: str | None, alias: str | None) -> Mapping[str, Any] | None:
        """By its id, or else the one team that has the alias."""
        found = self._api.team(str(id or alias))
        if found is None and alias and not id:
            named = _content_holder.only(self._api.teams(alias), alias)
            found = self._api.team(named["team_id"]) if named else None
        return found

    def _users(self, specs: list[Spec]) -> None:
        """Users, with passwords that are written down before the gateway learns of any."""
        births = {
            spec["user_id"]: Birth(spec.get("login_password") or "")
            for spec in specs
            if _enters(spec)
        }
        chosen = {id: birth.given for id, birth in births.items() if birth.given}
        if births and self._stores.passwords:
            self._passwords = self._stores.passwords()
            if self._settler.dry_run:
                known = {id: self._passwords.value(id) for id in births}
                chosen = {id: chosen.get(id) or known[id] or _UNBORN for id in births}
            else:
                chosen = self.outcome.passwords = self._passwords.born(births)
        self._chosen = chosen
        gone = self._each(specs, self._user)
        self._forget_passwords(id for id in gone if isinstance(id, str))

    def _user(self, spec: Spec) -> str:
        """Settle a user; returns the id of one that is to be absent."""
        id = spec["user_id"]
        with naming("user", id):
            password = self._chosen.get(id, "")
            if _enters(spec) and not password:
                raise LitemaasError(
                    "there is nowhere to keep its password: give the namespace of the gateway, or "
                    "the password itself."
                )
            change = self._settle(
                lambda: self._api.user(id),
                lambda found: _content_holder.user(spec, found, password, self._key),
            )
            self._holders[f"user {id}"] = change.found
        return id if _absent(spec) else ""

    def _forget_passwords(self, ids: Iterable[str]) -> None:
        listed = list(filter(None, ids))
        if listed and self._stores.passwords and not self._settler.dry_run:
            self._passwords = self._passwords or self._stores.passwords()
            self._passwords.forget(listed)

    def _surplus(self, declared: Declared, surplus: Surplus, keys: GatewayKeys) -> None:
        """Name what an earlier run made and this one does not declare; and let it go where asked."""
        found = _content_surplus.find(
            {kind: self._settler.ask(look) for kind, look in self._looks().items()},
            _content_surplus.names(declared),
            surplus.metadata,
        )
        gone = []
        for kind in _content_surplus.KINDS:
            those = [each for each in found if each.kind == kind]
            done = self._each(those, lambda each: self._let_go(each, surplus.remove))
            gone += [each for each in done if isinstance(each, _content_surplus.Found)]
        if surplus.remove:
            keys.forget(each.name for each in gone if each.kind == "key")
            self._forget_passwords(each.id for each in gone if each.kind == "user")
        action = "deleted" if surplus.remove else "kept"
        self.outcome.surplus = [each.result(action) for each in gone]

    def _looks(self) -> dict[str, Callable[[], list[dict[str, Any]]]]:
        return {"key": self._api.keys, "team": self._api.teams, "user": self._api.users}

    def _let_go(self, each: _content_surplus.Found, remove: bool) -> _content_surplus.Found:
        if remove:
            with naming(each.kind, each.name):
                self._settle(lambda: self._look(each), each.deletion)
        return each

    def _look(self, each: _content_surplus.Found) -> Mapping[str, Any] | None:
        if each.kind == "key":
            # By its alias: by its token LiteLLM finds a key that was deleted for a while.
            return self._api.key(each.name)
        return self._api.team(each.id) if each.kind == "team" else self._api.user(each.id)


def _present(spec: Spec) -> bool:
    return spec.get("state") != "absent"


def _absent(spec: Spec) -> bool:
    return not _present(spec)


def _enters(spec: Spec) -> bool:
    """Whether a user is to have a password for the web UI."""
    return _present(spec) and bool(spec.get("login") or spec.get("login_password"))


def unlisted(
    listed: Iterable[Spec], models: Iterable[Model], changes: Iterable[Change]
) -> list[Model]:
    """The models that are as declared, but not in the list: of several pods, one that has not read
    the database since answered it.
    """
    there = {_content_model.id_of(item) for item in listed}
    settled = {change.name for change in changes if change.kind == "model"}
    return [
        each for each in models if each.present and each.name in settled and each.id not in there
    ]


def _with(listed: Iterable[Spec], models: Iterable[Model]) -> list[Spec]:
    """What a gateway serves once it has *models* too."""
    made = [
        {
            "model_name": model.name,
            "litellm_params": {"model": model.upstream},
            "model_info": dict(model.info),
        }
        for model in models
        if model.present
    ]
    ids = {model.id for model in models}
    return [item for item in listed if _content_model.id_of(item) not in ids] + made
