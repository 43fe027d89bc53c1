# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done to the Secrets of an instance, decided without touching a cluster.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _credential_values,
    _password,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._credential_values import (
    Existing,
    Generate,
    Wanted,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._database_url import ExternalUrl
from ansible_collections.rhpds.litemaas.plugins.module_utils._secret import (
    BACKEND,
    DATABASE,
    LITELLM,
    NAMES,
    PGBOUNCER,
    POSTGRES,
    REDIS,
    Stored,
)

Action = Literal["created", "configured", "unchanged"]
KEYS = {
    LITELLM: (
        "LITELLM_MASTER_KEY",
        "LITELLM_SALT_KEY",
        "UI_USERNAME",
        "UI_PASSWORD",
        "DATABASE_URL",
    ),
    POSTGRES: ("POSTGRES_PASSWORD", "DATABASE_URL"),
    REDIS: ("REDIS_PASSWORD",),
    PGBOUNCER: ("userlist.txt", "POOLED_DATABASE_URL"),
    DATABASE: (
        *("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSSLMODE", "PGSSLROOTCERT"),
    ),
    BACKEND: _credential_values.BACKEND_KEYS,
}
# What is made of the database's password.
_OF_PASSWORD = frozenset(("DATABASE_URL", *KEYS[PGBOUNCER]))
# Of a Secret, the key that the database uses too, which is not to restart with the others.
DATABASE_KEYS = {BACKEND: "DATABASE_PASSWORD"}


@dataclass(frozen=True)
class Change:
    """What happens to one Secret."""

    name: str
    action: Action
    data: Mapping[str, str] = field(repr=False)  # all keys of ours
    generated: tuple[str, ...]  # keys with a new random value
    updated: tuple[str, ...]  # other keys of an existing Secret that are new or change
    version: str  # of the Secret this was decided for, "" when there was none
    hash: str  # of everything in it, keys that are not ours included
    predictable: bool  # whether deciding again would give the same hash
    database_hash: str = ""  # of its key of DATABASE_KEYS alone


@dataclass(frozen=True)
class SecretPlan:
    """The changes in the order they are to be made, or the problems that forbid them."""

    changes: tuple[Change, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def decide(
    existing: Existing,
    wanted: Wanted,
    generate: Generate = _password.generate,
    *,
    volume: bool | None = None,
    names: Iterable[str] = NAMES,
    external: ExternalUrl | None = None,
    ca_file: str = "",
    login: Mapping[str, str] | None = None,
) -> SecretPlan:
    """Decide what the Secrets *names* must hold.

    ``volume``: whether the database has a volume already, None when that is not known. It matters
    only where ``needs_volume`` says so. ``external``: the site's database, where it is not the
    instance's own, and ``ca_file`` whom its clients trust. ``login``: of the LiteMaaS backend, as
    the plan has it.
    """
    if external:
        database = _credential_values.external(external, ca_file)
    else:
        database = _credential_values.database(existing, wanted, generate, volume)
    password = database.found.get("POSTGRES_PASSWORD", "")
    parts = (
        database,
        _credential_values.keys(existing, wanted, generate, volume, outside=bool(external)),
        _credential_values.login(existing, wanted, generate),
        *([_credential_values.cache(existing, generate)] if REDIS in names else []),
        *([_credential_values.pooler(wanted, password)] if PGBOUNCER in names else []),
    )
    problems = tuple(text for part in parts for text in part.problems)
    if problems:
        return SecretPlan(problems=problems)
    values: dict[str, str] = {}
    generated: set[str] = set()
    for part in parts:
        values |= part.found
        generated |= part.generated
    salt, new_salt = values["LITELLM_SALT_KEY"], "LITELLM_SALT_KEY" in generated
    # The backend's keys have the names of others', and other values.
    backend = _credential_values.Values()
    if BACKEND in names:
        backend = _credential_values.backend(existing, wanted, login or {}, generate)
    theirs = {BACKEND: (backend.found, backend.generated)}
    return SecretPlan(
        changes=tuple(
            _change(
                name,
                existing.get(name),
                *theirs.get(name, (values, generated)),
                salt,
                new_salt=new_salt,
            )
            for name in names
        ),
        warnings=tuple(text for part in parts for text in part.warnings),
    )


def needs_volume(existing: Existing, wanted: Wanted) -> bool:
    """Whether ``decide`` has to know if the database has a volume."""
    salt = wanted.salt_key or _credential_values.salt_in_use(existing)
    return not salt or bool(_credential_values.other_database(existing, wanted))


def _change(
    name: str,
    stored: Stored | None,
    values: Mapping[str, str],
    generated: set[str],
    salt: str,
    *,
    new_salt: bool,
) -> Change:
    data = {key: values[key] for key in KEYS[name]}
    before = stored.data if stored else {}
    changed = {key for key, value in data.items() if before.get(key) != value}
    action: Action = "unchanged"
    if stored is None:
        action = "created"
    elif changed or not stored.complete:
        action = "configured"
    part = DATABASE_KEYS.get(name)
    random = generated | (_OF_PASSWORD if "POSTGRES_PASSWORD" in generated else set())
    return Change(
        name=name,
        action=action,
        data=data,
        generated=tuple(key for key in data if key in generated),
        updated=tuple(key for key in data if key in changed - generated) if stored else (),
        version=stored.version if stored else "",
        hash=_hash({**before, **data}, salt),
        # The hash is keyed with the salt, whichever Secret it is of.
        predictable=random.isdisjoint(data) and not new_salt,
        database_hash=_hash({part: data[part]}, salt) if part else "",
    )


def _hash(data: Mapping[str, str], salt: str) -> str:
    """Tell when a Secret changes without giving away weak passwords in it: hence the salt."""
    text = json.dumps(data, sort_keys=True).encode()
    return hmac.new(salt.encode(), text, hashlib.sha256).hexdigest()
