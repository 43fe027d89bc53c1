# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateway's configuration file: what no environment variable carries, and what a site adds.

Internal to rhpds.litemaas: no stable interface for other collections.

A site's settings are handed on as they are, known here or not. Refused is what would contradict
the rest of the deployment, and a secret, since the file is a ConfigMap and its source a variable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _database_connections,
    _settings,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import (
    Problem,
    variable,
    wrong,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._settings import Settings

NAME = variable("litellm", "config")
_SECTIONS = ("general_settings", "litellm_settings", "router_settings", "environment_variables")
_SECRET = re.compile(r"(^|_)(key|api_key|password|secret|token|credentials)$")
_REFERENCE = "os.environ/"

# Who sets it: where the file must not.
_MANAGED = {
    "general_settings.master_key": f"Use {variable('litellm', 'master_key')}.",
    "general_settings.database_url": "Leave it out: it comes from the instance's Secret.",
    "general_settings.database_connection_pool_limit": (
        f"Use {variable('litellm', 'database_connections')}."
    ),
    "general_settings.disable_prisma_schema_update": (
        f"Leave it out: it follows from {variable('litellm', 'replicas')}."
    ),
    "general_settings.store_model_in_db": "Leave it out: it is always true.",
}
_OF_REDIS = {
    "litellm_settings.cache": (True,),
    "litellm_settings.cache_params.type": ("redis",),
    "litellm_settings.cache_params.host": (),
    "litellm_settings.cache_params.port": (),
    "litellm_settings.cache_params.url": (),
    "router_settings.redis_host": (),
    "router_settings.redis_url": (),
    "general_settings.coordination_redis": (),
}

# They would travel in the startup message, which PgBouncer answers for many connections alike.
_OF_PGBOUNCER = (
    "general_settings.database_statement_timeout",
    "general_settings.database_lock_timeout",
    "general_settings.database_idle_in_transaction_session_timeout",
)


def config(settings: Settings) -> dict[str, Any]:
    """The content of config.yaml; empty where none is needed.

    Redis is named as the cache because LiteLLM before 1.106 shares nothing otherwise, and later
    ones give it up for good where it does not answer within two seconds of their start. No kind of
    call is cached unless the site says so: equal questions get their own answers, as without Redis.
    Its address and password come from the environment.
    """
    found: dict[str, Any] = {}
    pool = settings["litellm"]["database_connections"]
    if pool != _database_connections.DEFAULT_POOL:
        found["general_settings"] = {"database_connection_pool_limit": pool}
    if "redis" in _settings.parts(settings):
        found["litellm_settings"] = {
            "cache": True,
            "cache_params": {"type": "redis", "supported_call_types": []},
        }
    return merged(found, _given(settings))


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """*base* with what *over* says: mappings are merged, anything else is replaced. Pure."""
    result = dict(base)
    for key, value in over.items():
        before = result.get(key)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        result[key] = merged(before, value) if both else value  # type: ignore[arg-type]
    return result


def problems(settings: Settings) -> Iterator[Problem]:
    """What the site's settings must not say."""
    given = settings["litellm"]["config"]
    if not isinstance(given or {}, Mapping):
        yield Problem(NAME, "must be a mapping, as config.yaml of LiteLLM is", "Write it as YAML.")
        return
    for section in _SECTIONS:
        if not isinstance(_given(settings).get(section) or {}, Mapping):
            yield Problem(NAME, f"has {section}, which must be a mapping", "Write it as YAML.")
            return
    values = dict(_values(_given(settings)))
    for path, remedy in _MANAGED.items():
        if path in values:
            yield Problem(NAME, f"must not set {path}", remedy)
    yield from _contradictions(settings, values)
    for path, value in values.items():
        if _is_secret(path, value):
            remedy = (
                "Put it into a Secret in the instance's namespace, name that in "
                f"{variable('litellm', 'env_secrets')}, and write {_REFERENCE}KEY here."
            )
            yield Problem(NAME, f"holds a secret in {path}, which everybody could read", remedy)


def _contradictions(settings: Settings, values: Mapping[str, Any]) -> Iterator[Problem]:
    """What does not go together with the parts that the instance has."""
    if "redis" in _settings.parts(settings):
        for path, allowed in _OF_REDIS.items():
            if path in values and values[path] not in allowed:
                remedy = f"Leave it out, or set {variable('deploy_redis')} to false."
                yield wrong(
                    NAME, values[path], f"contradicts the Redis there is with {path}", remedy
                )
    if "pgbouncer" in _settings.parts(settings):
        for path in _OF_PGBOUNCER:
            if path in values:
                remedy = f"Leave it out, or set {variable('deploy_pgbouncer')} to false."
                yield Problem(NAME, f"has {path}, which PgBouncer would not hand on", remedy)


def _given(settings: Settings) -> Mapping[str, Any]:
    found = settings["litellm"]["config"]
    return found if isinstance(found, Mapping) else {}


def _is_secret(path: str, value: Any) -> bool:
    last = path.rpartition(".")[2].lower()
    return (
        isinstance(value, str)
        and bool(value)
        and bool(_SECRET.search(last))
        and not value.startswith(_REFERENCE)
    )


def _values(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its path, mappings and lists themselves included."""
    if path:
        yield path, content
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield from _values(value, f"{path}.{key}" if path else str(key))
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from _values(value, f"{path}[{number}]")
