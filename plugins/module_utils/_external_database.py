# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database that is there already, in place of the instance's own: where its URL is kept, and what it must be.

Internal to rhpds.litemaas: no stable interface for other collections.

The URL stands in a Secret of the site's and is read where it is needed; no message holds any part
of it. Each instance needs a database of its own: two gateways in one would share keys and spend,
and could not read each other's model credentials.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _database_url,
    _labels,
    _resources,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._database_url import ExternalUrl
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import (
    Problem,
    listed,
    variable,
)

if TYPE_CHECKING:
    from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client
    from ansible_collections.rhpds.litemaas.plugins.module_utils._settings import Settings

NAME = variable("database_secret")
DEFAULT_KEY = "DATABASE_URL"
_ENTRIES = ("name", "key", "namespace")
_INSTANCE, _NAMESPACE = "$(INSTANCE)", "$(NAMESPACE)"
_EXISTING = variable("use_existing_namespace")


class Reference(TypedDict):
    """The key of a Secret that holds the URL."""

    namespace: str
    name: str
    key: str


class Unusable(LitemaasError):
    """What is wrong with a reference, or with what is there; ``remedy`` says what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}. {remedy}")
        self.problem, self.remedy = problem, remedy


def wanted(settings: Settings) -> bool:
    """Whether instances have a database of the site's."""
    return bool(settings["database_secret"])


def reference(settings: Settings, instance: str, home: str) -> Reference | None:
    """Where the URL of *instance* in the namespace *home* is kept; None where it has its own database."""
    given = settings["database_secret"]
    if not given:
        return None

    def filled(text: Any) -> str:
        return str(text or "").replace(_INSTANCE, instance).replace(_NAMESPACE, home)

    return {
        "namespace": filled(given.get("namespace")) or home,
        "name": filled(given.get("name")),
        "key": filled(given.get("key")) or DEFAULT_KEY,
    }


def place(given: Mapping[str, str]) -> Reference:
    """A reference as the plan returned it."""
    return {"namespace": given["namespace"], "name": given["name"], "key": given["key"]}


def problems(settings: Settings, *, several: bool) -> Iterator[Problem]:
    """What is wrong with the setting by itself. *several*: whether there are several instances."""
    given = settings["database_secret"]
    if not given:
        return
    unknown = sorted(set(given) - set(_ENTRIES))
    if unknown:
        problem = f"has no entry {', '.join(map(str, unknown))}"
        yield Problem(NAME, problem, f"Use {', '.join(_ENTRIES)}.")
    if not isinstance(given.get("name"), str) or not given["name"].strip():
        yield Problem(NAME, "lacks the name of a Secret", "Give it as `name`.")
        return
    texts = [str(given.get(entry) or "") for entry in _ENTRIES]
    ours = {name for _version, kind, name in _labels.OBJECTS if kind == "Secret"}
    if given["name"] in ours and not given.get("namespace"):
        problem = f"names {given['name']}, which this collection writes itself"
        yield Problem(NAME, problem, "Put the URL into a Secret of another name.")
    if several and given.get("namespace") and not any(_varies(text) for text in texts):
        yield Problem(
            NAME,
            "names one Secret for all instances, each of which needs a database of its own",
            f"Write {_INSTANCE} where the Secrets or keys differ, as in "
            f"{{namespace: databases, name: litemaas-{_INSTANCE}}}; or leave out `namespace` and "
            "have a Secret of that name in each instance's namespace.",
        )
    if settings["deploy_pgbouncer"]:
        yield Problem(
            variable("deploy_pgbouncer"),
            f"is true, and {NAME} names a database that is not the instance's own",
            "Set it to false. A database with a pooler of its own is reached through that by its URL.",
        )


def warnings(settings: Settings) -> Iterator[str]:
    """What is set and has no meaning with a database of the site's."""
    password = variable("postgres", "password")
    if wanted(settings) and settings["credentials"].get(password):
        yield f"{password} is not used: {NAME} says how the gateway logs in."


def look(client: Client, homes: Mapping[str, Reference]) -> list[Problem]:
    """Read what the references, by the instances' namespaces, lead to, and say what is wrong.

    One problem for all instances that share it. Raises LitemaasError when the API fails.
    """
    answers = client.each(lambda item: fetch(client, item[1], item[0]), homes.items())
    found: dict[tuple[str, str], list[str]] = {}
    users: dict[tuple[str, ...], list[str]] = {}
    for (home, place), answer in zip(homes.items(), answers, strict=True):
        if isinstance(answer, Unusable):
            found.setdefault((answer.problem, answer.remedy), []).append(_words(place))
        elif isinstance(answer, LitemaasError):
            raise answer
        else:
            users.setdefault(answer.target, []).append(home)
    for shared in users.values():
        if len(shared) > 1:
            problem = "leads several instances to one database"
            remedy = "Give each a database, or a schema, of its own."
            found[problem, remedy] = [*found.get((problem, remedy), []), *shared]
    return [
        Problem(NAME, f"{problem} ({listed(names)})", remedy)
        for (problem, remedy), names in found.items()
    ]


def fetch(client: Client, place: Reference, home: str) -> ExternalUrl:
    """The URL of the instance in *home*. Raises Unusable, or LitemaasError when the API fails."""
    homes = _resources.collection_path("v1", "Secret", place["namespace"])
    try:
        secret = client.find(f"{homes}/{place['name']}")
    except ApiError as error:
        if error.status != 403:
            raise
        remedy = "Allow this user to get it."
        raise Unusable("names a Secret that may not be read", remedy) from error
    if secret is None:
        remedy = "Create it."
        if place["namespace"] == home:
            remedy += (
                " Where its namespace is still to be made, make it with the Secret in it and set "
                f"{_EXISTING} to true; or keep the Secret elsewhere and name its `namespace`."
            )
        raise Unusable("names a Secret that does not exist", remedy)
    encoded = (secret.get("data") or {}).get(place["key"])
    if not encoded:
        raise Unusable(f"names a Secret without the key {place['key']}", "Name its key as `key`.")
    try:
        url = _database_url.external(base64.b64decode(encoded).decode())
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        is_text = not isinstance(error, (binascii.Error, UnicodeDecodeError))
        fault = str(error) if is_text else "it is no text"
        remedy = "Write it as postgresql://user:password@host:5432/database, what is in between percent-encoded."
        raise Unusable(f"leads to a value that is no usable URL: {fault}", remedy) from None
    if url.host in _own_names(home):
        remedy = f"Leave {NAME} empty to keep that database, or name another one's host."
        raise Unusable("leads back to the PostgreSQL of the instance, which it replaces", remedy)
    return url


def replaced(client: Client, deployment: str, namespaces: Iterable[str]) -> list[str]:
    """Of *namespaces* those in which the instance still has a PostgreSQL of its own.

    One request, or where the cluster may not be listed one for each. Raises LitemaasError.
    """
    homes = list(namespaces)
    selector = _labels.selector(_labels.deployment_labels(deployment))

    def listed_in(home: str | None) -> list[dict[str, Any]]:
        path = _resources.collection_path("apps/v1", "StatefulSet", home)
        return client.list(path, label_selector=selector, metadata=True)

    try:
        found = listed_in(None)
    except ApiError as error:
        if error.status != 403:
            raise
        found = []
        for answer in client.each(listed_in, homes):
            if isinstance(answer, LitemaasError):
                raise answer from error
            found += answer
    there = {o["metadata"]["namespace"] for o in found if o["metadata"]["name"] == "postgres"}
    return [home for home in homes if home in there]


def replacing(homes: list[str]) -> str:
    """What is said before that happens."""
    return (
        f"{NAME} takes the place of the PostgreSQL in {listed(homes)}. What is in there is not moved: "
        "the gateway starts with what the other database holds. The volume data-postgres-0 and the "
        "Secret postgres-secret stay, so that it can be dumped from a later run without "
        f"{NAME}; the rest of it goes once the gateway answers."
    )


def _own_names(home: str) -> tuple[str, ...]:
    inside = f"postgres.{home}"
    return "postgres", inside, f"{inside}.svc", f"{inside}.svc.cluster.local"


def _varies(text: str) -> bool:
    return _INSTANCE in text or _NAMESPACE in text


def _words(place: Reference) -> str:
    return f"Secret {place['namespace']}/{place['name']}"
