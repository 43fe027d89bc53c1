# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options for models, teams, users and keys, and reading them.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.rhpds.litemaas.plugins.module_utils import _content_model
from ansible_collections.rhpds.litemaas.plugins.module_utils._content_model import Model
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_keys import Declared
from ansible_collections.rhpds.litemaas.plugins.module_utils._key_store import NAME

Options = dict[str, dict[str, Any]]
_TEXT: dict[str, Any] = {"type": "str"}
_STATE: Options = {"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}
_LIMITS: Options = {
    "max_budget": {"type": "float"},
    "budget_duration": _TEXT,
    "tpm_limit": {"type": "int"},
    "rpm_limit": {"type": "int"},
}
_MODELS: Options = {"models": {"type": "list", "elements": "str"}}
_METADATA: Options = {"metadata": {"type": "dict"}}

MODEL: Options = {
    "name": {"type": "str", "aliases": ["model_name"], "required": True},
    "model": _TEXT,
    "api_base": _TEXT,
    "api_key": {"type": "str", "no_log": True},
    "api_key_secret": {
        "type": "dict",
        "no_log": False,
        "options": {
            "name": {"type": "str", "required": True},
            "key": {"type": "str", "required": True, "no_log": False},
            "namespace": _TEXT,
        },
    },
    "credentials": {"type": "dict", "no_log": True},
    "parameters": {"type": "dict"},
    "litellm_params": {"type": "dict", "no_log": True},
    "mode": _TEXT,
    "info": {"type": "dict", "aliases": ["model_info"]},
    "id": _TEXT,
    **_STATE,
}
TEAM: Options = {
    "team_alias": {"type": "str", "aliases": ["alias"]},
    "team_id": {"type": "str", "aliases": ["id"]},
    **_MODELS,
    **_LIMITS,
    **_METADATA,
    "members": {
        "type": "list",
        "elements": "dict",
        "options": {
            "user_id": {"type": "str", "aliases": ["id"], "required": True},
            "role": {"type": "str", "choices": ["user", "admin"], "default": "user"},
        },
    },
    "blocked": {"type": "bool"},
    **_STATE,
}
USER: Options = {
    "user_id": {"type": "str", "aliases": ["id"], "required": True},
    "user_alias": {"type": "str", "aliases": ["alias"]},
    "user_email": {"type": "str", "aliases": ["email"]},
    "user_role": {
        "type": "str",
        "aliases": ["role"],
        "choices": [
            "proxy_admin",
            "proxy_admin_viewer",
            "internal_user",
            "internal_user_viewer",
        ],
    },
    "login": {"type": "bool", "default": False},
    "login_password": {"type": "str", "no_log": True},
    **_MODELS,
    **_LIMITS,
    **_METADATA,
    **_STATE,
}
KEY: Options = {
    "key_alias": {"type": "str", "aliases": ["alias"], "required": True, "no_log": False},
    **_MODELS,
    "team_id": {"type": "str", "aliases": ["team"]},
    "user_id": {"type": "str", "aliases": ["user"]},
    **_LIMITS,
    "max_parallel_requests": {"type": "int"},
    "duration": _TEXT,
    **_METADATA,
    "aliases": {"type": "dict"},
    "blocked": {"type": "bool"},
    "value": {"type": "str", "no_log": True},
    "rotate": {"type": "bool", "default": False},
    "verify": {"type": "bool", "default": False},
    "verify_model": _TEXT,
    "repair_access": {"type": "bool", "default": True},
    **_STATE,
}
CONTENT: Options = {
    name: {"type": "list", "elements": "dict", "default": [], "options": options, "no_log": False}
    for name, options in {
        "models": MODEL,
        "teams": TEAM,
        "users": USER,
        "virtual_keys": KEY,
    }.items()
}
SURPLUS: Options = {
    "surplus_metadata": {"type": "dict", "default": {}},
    "remove_surplus": {"type": "bool", "default": False},
}
KEY_STORE: Options = {
    "key_secret": {"type": "str", "default": NAME, "no_log": False},
    "key_secret_namespace": {"type": "str", "no_log": False},
    "return_values": {"type": "bool", "default": False},
}
# What comes out of an existing Secret: (name, key, namespace or "") → the value.
Secret = Callable[[Mapping[str, Any]], str]


def declared(params: Mapping[str, Any], secret: Secret) -> Declared:
    """Read the options of a module. *secret* raises LitemaasError where there is no such value."""
    return Declared(
        models=tuple(_model(spec, secret) for spec in params.get("models") or ()),
        teams=tuple(params.get("teams") or ()),
        users=tuple(params.get("users") or ()),
        keys=tuple(params.get("virtual_keys") or ()),
    )


def _model(spec: Mapping[str, Any], secret: Secret) -> Model:
    source = spec.get("api_key_secret")
    if source and spec.get("state", "present") != "absent" and not spec.get("api_key"):
        spec = {**spec, "api_key": secret(source)}
    return _content_model.read(spec)


def problems(content: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with what is declared, each in a sentence; no secret in any."""
    return [sentence for _kind, sentence in _judged(content)]


def faults(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """As ``problems``, of lists as users write them, types included: (list, sentence)."""
    found: list[tuple[str, str]] = []
    valid: dict[str, Any] = {}
    for kind, options in CONTENT.items():
        checked = ArgumentSpecValidator({kind: options}).validate({kind: content.get(kind) or []})
        found += [(kind, f"{text}: correct the entry.") for text in checked.error_messages]
        if not checked.error_messages:
            valid |= checked.validated_parameters
    return [*found, *_judged(valid)]


def _judged(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for kind, sentences in {
        "models": _models(content.get("models") or ()),
        "teams": _teams(content),
        "users": _users(content.get("users") or ()),
        "virtual_keys": _keys(content),
    }.items():
        for sentence in sentences:
            yield kind, sentence


def _models(specs: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    entries = [(spec, _content_model.read(spec)) for spec in specs]
    for spec, model in entries:
        if not model.name:
            yield "a model has no name: give the name that clients ask for."
        elif model.present and not model.parameters:
            yield (
                f"model {model.name} says nothing of where it is: give model (and api_base), such "
                "as openai/granite and https://granite.example.com/v1."
            )
        if spec.get("api_key") and spec.get("api_key_secret"):
            yield f"model {model.name} has both api_key and api_key_secret: give one."
    for id, count in Counter(model.id for _spec, model in entries).items():
        if count > 1:
            named = {model.id: model.name for _spec, model in entries}
            yield f"model {named[id]} stands there {count} times: give each an id of its own."


def _teams(params: Mapping[str, Any]) -> Iterator[str]:
    specs = params.get("teams") or ()
    named = [spec.get("team_id") or spec.get("team_alias") for spec in specs]
    if not all(named):
        yield "a team has neither team_alias nor team_id: give one."
    yield from _twice("team", named)
    gone = {spec["user_id"] for spec in params.get("users") or () if spec.get("state") == "absent"}
    for spec, name in zip(specs, named, strict=True):
        members = [each["user_id"] for each in spec.get("members") or ()]
        yield from _twice(f"team {name}: member", members)
        for lost in sorted(gone.intersection(members)):
            yield f"team {name} has the member {lost}, who is to be absent."


def _users(specs: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield from _twice("user", [spec.get("user_id") for spec in specs])
    for spec in specs:
        enters = spec.get("state") != "absent" and (spec.get("login") or spec.get("login_password"))
        if enters and not spec.get("user_email"):
            yield (
                f"user {spec.get('user_id')} is to enter the web UI and has no user_email: give "
                "the name to enter with, which LiteLLM takes from there."
            )


def _keys(params: Mapping[str, Any]) -> Iterator[str]:
    keys = params.get("virtual_keys") or ()
    yield from _twice("key", [spec.get("key_alias") for spec in keys])
    gone = {
        name
        for spec in params.get("teams") or ()
        if spec.get("state") == "absent"
        for name in (spec.get("team_id"), spec.get("team_alias"))
        if name
    }
    for spec in keys:
        alias, value = spec.get("key_alias"), spec.get("value") or ""
        if value and not value.startswith("sk-"):
            yield f"the value of key {alias} must begin with sk-: LiteLLM accepts no other."
        if spec.get("state") != "absent" and spec.get("team_id") in gone:
            yield f"key {alias} is in the team {spec['team_id']}, which is to be absent."


def _twice(kind: str, names: Iterable[Any]) -> Iterator[str]:
    for name, count in Counter(name for name in names if name).items():
        if count > 1:
            yield f"{kind} {name} stands there {count} times: once is enough."
