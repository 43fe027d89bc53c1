# SPDX-License-Identifier: MIT
"""The results as the tables that people read. No measuring here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from benchlib import figures
from benchlib.figures import Row, number
from benchlib.runs import Run
from benchlib.scenarios import APPLYING, KEYS, Extent, Results

MEGABYTE = 1_000_000
MISSING = "not measured"


def rows(results: Results, extent: Extent) -> list[Row]:
    """The table of figures, the comparisons first. What could not be measured has missed its target."""
    users, few, many = extent.users, extent.few, extent.many
    made, again = results.creation, results.again
    return [
        _against_loop(results, users),
        _against_kubectl(results, users),
        _against_uri(results, users),
        _most(f"own time, {users} users", "s", 10, [run.own for run in made.get(users, ())]),
        _told(made.get(users, ()), users),
        _most(
            f"second run, {users} users, nothing to do, without the user-info calls",
            "s",
            8,
            [run.own for run in again.get(users, ())],
        ),
        _most(
            f"writes of ours in the audit log of that second run, {users} users",
            "",
            0,
            [run.writes for run in again.get(users, ())],
        ),
        _further(results, few, many),
        _further(results, few, users),
        _further(results, users, many),
        _most(
            f"requests per user on creation, {users} users",
            "",
            16,
            [len(run.requests) / users for run in made.get(users, ())],
        ),
        _most(
            f"requests per user on a no-op, {users} users",
            "",
            2,
            [len(run.requests) / users for run in again.get(users, ())],
        ),
        _most(
            f"{many:,} users: memory of controller and module together",
            "MB",
            500,
            [max(run.peak for run in each) / MEGABYTE for each in _both(made, again, many)],
        ),
        _most(
            f"removal of {users} users, our own part", "s", 5, [run.own for run in results.removal]
        ),
    ]


def _most(figure: str, unit: str, limit: float, values: Sequence[float]) -> Row:
    if not values:
        return Row(figure, f"at most {number(limit, unit)}", MISSING, False)
    return figures.at_most(figure, unit, limit, values)


def _both(
    made: Mapping[int, list[Run]], again: Mapping[int, list[Run]], users: int
) -> Iterator[tuple[Run, Run]]:
    return zip(made.get(users, ()), again.get(users, ()), strict=False)


def _against_loop(results: Results, users: int) -> Row:
    figure, target = f"whole playbook, {users} users, against the loop", "25 times faster"
    ours, loops = results.creation.get(users, ()), results.loop
    if not ours or not loops:
        return Row(figure, target, MISSING, False)
    mine, most = _middle(ours), max(loops)
    loop = _middle(loops[most])
    words = f"{number(loop, 's')} against {number(mine, 's')}"
    if most != users:  # only quick runs do not loop that far
        loop *= users / most
        words = f"{number(loop, 's')} (from {most} users) against {number(mine, 's')}"
    return Row(figure, target, f"**{figures.times(mine, loop)}** ({words})", loop >= 25 * mine)


def _against_kubectl(results: Results, users: int) -> Row:
    figure = f"applying the objects of {users} users, against kubectl apply --server-side"
    if any(not results.applying.get(way) for way in APPLYING):
        return Row(figure, "not slower", MISSING, False)
    ours, kubectl, k8s = (results.applying[way] for way in APPLYING)
    task, other = median(run.task("Apply") for run in ours), _middle(kubectl)
    words = (
        f"**{figures.times(task, other)} as fast** ({number(task, 's')} the task, "
        f"{number(_middle(ours), 's')} with the start of ansible-playbook; kubectl "
        f"{number(other, 's')}; one task of kubernetes.core.k8s "
        f"{number(median(run.task('Apply') for run in k8s), 's')})"
    )
    return Row(figure, "not slower", words, task <= other)


def _against_uri(results: Results, users: int) -> Row:
    figure, target = f"{users} keys on a shared gateway, against a serial loop", "10 times faster"
    if any(not results.keys.get(way) for way in KEYS):
        return Row(figure, target, MISSING, False)
    ours, loop = (_middle(results.keys[way]) for way in KEYS)
    words = f"{number(loop, 's')} against {number(ours, 's')}"
    return Row(figure, target, f"**{figures.times(ours, loop)}** ({words})", loop >= 10 * ours)


def _told(made: Sequence[Run], users: int) -> Row:
    figure = f"the user-info calls, {users} users"
    if not made:
        return Row(figure, "", MISSING, None)
    seconds = median(run.told for run in made)
    each = number(1000 * seconds / users, "ms")
    return Row(figure, "", f"{number(seconds, 's')} ({each} a user)", None)


def _further(results: Results, few: int, many: int) -> Row:
    figure = f"further cost per user, {few:,} to {many:,} users"
    made = results.creation
    if few == many or not made.get(few) or not made.get(many):
        return Row(figure, "at most 60 ms", MISSING, False)
    low, high = (median(run.own for run in made[count]) for count in (few, many))
    return figures.at_most(figure, "ms", 60, [figures.per_user(few, low, many, high)])


def _middle(runs: Sequence[Run]) -> float:
    return median(run.seconds for run in runs)


def runs(results: Results) -> str:
    """Every run, for those who want to see the spread."""
    groups = {
        **{f"loop, {users} users": each for users, each in results.loop.items()},
        **{f"applying, {way}": each for way, each in results.applying.items()},
        **{f"keys, {way}": each for way, each in results.keys.items()},
        **{f"deploy, {users:,} users": each for users, each in results.creation.items()},
        **{f"deploy again, {users:,} users": each for users, each in results.again.items()},
        "remove": results.removal,
    }
    lines = []
    for name, each in groups.items():
        if each:
            seconds = ", ".join(f"{run.seconds:.1f}" for run in each)
            told = median(run.told for run in each)
            own = ", ".join(f"{run.own:.1f}" for run in each) if each[0].requests else ""
            memory = number(max(run.peak for run in each) / MEGABYTE, "MB")
            lines.append((name, seconds, own, f"{told:.1f}" if told else "", memory))
    header = ("Run", "Seconds", "of them our own", "and user-info calls", "Most memory")
    return figures.markdown(header, lines)


def page(results: Results, extent: Extent, machine: str) -> str:
    """docs/PERFORMANCE.md."""
    return TEXT.format(
        table=figures.table(rows(results, extent)),
        runs=runs(results),
        machine=machine,
        nodes=extent.nodes,
        repetitions=extent.repetitions,
    )


TEXT = """\
# Performance

Written by `make bench`, which runs everything below side by side and takes most of an hour: change nothing here by hand.

{table}

## How it was measured

{machine} That machine ran everything at once: the API server with its etcd and controllers, {nodes} simulated nodes, and what was measured.
The cluster is the one of [tests/lab](../tests/lab/README.md). But for the keys its nodes are simulated (KWOK): pods are ready at once and volumes are bound at once, so that what
remains is the cost of deploying. Behind the Routes of such pods the lab's router answers in the gateway's place, and only to the key in the namespace's Secret, so that
verification is measured too.

Figures of ours are medians of {repetitions} runs, that of the most users is one run. A figure in brackets is the range.

- **The loop** is [a playbook](../tests/bench/playbooks/loop.yml) as such roles are commonly written: user by user, object by object, each with a task of
  `kubernetes.core.k8s`, and a wait for each workload. It neither asks the gateways nor hands out anything; ours does both within the time shown.
- **Applying** sends the same YAML text of 12 objects a user into namespaces of their own: with one task of this collection, with `kubectl apply --server-side -f`, and with one
  task of `kubernetes.core.k8s`. Of the tasks the time of the task counts, of kubectl that of the process.
- **Keys** are made on a real LiteLLM 1.106 with PostgreSQL, which run on this machine too, through its Route: by [one task](../tests/bench/playbooks/keys.yml) of
  `rhpds.litemaas.gateway_content`, which looks for each key, writes its value into a Secret and looks at it again, and by [a loop](../tests/bench/playbooks/keys_uri.yml) of
  `ansible.builtin.uri`, which does none of that. The time is that of `ansible-playbook`.
- **Own time** is the wall time of `ansible-playbook`, less the user-info calls, less the time the cluster needed after it had accepted the last object: from the API server's answer to
  our last write, or last deletion, (its audit log) to the moment when the last pod was ready, the last Deployment available and the last Route admitted (their statuses; for a removal, when the last namespace was
  gone). Statuses count whole seconds and are rounded down, so up to a second of the cluster's time is booked as ours.
- **The user-info calls** are one task event a user, because the catalog reads those events; they have a line of their own.
- **Requests** are those with our User-Agent in the API server's audit log, polling included; dry runs and access reviews are no writes.
- **Memory** is that of `ansible-playbook` and all its descendants at the same moment, pages that several processes share counted once (PSS), looked at four times a second.

## All runs

{runs}
"""
