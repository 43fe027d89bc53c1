# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings judged by themselves, before the cluster is asked anything.

Internal to rhpds.litemaas: no stable interface for other collections.

Each check returns all problems it finds and stops at none, so that one run tells the user
everything. What the cluster has to be asked for is in ``_namespaces``, ``_storage``,
``_permissions`` and ``_quota``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _application,
    _content_options,
    _database_connections,
    _egress,
    _environment,
    _exposure,
    _external_database,
    _extra,
    _gateway_config,
    _image,
    _instances,
    _platform,
    _secrecy,
    _settings,
    _site_objects,
    _sizing,
    _tenancy,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import (
    Problem,
    variable,
    wrong,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._settings import Settings

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
_LONGEST_LABEL = 63
_LONGEST_HOST = 253
_LABEL_RULE = "Use small letters, digits and dashes, with a letter or digit at both ends."
_RESERVED = re.compile(r"kube-.*|openshift|openshift-.*")

# A database writes, from one pod: ReadOnlyMany cannot work.
ACCESS_MODES = ("ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany")
MOST_REPLICAS = 5
# The Kubernetes of OpenShift 4.12.
OLDEST = (1, 25)


def users(settings: Settings) -> tuple[int, list[Problem]]:
    """How many users there will be; 1 where the number is wrong, so that checks go on."""
    if not settings["multi_user"]:
        return 1, []
    try:
        return _instances.count(settings["num_users"]), []
    except ValueError as error:
        gets = "a share of one gateway" if _settings.shared(settings) else "an instance"
        remedy = f"It is the number of users, each of whom gets {gets}."
        return 1, [Problem("num_users", str(error), remedy)]


def countable(settings: Settings) -> bool:
    """Whether instances and their pods can be counted, and are not a slip's millions."""
    return not users(settings)[1] and 1 <= settings["litellm"]["replicas"] <= MOST_REPLICAS


def check(settings: Settings, count: int) -> tuple[list[Problem], list[str]]:
    """Problems and warnings of *settings* for *count* users."""
    images, warnings = _images(settings)
    warnings += _release(settings["cluster"]["kubernetes_version"])
    warnings += _alone(settings)
    warnings += _environment.warnings(settings)
    warnings += _egress.warnings(settings)
    warnings += _exposure.warnings(settings)
    warnings += _site_objects.warnings(settings)
    warnings += _external_database.warnings(settings)
    problems = [
        *_application.problems(settings),
        *_content(settings),
        *_names(settings),
        *_address(settings, count),
        *_exposure.tls_problems(settings, count),
        *_choices(settings),
        *_tenancy.problems(settings, count),
        *_sizing.problems(settings),
        *_connections(settings),
        *_gateway_config.problems(settings),
        *_extra.problems(settings),
        *_environment.problems(settings),
        *_egress.problems(settings),
        *_site_objects.problems(settings),
        *_external_database.problems(settings, several=_instances.number(settings, count) > 1),
        *_secrecy.problems(settings),
        *images,
    ]
    return problems, warnings


def _content(settings: Settings) -> Iterator[Problem]:
    """What is wrong with the models, teams and keys that each gateway is to hold."""
    for kind, sentence in _content_options.faults(settings["content"]):
        problem, _colon, remedy = sentence.partition(": ")
        yield Problem(variable(kind), f"cannot be: {problem}", remedy[:1].upper() + remedy[1:])


def platform(settings: Settings) -> str:
    """The platform type: the user's word (in its usual spelling), else what was detected."""
    return _platform.canonical(settings["cloud_provider"]) or settings["cluster"]["platform"]


def is_label(text: str) -> bool:
    """Whether *text* can be a DNS label, which is also what a namespace's name has to be."""
    return len(text) <= _LONGEST_LABEL and bool(_LABEL.fullmatch(text))


def _release(version: str) -> Iterator[str]:
    found = re.match(r"v?([0-9]+)\.([0-9]+)", version)
    if found and (int(found[1]), int(found[2])) < OLDEST:
        oldest = ".".join(str(number) for number in OLDEST)
        yield f"Kubernetes {version} is older than {oldest}, which is the oldest this is made for."


def _alone(settings: Settings) -> Iterator[str]:
    """What several gateways get wrong that do not know of each other."""
    replicas = max(settings["litellm"]["replicas"], _extra.most_replicas(settings))
    if replicas > 1 and not settings["deploy_redis"]:
        yield (
            f"{variable('litellm', 'replicas')} is {replicas} without Redis: each pod counts for "
            f"itself, so a key gets up to {replicas} times the requests and tokens a minute that "
            "are set, and as many times the parallel requests and the budget; and a key that is "
            "changed or deleted works as before on other pods for up to 60 s. "
            f"Set {variable('deploy_redis')} to true to have them count together."
        )


def _names(settings: Settings) -> Iterator[Problem]:
    options = ["namespace", "route_name"] + (["user_prefix"] if settings["multi_user"] else [])
    for option in options:
        value = str(settings[option])  # type: ignore[literal-required]
        if not _LABEL.fullmatch(value):
            yield wrong(variable(option), value, "is no DNS label", _LABEL_RULE)
    if _RESERVED.fullmatch(settings["namespace"]):
        problem = "is a name reserved for the platform"
        yield wrong(variable("namespace"), settings["namespace"], problem, "Choose another.")


def _address(settings: Settings, count: int) -> Iterator[Problem]:
    """Names put together from several settings, for the last user, whose are the longest."""
    home = _instances.namespace(settings, count)
    if len(home) > _LONGEST_LABEL:
        yield _too_long(settings, "namespace", home, "namespace")
    if settings["route"]["host"]:
        yield from _exposure.host_problems(settings, count)
        return
    domain = settings["cluster"]["apps_domain"]
    name = variable("cluster_domain")
    if not domain:
        if settings["cluster"]["openshift"] or settings["cluster"]["routes"]:
            remedy = "Set it to what `oc get ingresses.config cluster` shows as domain."
            yield Problem(name, "is empty and the cluster did not tell its apps domain", remedy)
        return
    if not all(is_label(part) for part in domain.split(".")):
        remedy = "Write it as apps.example.com: no scheme, port, wildcard or dot at the ends."
        yield wrong(name, domain, "is no domain", remedy)
    # The frontend's host is the longest where there is one.
    front = "frontend" in _settings.parts(settings)
    label = _instances.host_label(settings, count, *([_instances.FRONT] if front else []))
    if len(label) > _LONGEST_LABEL:
        yield _too_long(settings, "route_name", label, "host label")
    host = f"{label}.{domain}"
    if len(host) > _LONGEST_HOST:
        problem = f"makes a host of {len(host)} characters, {_LONGEST_HOST} are allowed"
        yield wrong(name, domain, problem, f"Shorten it, or {variable('route_name')}.")


def _too_long(settings: Settings, option: str, text: str, what: str) -> Problem:
    over = len(text) - _LONGEST_LABEL
    prefix = f" or {variable('user_prefix')}" if settings["multi_user"] else ""
    return Problem(
        variable(option),
        f"makes a {what} of {len(text)} characters ({text}), {_LONGEST_LABEL} are allowed",
        f"Shorten it{prefix} by {over}.",
    )


def _choices(settings: Settings) -> Iterator[Problem]:
    version = settings["version"]
    if not _image.TAG.fullmatch(version):
        remedy = "Write the release as its image tag, for example 0.2.0."
        yield wrong(variable("version"), version, "is no release of LiteMaaS", remedy)
    provider = settings["cloud_provider"].strip()
    if provider and _platform.canonical(provider) not in _platform.PLATFORMS:
        known = ", ".join(_platform.PLATFORMS)
        remedy = f"Leave it empty to have it detected, or use one of {known}."
        yield wrong(variable("cloud_provider"), provider, "is no platform type", remedy)
    replicas = settings["litellm"]["replicas"]
    if not 1 <= replicas <= MOST_REPLICAS:
        problem = f"must be 1 to {MOST_REPLICAS}"
        remedy = "More would need more database connections than the database gives."
        yield wrong(variable("litellm", "replicas"), replicas, problem, remedy)
    tls, pull = settings["route"]["tls_secret"], settings["image_pull_secret"]
    secrets = {
        variable("litellm", "env_secrets"): settings["litellm"]["env_secrets"],
        variable("route", "tls_secret"): [tls] if tls else [],
        variable("image_pull_secret"): [pull] if pull else [],
    }
    for option, named in secrets.items():
        for name in named:
            if not _NAME.fullmatch(name):
                remedy = "Name Secrets that are in the instance's namespace."
                yield wrong(option, name, "is no name of a Secret", remedy)
    mode = settings["postgres"]["storage_access_mode"]
    if mode not in ACCESS_MODES:
        name = variable("postgres", "storage_access_mode")
        remedy = f"Use one of {', '.join(ACCESS_MODES)}."
        yield wrong(name, mode, "is no access mode a database can use", remedy)


def _connections(settings: Settings) -> Iterator[Problem]:
    if 1 <= settings["litellm"]["replicas"] <= MOST_REPLICAS:  # else that is said already
        yield from _database_connections.problems(settings)


def _images(settings: Settings) -> tuple[list[Problem], list[str]]:
    problems: list[Problem] = []
    warnings: list[str] = []
    registry = settings["image_registry"]
    if registry:
        try:
            _image.resolve("example.com/image", "", registry)
        except ValueError as error:
            remedy = "Write a host, or a host and a path: mirror.example.com/ghcr."
            name = variable("image_registry")
            problems.append(wrong(name, registry, f"does not work: {error}", remedy))
            registry = ""
    for part in _settings.parts(settings):
        text, tag = _settings.image(settings, part)
        try:
            image = _image.resolve(text, tag, registry)
        except ValueError as error:
            remedy = "Write registry/repository, with :tag or @sha256:digest."
            whole = f"{text}:{tag}" if tag else text
            problems.append(wrong(variable(part, "image"), whole, f"is no image: {error}", remedy))
            continue
        verdict = _image.judge(image, litellm=part == "litellm")
        # What is wrong with a tag is said of the variable that it stands in.
        own = _image.parse(text)
        with_image = own.tag or own.digest or not tag
        tagged = variable(*((part, "image") if with_image else _settings.tag_variable(part)))
        found = list(_verdict(part, tagged, image, verdict))
        if verdict.forbidden or not settings["allow_unsafe_image"]:
            problems += found
        else:
            warnings += [
                f"{each.variable}: {image} is allowed but {each.problem}." for each in found
            ]
        if verdict.unknown:
            warnings.append(f"{tagged}: {image}: {verdict.unknown}. It must be {_image.SAFE}.")
    return problems, warnings


def _verdict(
    part: str, tagged: str, image: _image.Image, verdict: _image.Verdict
) -> Iterator[Problem]:
    allow = f"set {variable('allow_unsafe_image')} to true and live with it."
    releases = f"Use {_image.SAFE}." if part == "litellm" else "Use the full tag of a release."
    if verdict.forbidden:
        problem = f"may not run: {verdict.forbidden}"
        yield wrong(tagged, str(image), problem, f"{releases} Nothing allows this one.")
    if verdict.tag:
        remedy = f"{releases.removesuffix('.')}, or a digest; or {allow}"
        yield wrong(tagged, str(image), f"is unsafe: {verdict.tag}", remedy)
    if verdict.registry:
        remedy = f"Use a copy on another registry, such as quay.io or your own; or {allow}"
        yield wrong(variable(part, "image"), str(image), f"{verdict.registry}", remedy)
