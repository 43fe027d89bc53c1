# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A model of a gateway: what is declared, and what differs from what is there.

Internal to rhpds.litemaas: no stable interface for other collections.

A model is known by an id of its own (``model_info.id``), because its name may be had by several.
LiteLLM returns no credential and clears no parameter, so what was set, and a keyed hash of the
credentials, are noted in ``model_info``, which keeps what it does not know.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils._content import (
    CHANGED,
    HIDDEN,
    Action,
    Change,
    same,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

# In model_info: the names of the parameters that were set, and the hash of the credentials.
SET, SEAL = "litemaas_parameters", "litemaas_credentials"
_CREDENTIALS = (
    *("api_key", "secret", "secret_key", "access_key", "access_key_id", "password", "credentials"),
    *("ad_token", "session_token", "auth_token", "security_token"),
)
_SPACE = uuid.UUID("6f3d2c6e-5f0c-4b0e-9d51-52d7b6ad2c0b")


@dataclass(frozen=True)
class Model:
    """One declared model. ``parameters`` are LiteLLM's ``litellm_params``, None for one to clear."""

    name: str
    id: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    info: Mapping[str, Any] = field(default_factory=dict)
    present: bool = True
    given_id: bool = False

    @property
    def upstream(self) -> str:
        return str(self.parameters.get("model") or "")


def read(spec: Mapping[str, Any]) -> Model:
    """Read one entry of ``models``; the LiteLLM configuration's own form is understood too."""
    name = spec.get("name") or spec.get("model_name") or ""
    parameters = {**(spec.get("litellm_params") or {}), **(spec.get("parameters") or {})}
    credentials = dict(spec.get("credentials") or {})
    for key in ("model", "api_base"):
        if spec.get(key):
            parameters[key] = spec[key]
    for key in ("api_key", *(key for key in parameters if is_secret(key))):
        value = spec.get(key) or parameters.pop(key, None)
        if value:
            credentials.setdefault(key, str(value))
    info = {**(spec.get("model_info") or {}), **(spec.get("info") or {})}
    given = spec.get("id") or info.pop("id", "")
    info.pop("id", None)
    if spec.get("mode"):
        info["mode"] = spec["mode"]
    if parameters and not parameters.get("model"):
        parameters["model"] = f"openai/{name}"
    return Model(
        name=name,
        id=str(given or id_for(name)),
        parameters=parameters,
        credentials=credentials,
        info=info,
        present=spec.get("state", "present") != "absent",
        given_id=bool(given),
    )


def id_for(name: str, place: str = "") -> str:
    """The id of a model that is given none. *place*: tells several of one name apart."""
    return str(uuid.uuid5(_SPACE, f"{name} {place}" if place else name))


def is_secret(key: str) -> bool:
    """Whether a parameter of this name is a credential, which LiteLLM hides."""
    return key.endswith(_CREDENTIALS)


def change(model: Model, listed: Iterable[Mapping[str, Any]], key: str) -> Change:
    """What is to be done. *listed*: the answer to ``/model/info``. *key*: for the hash.

    Raises LitemaasError where it must not be done.
    """
    every = list(listed)
    found = next((item for item in every if id_of(item) == model.id), None)
    if not model.present:
        if found is None:
            return Change("model", model.name, "unchanged", model.id)
        return Change("model", model.name, "deleted", model.id, before=_shown(found), found=found)
    body = _body(model, key)
    if found is None:
        _refuse_a_second(model, every)
        after = {"model_name": model.name, **_visible(model, bool(model.credentials))}
        return Change("model", model.name, "created", model.id, body, after=after)
    if not (found.get("model_info") or {}).get("db_model", True):
        raise LitemaasError(
            f"its id {model.id} stands in the gateway's configuration file, "
            "which cannot be changed from here: choose another id."
        )
    return _difference(model, found, body)


def _difference(model: Model, found: Mapping[str, Any], body: dict[str, Any]) -> Change:
    live = found.get("litellm_params") or {}
    info = found.get("model_info") or {}
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    sent: dict[str, Any] = {}
    if found.get("model_name") != model.name:
        before["model_name"], after["model_name"] = found.get("model_name"), model.name
        sent["model_name"] = model.name
    gone = _gone(model, live, info)
    for name in gone:
        before[name], after[name] = live[name], None
    for name, value in model.parameters.items():
        if value is not None and not same(value, live.get(name)):
            before[name], after[name] = live.get(name), value
            sent.setdefault("litellm_params", {})[name] = value
    if (info.get(SEAL) or "") != body["model_info"][SEAL] and model.credentials:
        before["credentials"], after["credentials"] = HIDDEN, CHANGED
        sent.setdefault("litellm_params", {}).update(model.credentials)
    for name in _differing(body["model_info"], info, () if model.credentials else (SEAL,)):
        sent.setdefault("model_info", {})[name] = body["model_info"][name]
        if name not in (SET, SEAL):
            before[name], after[name] = info.get(name), body["model_info"][name]
    if "litellm_params" in sent:  # LiteLLM 1.81 asks for it in each change of parameters
        sent["litellm_params"].setdefault("model", model.upstream)
    if "model_info" in sent:
        sent["model_info"]["id"] = model.id
    if gone:
        # No request clears a parameter: the model is deleted and made again, with the same id.
        if info.get(SEAL) and not model.credentials:
            raise LitemaasError(
                f"it must be made anew to take {', '.join(gone)} away, and its credentials cannot "
                "be read back: give its api_key (or credentials) too."
            )
        return Change("model", model.name, "replaced", model.id, body, before, after, found)
    action: Action = "updated" if sent else "unchanged"
    return Change("model", model.name, action, model.id, sent, before, after, found)


def _differing(
    wanted: Mapping[str, Any], live: Mapping[str, Any], but: tuple[str, ...]
) -> list[str]:
    return [
        key for key in wanted if key not in ("id", *but) and not same(wanted[key], live.get(key))
    ]


def _gone(model: Model, live: Mapping[str, Any], info: Mapping[str, Any]) -> list[str]:
    """Parameters to take away: given as null, or set by an earlier run and no longer declared."""
    asked = {key for key, value in model.parameters.items() if value is None}
    asked |= {name for name in str(info.get(SET) or "").split(",") if name} - set(model.parameters)
    return sorted(name for name in asked if live.get(name) is not None)


def _body(model: Model, key: str) -> dict[str, Any]:
    parameters = {name: value for name, value in model.parameters.items() if value is not None}
    return {
        "model_name": model.name,
        "litellm_params": {**parameters, **model.credentials},
        "model_info": {
            **model.info,
            "id": model.id,
            SET: ",".join(sorted(parameters)),
            SEAL: seal(model, key),
        },
    }


def seal(model: Model, key: str) -> str:
    """A hash by which changed credentials are seen; keyed, because others can read it."""
    if not model.credentials:
        return ""
    text = json.dumps([model.id, dict(model.credentials)], sort_keys=True)
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]


def id_of(item: Mapping[str, Any]) -> str:
    return str((item.get("model_info") or {}).get("id") or "")


def _refuse_a_second(model: Model, every: list[Mapping[str, Any]]) -> None:
    others = [id_of(item) for item in every if item.get("model_name") == model.name]
    if others and not model.given_id:
        raise LitemaasError(
            f"the gateway has a model {model.name} already, made by others (id "
            f"{', '.join(others)}), and would share the requests between both. Give that id to "
            "take it over, another id to have both, or remove it."
        )


def _visible(model: Model, credentials: bool) -> dict[str, Any]:
    shown = {**model.parameters, **model.info}
    return {**shown, "credentials": HIDDEN} if credentials else shown


def _shown(found: Mapping[str, Any]) -> dict[str, Any]:
    live = found.get("litellm_params") or {}
    names = str((found.get("model_info") or {}).get(SET) or "model,api_base").split(",")
    shown = {name: live[name] for name in names if name in live and not is_secret(name)}
    return {"model_name": found.get("model_name"), **shown}
