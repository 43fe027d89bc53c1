# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of an instance's credentials: given, stored, derived from what is left, or made.

Internal to rhpds.litemaas: no stable interface for other collections.

Credentials are born once. Two of them cannot simply be made anew: the master key, because others
hold it, and the salt, because LiteLLM encrypts the model credentials in its database with it. Where
no salt is set, LiteLLM encrypts with the master key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from ansible_collections.rhpds.litemaas.plugins.module_utils import _database_url, _password
from ansible_collections.rhpds.litemaas.plugins.module_utils._database_url import (
    DatabaseUrl,
    ExternalUrl,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import variable
from ansible_collections.rhpds.litemaas.plugins.module_utils._secret import (
    BACKEND,
    LITELLM,
    POSTGRES,
    REDIS,
    Stored,
)

DEFAULT_UI_USERNAME = "admin"
# The options, and the role's variables behind them.
_MASTER_KEY = f"master_key (in the role {variable('litellm', 'master_key')})"
_SALT_KEY = f"salt_key (in the role {variable('litellm', 'salt_key')})"

# The backend's own role and database in the instance's PostgreSQL.
BACKEND_ROLE, BACKEND_DATABASE = "litemaas", "litemaas_db"
# Without it, node-postgres insists on TLS in production, which the instance's database does not speak.
_PLAIN = "?sslmode=disable"
_BACKENDS_OWN: dict[str, _password.Kind] = {
    "DATABASE_PASSWORD": "password",
    "JWT_SECRET": "key",
    "ADMIN_API_KEYS": "key",
}
_BACKENDS_LOGIN = {
    "OAUTH_CLIENT_ID": "client_id",
    "OAUTH_ISSUER": "issuer",
    "OAUTH_CALLBACK_URL": "callback_url",
    "CORS_ORIGIN": "origin",
}
BACKEND_KEYS = (*_BACKENDS_OWN, "DATABASE_URL", "LITELLM_DATABASE_URL", *_BACKENDS_LOGIN)

Generate = Callable[[_password.Kind], str]
Existing = Mapping[str, Stored]  # by name of the Secret, absent where there is none


@dataclass(frozen=True)
class Wanted:
    """What the user gives; an empty text: keep what is stored, else generate."""

    database_user: str = "litellm"
    database_name: str = "litellm"
    database_password: str = field(default="", repr=False)
    ui_username: str = ""
    ui_password: str = field(default="", repr=False)
    master_key: str = field(default="", repr=False)
    salt_key: str = field(default="", repr=False)


@dataclass
class Values:
    """Some of the values by key, which of them are new and random, and what is to be said."""

    found: dict[str, str] = field(default_factory=dict, repr=False)
    generated: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def put(self, key: str, value: str, make: Callable[[], str]) -> None:
        """Keep a value, or make one where there is none."""
        if not value:
            self.generated.add(key)
        self.found[key] = value or make()


def database(existing: Existing, wanted: Wanted, generate: Generate, volume: bool | None) -> Values:
    """POSTGRES_PASSWORD and DATABASE_URL."""
    values = Values()
    other = other_database(existing, wanted)
    if other and volume is not False:
        values.problems.append(
            f"the database is {other.database!r} and belongs to {other.user!r}, but "
            f"{wanted.database_name!r} and {wanted.database_user!r} are asked for: PostgreSQL "
            "makes them once, at its first start. Keep the former names, or remove the instance "
            "with its data first."
        )
    if _database_url.leads_elsewhere(_value(existing, LITELLM, "DATABASE_URL")):
        values.warnings.append(
            "the gateway had a database of the site's until now and gets one of its own again. What is in the "
            "former is not moved, and stays there."
        )
    # PostgreSQL sets its password anew at every start, so any would do: but what is left of the
    # one in use is taken, so that pods that still run keep working.
    left = [_value(existing, POSTGRES, "POSTGRES_PASSWORD")]
    left += [url.password for url in _urls(existing)]
    password = wanted.database_password or next(filter(None, left), "")
    values.put("POSTGRES_PASSWORD", password, lambda: generate("password"))
    password = values.found["POSTGRES_PASSWORD"]
    url = DatabaseUrl(wanted.database_user, password, wanted.database_name)
    values.found["DATABASE_URL"] = str(url)
    return values


def external(url: ExternalUrl, ca_file: str) -> Values:
    """DATABASE_URL as the site has it, and what psql needs to know of it."""
    return Values({"DATABASE_URL": url.text, **url.libpq(ca_file)})


def keys(
    existing: Existing,
    wanted: Wanted,
    generate: Generate,
    volume: bool | None,
    *,
    outside: bool = False,
) -> Values:
    """LITELLM_MASTER_KEY and LITELLM_SALT_KEY. *outside*: whether the database is one of the site's."""
    values = Values(problems=list(_changed_keys(existing, wanted)))
    master = _value(existing, LITELLM, "LITELLM_MASTER_KEY") or wanted.master_key
    salt = salt_in_use(existing) or wanted.salt_key
    if not salt and volume is not False:
        if LITELLM in existing:
            values.problems.append(
                f"{LITELLM} has lost its LITELLM_SALT_KEY, with which the model credentials in the "
                f"database are encrypted. Put it back; or give it as {_SALT_KEY} (for an instance that "
                "never had one: its former master key); or remove the instance with its data."
            )
        elif outside:
            values.warnings.append(
                f"{LITELLM} is made, with a new salt. Should the database have served an instance before, "
                "model credentials in it cannot be decrypted with that: enter them again; or delete "
                f"{LITELLM} and run again with the former {_MASTER_KEY} and {_SALT_KEY}."
            )
        else:
            values.warnings.append(
                f"{LITELLM} was missing while the database's volume "
                f"{'is' if volume else 'may be'} there: it gets a new master key and a new salt, "
                "with which model credentials stored before cannot be decrypted. Enter them again; "
                f"or delete {LITELLM} and run again with the former {_MASTER_KEY} and {_SALT_KEY} (for "
                "an instance that never had a salt: its former master key)."
            )
    if not master and LITELLM in existing:
        values.warnings.append(
            f"LITELLM_MASTER_KEY was missing in {LITELLM}: a new one was made, and the old one is "
            "no longer accepted."
        )
    if not values.problems:
        values.put("LITELLM_MASTER_KEY", master, lambda: generate("key"))
        values.put("LITELLM_SALT_KEY", salt, lambda: generate("key"))
    return values


def login(existing: Existing, wanted: Wanted, generate: Generate) -> Values:
    """UI_USERNAME and UI_PASSWORD, of the web UI's administrator."""
    values = Values()
    username = wanted.ui_username or _value(existing, LITELLM, "UI_USERNAME")
    password = wanted.ui_password or _value(existing, LITELLM, "UI_PASSWORD")
    values.found["UI_USERNAME"] = username or DEFAULT_UI_USERNAME
    values.put("UI_PASSWORD", password, lambda: generate("password"))
    return values


def cache(existing: Existing, generate: Generate) -> Values:
    """REDIS_PASSWORD, always generated: nobody but the gateway needs it."""
    values = Values()
    stored = _value(existing, REDIS, "REDIS_PASSWORD")
    values.put("REDIS_PASSWORD", stored, lambda: generate("password"))
    return values


def pooler(wanted: Wanted, password: str) -> Values:
    """What PgBouncer knows its one user by, and the URL that leads to it. Both follow from *password*.

    As PgBouncer reads it: in quotes, and a quote twice.
    """
    quoted = " ".join(
        '"' + text.replace('"', '""') + '"' for text in (wanted.database_user, password)
    )
    url = DatabaseUrl(wanted.database_user, password, wanted.database_name)
    return Values({"userlist.txt": f"{quoted}\n", "POOLED_DATABASE_URL": url.pooled()})


def backend(
    existing: Existing, wanted: Wanted, login: Mapping[str, str], generate: Generate
) -> Values:
    """All of the LiteMaaS backend's Secret, whose keys are its environment variables.

    What nobody else holds is always generated. *login*: ``client_id``, ``issuer``, ``callback_url`` and
    ``origin`` of the plan, which follow the address and are no secrets.
    """
    values = Values()
    for key, kind in _BACKENDS_OWN.items():
        values.put(key, _value(existing, BACKEND, key), partial(generate, kind))
    password = values.found["DATABASE_PASSWORD"]
    for key, database in (
        ("DATABASE_URL", BACKEND_DATABASE),
        ("LITELLM_DATABASE_URL", wanted.database_name),
    ):
        values.found[key] = f"{DatabaseUrl(BACKEND_ROLE, password, database)}{_PLAIN}"
    if "DATABASE_PASSWORD" in values.generated:
        values.generated |= {"DATABASE_URL", "LITELLM_DATABASE_URL"}
    values.found |= {key: login.get(name, "") for key, name in _BACKENDS_LOGIN.items()}
    return values


def salt_in_use(existing: Existing) -> str:
    """What LiteLLM encrypts with; "" when there is nothing yet, or when it was lost."""
    salt = _value(existing, LITELLM, "LITELLM_SALT_KEY")
    if not salt and LITELLM in existing and not existing[LITELLM].salted:
        salt = _value(existing, LITELLM, "LITELLM_MASTER_KEY")
    return salt


def other_database(existing: Existing, wanted: Wanted) -> DatabaseUrl | None:
    """What all copies of DATABASE_URL say, when that is another role or database than wanted.

    Copies that differ from each other were edited by hand: that is drift, and it is repaired.
    """
    urls = _urls(existing)
    if len({(url.user, url.database) for url in urls}) != 1:
        return None
    same = (urls[0].user, urls[0].database) == (wanted.database_user, wanted.database_name)
    return None if same else urls[0]


def _changed_keys(existing: Existing, wanted: Wanted) -> Iterator[str]:
    master = _value(existing, LITELLM, "LITELLM_MASTER_KEY")
    if master and wanted.master_key not in ("", master):
        yield (
            f"{_MASTER_KEY} differs from the one in {LITELLM}, and whoever holds that would be locked "
            "out. Leave it empty to keep it; only a rotation changes it."
        )
    salt = salt_in_use(existing)
    if salt and wanted.salt_key not in ("", salt):
        yield (
            f"{_SALT_KEY} differs from the one in use (in {LITELLM}; its master key where it has "
            "none), and the model credentials in the database could not be decrypted any more. "
            "Leave it empty to keep the one in use; it never changes."
        )


def _urls(existing: Existing) -> list[DatabaseUrl]:
    """The readable copies of DATABASE_URL, the database's own first; not those of a site's database."""
    texts = (_value(existing, name, "DATABASE_URL") for name in (POSTGRES, LITELLM))
    own = (text for text in texts if not _database_url.leads_elsewhere(text))
    return [url for url in map(_database_url.parse, own) if url]


def _value(existing: Existing, name: str, key: str) -> str:
    return existing[name].value(key) if name in existing else ""
