# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: what will be deployed, or every reason why it cannot be.

Internal to rhpds.litemaas: no stable interface for other collections.

Decisions are in the files named here, each for itself; this one asks them in order and collects.
Nothing is written to the cluster. An API that fails in the middle is one more problem in the list,
so that the user learns of a wrong setting and of a wrong token in the same run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, cast

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _application,
    _capacity_text,
    _claims,
    _database_connections,
    _external_database,
    _image,
    _instances,
    _namespaces,
    _oauth,
    _permissions,
    _platform,
    _preflight,
    _problem,
    _quota,
    _room,
    _secrecy,
    _settings,
    _site_objects,
    _sizing,
    _storage_class,
    _table,
    _tenancy,
    _tenants,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import (
    Problem,
    variable,
    wrong,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._settings import Cluster, Settings

if TYPE_CHECKING:
    from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

_IGNORE = variable("ignore_capacity")


@dataclass
class Plan:
    """What the module returns."""

    instances: list[_instances.Instance] = field(default_factory=list)
    users: int = 1
    storage_class: dict[str, Any] = field(default_factory=dict)
    surplus: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    """Namespaces whose own database one of the site's takes the place of."""
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    room: _room.Room = field(default_factory=_room.Room)
    report: list[str] = field(default_factory=list)
    """All of it for people, in lines; there with problems too, where it could be made."""


def cluster(settings: Settings, connect: Callable[[], Client]) -> Cluster:
    """What is known about the cluster: what *settings* say of it, else what it says itself.

    Raises LitemaasError when it has to be asked and does not answer.
    """
    # "cluster" is None where nobody looked before.
    found: Mapping[str, Any] = settings["cluster"] or asdict(_platform.read(connect()))
    known = cast(Cluster, {name: found[name] for name in Cluster.__annotations__})
    known["apps_domain"] = settings["cluster_domain"] or known["apps_domain"]
    return known


def make(settings: Settings, connect: Callable[[], Client]) -> Plan:
    """Judge *settings* by themselves and against the cluster. Raises nothing but bugs.

    *connect* makes the client; it may raise LitemaasError as any request may.
    """
    plan = Plan()
    plan.users, plan.problems = _preflight.users(settings)
    found, plan.warnings = _preflight.check(settings, plan.users)
    plan.problems += found
    try:
        _look(plan, settings, connect())
    except LitemaasError as error:
        plan.problems.append(_failed(error))
    if plan.problems:
        plan.instances = []
    return plan


def summary(plan: Plan, settings: Settings) -> list[str]:
    """What will be there, in the words of a person; one line a subject."""
    instances = plan.instances
    first = instances[0]
    own = [each["namespace"] for each in instances if each["create_namespace"]]
    homes, address = first["namespace"], first["url"]
    if len(instances) > 1:
        homes += f" to {instances[-1]['namespace']}"
        address += f" to {instances[-1]['url']}"
    number = f"{len(instances)} instance" + ("s" if len(instances) > 1 else "")
    lines = [f"{number} in {homes}{'' if own else ', which others made'}"]
    if _settings.shared(settings):
        lines = [f"{lines[0]}, shared by {plan.users} users", _tenants.words(settings)]
    replicas = first["litellm"]["replicas"]
    lines += [
        f"Gateway: {first['litellm']['image']}, {replicas} replica{'s' if replicas > 1 else ''}",
        _database(plan, settings),
        f"Address: {address}" + ("" if first["host"] else " (inside the cluster only)"),
    ]
    redis = first["redis"]
    if redis:
        size, class_ = redis["storage_size"], redis["storage_class"]
        kept = f"{size} of {class_}" if size else "nothing kept over a restart"
        lines.append(f"Redis: {redis['image']}, {kept}")
    pgbouncer = first["pgbouncer"]
    if pgbouncer:
        lines.append(
            f"PgBouncer: {pgbouncer['image']}, {pgbouncer['pool_size']} connections to the database "
            f"for up to {pgbouncer['max_client_conn']} of the gateway"
        )
    lines += _application.words(instances)
    needs = _sizing.total(instances).words()
    lines.append(
        f"Needs: {needs['cpu_request']} CPU and {needs['memory_request']} of memory requested, "
        f"{needs['cpu_limit']} and {needs['memory_limit']} at most; {needs['storage']} of storage"
    )
    if first["tls_secret"]:
        lines.append(f"Certificate: of the Secret {first['tls_secret']}")
    if first["pull_secret"]:
        lines.append(f"Images are pulled with the Secret {first['pull_secret']}")
    if first["egress"]:
        rules = len(settings["egress_allow"])
        many = f"{rules} rule{'s' if rules != 1 else ''}"
        lines.append(f"Connections out: restricted, with {many} of the site's")
    if settings["multi_user"]:
        lines.append(_tenancy.otherwise(settings, plan.users))
    if plan.surplus:
        names = _problem.listed(plan.surplus)
        lines.append(f"Left alone, of an earlier run: {names}")
    return lines


def _database(plan: Plan, settings: Settings) -> str:
    first, asked = plan.instances[0], _database_connections.demand(settings)
    place = first["external_database"]
    if place:
        return (
            f"Database: the site's, by the key {place['key']} of the Secret {place['namespace']}/"
            f"{place['name']}{' and so on' if len(plan.instances) > 1 else ''}; up to {asked.outside()} "
            "connections for each instance, which it must give"
        )
    return (
        f"Database: {first['postgres']['image']}, {first['postgres']['storage_size']} of "
        f"{plan.storage_class['name']} ({plan.storage_class['reason']})"
    )


def images(plan: Plan) -> list[str]:
    """Every image that the instances run, in full."""
    return sorted(
        {
            part["image"]
            for instance in plan.instances[:1]  # they all run the same
            for part in instance.values()
            if isinstance(part, Mapping) and "image" in part
        }
    )


def upstream_images(settings: Settings) -> list[str]:
    """The same images where their makers publish them, whatever registry serves them here."""
    found = set()
    for part in _settings.parts(settings):
        try:
            found.add(str(_image.resolve(*_settings.image(settings, part))))
        except ValueError:
            continue  # the preflight refuses it
    return sorted(found)


def sizing(plan: Plan, settings: Settings) -> dict[str, Any]:
    """The figures of one instance and of all; with users also those of the other tenancy."""
    found = {
        "instance": _sizing.total(plan.instances[:1]).words(),
        "total": _sizing.total(plan.instances).words(),
    }
    if settings["multi_user"]:
        other, sums = _tenancy.other(settings, plan.users)
        found[other] = sums.words()
    return found


def _look(plan: Plan, settings: Settings, client: Client) -> None:
    """What only the cluster can tell."""
    deployment = _instances.deployment(settings)
    places = range(1, _instances.number(settings, plan.users) + 1)
    names = [_instances.namespace(settings, place) for place in places]
    # Names that cannot be any have been refused; asking for them would ask for something else.
    if not all(map(_preflight.is_label, (deployment, *names))):
        names = []
    survey = _namespaces.look(
        client,
        deployment,
        names,
        multi_user=settings["multi_user"],
        application="backend" in _settings.parts(settings),
    )
    plan.surplus = survey.surplus
    plan.problems += _namespaces.problems(
        survey, deployment, use_existing=settings["use_existing_namespace"]
    )
    _permitted(plan, settings, survey, client)
    new = [each.name for each in survey.found if each.live is None and each.readable]
    homes = [name for name in names if name not in survey.terminating]
    plan.problems += _site_objects.absent(client, settings, homes, new)
    outside = _external_database.wanted(settings)
    claims = {} if outside else _claims.read(client, deployment, names)
    plan.problems += _claims.problems(claims, settings["postgres"])
    _choose_storage(plan, settings, claims, names, client)
    plan.instances = _instances.instances(settings, plan.users, set(survey.foreign))
    for instance in plan.instances:
        kept = claims.get(instance["namespace"])
        asked = settings["postgres"]["storage_class"] or (kept.storage_class if kept else "")
        instance["postgres"]["storage_class"] = asked or plan.storage_class.get("name", "")
    if outside and names:
        _look_outside(plan, deployment, names, client)
    _find_login(plan, settings, client)
    caches = _keep_caches(plan, names, client)
    plan.problems += _secrecy.in_names(settings, plan.instances)
    # Without figures to go by, or names to ask for, there is nothing to compare.
    if any(_sizing.problems(settings)) or not names or not _preflight.countable(settings):
        return
    quotas = _fit(plan, settings, survey, client) if settings["use_existing_namespace"] else ""
    plan.room = _room.look(
        client,
        plan.instances,
        plan.storage_class,
        deployed=bool(survey.surplus) or any(each.ours or each.objects for each in survey.found),
        volumes=claims,
        caches=caches,
        quotas=quotas,
    )
    plan.warnings += plan.room.warnings
    plan.report = plan.room.table
    if plan.storage_class:
        plan.report = [*summary(plan, settings), *_listing(plan), *plan.room.table]
        plan.report += ["Images, one a line, for a mirror to hold:", *upstream_images(settings)]
    if settings["multi_user"] and not plan.room.table[0].endswith(_capacity_text.NOTHING):
        plan.room.table = [*plan.room.table, f"{_tenancy.otherwise(settings, plan.users)}."]
    if plan.room.problem and settings["ignore_capacity"]:
        plan.warnings.append(f"{plan.room.problem.sentence}. Going on, because {_IGNORE} is true.")
    elif plan.room.problem:
        plan.problems.append(plan.room.problem)


def _look_outside(plan: Plan, deployment: str, names: list[str], client: Client) -> None:
    """The site's databases, and those of the instances' own whose place they take."""
    places = {
        each["namespace"]: place for each in plan.instances if (place := each["external_database"])
    }
    # A reference that is wrong by itself has been refused.
    if all(place["name"] for place in places.values()):
        plan.problems += _external_database.look(client, places)
    plan.replaced = _external_database.replaced(client, deployment, names)
    if plan.replaced:
        plan.warnings.append(_external_database.replacing(plan.replaced))


def _find_login(plan: Plan, settings: Settings, client: Client) -> None:
    """The OAuth server of the application; nothing is asked where there is none to log in to."""
    if not _application.wanted(settings) or not settings["cluster"]["openshift"]:
        return
    try:
        issuer = _oauth.read(client, settings["cluster"]["apps_domain"])
    except ApiError:
        raise
    except LitemaasError as error:
        problem = f"needs the OAuth server of OpenShift, and there is none: {error}"
        remedy = "Have the cluster log in with its own OAuth server, or set it to false."
        plan.problems.append(Problem(variable("oauth_enabled"), problem, remedy))
        return
    for instance in plan.instances:
        if instance["backend"]:
            instance["backend"]["issuer"] = issuer


def _listing(plan: Plan) -> list[str]:
    """Each of several instances with its address."""
    if len(plan.instances) == 1:
        return []
    return _table.aligned(
        (f"  {each['name']}", each["namespace"], each["url"]) for each in plan.instances
    )


def _keep_caches(plan: Plan, names: list[str], client: Client) -> dict[str, _claims.Claim]:
    """The storage class of Redis' volumes: that of the database, but of each that is there its own.

    Returns those that are there.
    """
    caches = [(each, redis) for each in plan.instances if (redis := each["redis"])]
    if not any(redis["storage_size"] for _instance, redis in caches):
        return {}
    deployment = caches[0][0]["deployment"]
    claims = _claims.read_caches(client, deployment, names)
    plan.problems += _claims.cache_problems(claims, caches[0][1]["storage_size"])
    for instance, redis in caches:
        kept = claims.get(instance["namespace"])
        redis["storage_class"] = (kept.storage_class if kept else "") or instance["postgres"][
            "storage_class"
        ]
    return claims


def _permitted(plan: Plan, settings: Settings, survey: _namespaces.Survey, client: Client) -> None:
    use_existing = settings["use_existing_namespace"]
    try:
        denied = _permissions.missing(
            client,
            _permissions.needs(
                _instances.exposure(settings),
                (*_settings.parts(settings), *_instances.traits(settings)),
            ),
            absent=[each.name for each in survey.found if each.live is None and not use_existing],
            ours=[each.name for each in survey.found if each.ours],
            others=survey.foreign if use_existing else [],
        )
    except ApiError as error:
        if error.status != 403:
            raise
        plan.warnings.append(f"Permissions could not be checked. {error}")
        return
    user = _permissions.who(client) if denied else ""
    problems, warnings = _permissions.problems(denied, user)
    plan.problems += problems
    plan.warnings += warnings


def _choose_storage(
    plan: Plan,
    settings: Settings,
    claims: dict[str, _claims.Claim],
    names: list[str],
    client: Client,
) -> None:
    """The storage class of what is new; when nothing is, the one that the volumes have."""
    wanted = settings["postgres"]["storage_class"]
    redis = settings["redis"] if "redis" in _settings.parts(settings) else None
    if _external_database.wanted(settings) and not (redis and redis["storage_size"]):
        plan.storage_class = _described(_storage_class.StorageClass(""), "there is no volume")
        return
    kept = {claim.storage_class for claim in claims.values()}
    if not wanted and len(kept) == 1 and set(names) <= set(claims) and (name := kept.pop()):
        try:
            choice, _classes, _notes = _storage_class.read(client, name)
            found = choice.storage_class
        except LitemaasError:
            found = _storage_class.StorageClass(name)  # gone since, or not for us to read
        plan.storage_class = _described(found, "the volume has it")
        return
    try:
        choice, _classes, notes = _storage_class.read(client, wanted, _preflight.platform(settings))
    except ApiError:
        raise
    except LitemaasError as error:
        name = variable("postgres", "storage_class")
        plan.problems.append(wrong(name, wanted, "gives no storage class", str(error)))
        return
    plan.storage_class = _described(choice.storage_class, choice.reason)
    plan.warnings += notes


def _described(found: _storage_class.StorageClass, reason: str) -> dict[str, Any]:
    return {
        "name": found.name,
        "provisioner": found.provisioner,
        "volume_binding_mode": found.volume_binding_mode,
        "allow_volume_expansion": found.allow_volume_expansion,
        "reclaim_policy": found.reclaim_policy,
        "reason": reason,
    }


def _fit(plan: Plan, settings: Settings, survey: _namespaces.Survey, client: Client) -> str:
    """Quotas and limits of namespaces that others made; returns how that came out, in words."""
    before = len(plan.problems)
    rules = _quota.read(client, survey.foreign, openshift=settings["cluster"]["openshift"])
    objects = {each.name: each.objects for each in survey.found}
    for instance in plan.instances:
        home = instance["namespace"]
        if home in rules:
            plan.problems += _quota.problems(settings, instance, rules[home], objects[home])
    plan.problems += _quota.shared_problems(plan.instances, rules, objects)
    if not any(rules.values()):
        return "none"
    return "not enough" if len(plan.problems) > before else "enough"


def _failed(error: LitemaasError) -> Problem:
    answered = getattr(error, "status", 0) not in (0, 401)
    what = "to the cluster brought an error" if answered else "to the cluster failed"
    return Problem("connection", what, str(error))
