# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that a site names and makes itself: whether they are where an instance looks for them.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _exposure,
    _image,
    _pull_config,
    _secret,
    _settings,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import (
    Problem,
    listed,
    variable,
    wrong,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._settings import Settings

if TYPE_CHECKING:
    from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

PULL, CONTENT = variable("image_pull_secret"), variable("image_pull_secret", "content")
_TLS = ("kubernetes.io/tls",)
_DOCKER = ("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg")


def problems(settings: Settings) -> Iterator[Problem]:
    """What is wrong with the pull secret, by itself."""
    given = settings["credentials"].get(CONTENT)
    if not given:
        return
    if settings["image_pull_secret"]:
        remedy = f"Use {PULL} for a Secret that is there, and {CONTENT} for one to be made."
        yield Problem(PULL, f"is given beside {CONTENT}", remedy)
    try:
        _pull_config.content(given)
    except ValueError as error:
        yield Problem(CONTENT, *str(error).split("|", 1))


def warnings(settings: Settings) -> Iterator[str]:
    """A pull secret with logins to none of the registries that images come from."""
    given = settings["credentials"].get(CONTENT)
    if not given:
        return
    registries = set()
    for part in _settings.parts(settings):
        try:
            image = _image.resolve(*_settings.image(settings, part), settings["image_registry"])
            registries.add(image.registry)
            lacking = _pull_config.lacking(given, registries)
        except ValueError:
            return  # refused for it
    if lacking and len(lacking) == len(registries):
        yield f"{CONTENT} has no login to {listed(lacking)}, from where all images come."


def absent(
    client: Client, settings: Settings, homes: Iterable[str], new: Iterable[str]
) -> Iterator[Problem]:
    """Named Secrets that are not there. *homes*: the namespaces; *new*: those not there yet.

    One request a namespace for each Secret that is named, so none where none is.
    """
    wanted = (
        (_exposure.SECRET, settings["route"]["tls_secret"], _TLS, _exposure.CERTIFICATE),
        (PULL, settings["image_pull_secret"], _DOCKER, CONTENT),
    )
    fresh = set(new)
    there = [home for home in homes if home not in fresh]
    for name, secret, types, instead in wanted:
        if not secret or _made_by_the_site(settings, secret):
            continue
        if fresh:
            remedy = (
                f"Create it first in a namespace of your own, or use {instead} to have it made."
            )
            problem = (
                f"names a Secret that cannot be there: {listed(sorted(fresh))} is yet to be made"
            )
            yield wrong(name, secret, problem, remedy)
        missing, others = _look(client, secret, there, types)
        if missing:
            remedy = f"Create it there, or use {instead} to have it made."
            yield wrong(name, secret, f"names no Secret in {listed(missing)}", remedy)
        if others:
            remedy = f"It must be of the type {types[0]}."
            yield wrong(name, secret, f"names a Secret of another type in {listed(others)}", remedy)


def _look(
    client: Client, secret: str, homes: list[str], types: Iterable[str]
) -> tuple[list[str], list[str]]:
    """The namespaces without it, and those in which it is of another type."""

    def read(home: str) -> str | None:
        try:
            found = client.find(_secret.path(home, secret))
        except ApiError as error:
            if error.status != 403:
                raise
            return ""  # the permissions are named elsewhere
        return None if found is None else str(found.get("type"))

    answers = client.each(read, homes)
    for answer in answers:
        if isinstance(answer, LitemaasError):
            raise answer
    pairs = list(zip(homes, answers, strict=True))
    return (
        [home for home, answer in pairs if answer is None],
        [home for home, answer in pairs if answer and answer not in types],
    )


def _made_by_the_site(settings: Settings, secret: str) -> bool:
    """Whether one of the site's own manifests says that it makes this Secret, as cert-manager's do."""
    given: Any = settings["extra_manifests"]
    for manifest in given if isinstance(given, list) else ():
        spec = manifest.get("spec") if isinstance(manifest, Mapping) else None
        if isinstance(spec, Mapping):
            target = spec.get("target")
            named = target.get("name") if isinstance(target, Mapping) else None
            if secret in (spec.get("secretName"), named):
                return True
    return False
