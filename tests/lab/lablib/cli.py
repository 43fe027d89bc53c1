# SPDX-License-Identifier: MIT
"""The command line of `tests/lab/lab`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager

from lablib import cache, images, kube, lab, prerequisites, run, simulation, status, teardown
from lablib.errors import LabError
from lablib.report import Report, clock
from lablib.settings import PROFILES, SIMULATED_NODE, Settings, current


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="lab",
        description="A real Kubernetes on this machine, for tests. State and builds live in ~/.cache/rhpds.litemaas.",
    )
    top.add_argument(
        "--profile",
        choices=PROFILES,
        default="openshift",
        help="what the cluster is like (default: %(default)s)",
    )
    names = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = names.add_parser(
        "up", help="start what is not running; builds what is missing the first time"
    )
    up.add_argument(
        "--no-real-node",
        action="store_true",
        help="the control plane alone: needs neither root nor images",
    )
    up.add_argument(
        "--simulated-nodes",
        type=int,
        metavar="N",
        help="nodes whose pods do nothing and become ready at once, for tests of scale; 0 removes them; "
        "default: as many as at the last `up`",
    )
    up.add_argument(
        "--simulated-node-size",
        metavar="SIZE",
        help="what each of them offers, for example cpu=8,memory=30Gi,pods=110,volumes=20; "
        f"default: {','.join(f'{key}={value}' for key, value in SIMULATED_NODE.items())}",
    )
    up.add_argument(
        "--image",
        action="append",
        default=[],
        metavar="REFERENCE",
        help="import only this image (may be repeated; `lab images` lists them)",
    )
    up.add_argument(
        "--all-images",
        action="store_true",
        help="import also the images that only some tests need (an older LiteLLM, LiteMaaS)",
    )
    down = names.add_parser("down", help="end everything; the data stays for the next `up`")
    down.add_argument(
        "--purge",
        action="store_true",
        help="remove the lab's data too (etcd, volumes, imported images)",
    )
    shown = names.add_parser("status", help="what runs, and where things are")
    shown.add_argument("--json", action="store_true", help="for programs")
    names.add_parser("kubeconfig", help="print the path of the lab's kubeconfig")
    names.add_parser("images", help="list the lab's images and whether the node has them")
    logs = names.add_parser("logs", help="print a component's log; without a name, list the logs")
    logs.add_argument("component", nargs="?")
    inside = names.add_parser(
        "run", help="run a command with the lab's KUBECONFIG, names and network: lab run -- CMD"
    )
    inside.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- CMD")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    prerequisites.extend_path()
    try:
        return COMMANDS[arguments.command](current(arguments.profile), arguments)
    except LabError as error:
        print(f"[lab] error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("[lab] interrupted: the same command goes on where it stopped", file=sys.stderr)
        return 130


def _up(settings: Settings, arguments: argparse.Namespace) -> int:
    report, began = Report(), time.monotonic()
    settings = simulated(settings, arguments.simulated_nodes, arguments.simulated_node_size)
    with _locked(settings, report):
        teardown.purge_orphans(settings, report)
        teardown.end_strays(settings, report)
        settings = lab.up(
            settings,
            report,
            real_node=not arguments.no_real_node,
            only=images.REFERENCES if arguments.all_images else arguments.image,
        )
    report(
        f"profile {settings.profile} is up after {clock(time.monotonic() - began)}: export KUBECONFIG={settings.kubeconfig}"
    )
    return 0


def simulated(settings: Settings, count: int | None, size: str | None) -> Settings:
    """The settings with the simulated nodes that the options ask for; what is not given stays."""
    if count is not None:
        if not 0 <= count < simulation.MOST_NODES:
            raise LabError(f"--simulated-nodes must be 0 to {simulation.MOST_NODES - 1}: {count}")
        settings = dataclasses.replace(settings, simulated_nodes=count)
    if size is not None:
        try:
            offered = simulation.parse_size(size)
        except ValueError as error:
            raise LabError(f"--simulated-node-size: {error}") from error
        settings = dataclasses.replace(settings, simulated_node=offered)
    return settings


def _down(settings: Settings, arguments: argparse.Namespace) -> int:
    report = Report()
    with _locked(settings, report):
        teardown.down(settings, report, purge=arguments.purge)
    return 0


def _status(settings: Settings, arguments: argparse.Namespace) -> int:
    facts = status.facts(settings)
    print(json.dumps(facts, indent=1) if arguments.json else status.words(facts))
    return 0 if facts["up"] else 3


def _kubeconfig(settings: Settings, _: argparse.Namespace) -> int:
    if not settings.kubeconfig.exists():
        raise LabError(f"there is no lab of profile {settings.profile} yet: start it with `lab up`")
    print(settings.kubeconfig)
    return 0


def _images(settings: Settings, _: argparse.Namespace) -> int:
    there = status.facts(settings)["images"]
    assert isinstance(there, list)
    for reference in images.REFERENCES:
        print(f"{reference}\t{'on the node' if reference in there else 'not on the node'}")
    return 0


def _logs(settings: Settings, arguments: argparse.Namespace) -> int:
    if not arguments.component:
        for log in sorted(settings.logs.glob("*.log")):
            print(f"{log.stem:24} {log.stat().st_size:>10} bytes  {log}")
        return 0
    log = settings.logs / f"{arguments.component}.log"
    if not log.exists():
        names = ", ".join(sorted(path.stem for path in settings.logs.glob("*.log"))) or "none"
        raise LabError(f"no log of a component named {arguments.component}; there are: {names}")
    with log.open(errors="replace") as lines:
        sys.stdout.writelines(lines)
    return 0


def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    argv = arguments.argv[1:] if arguments.argv[:1] == ["--"] else arguments.argv
    if not argv:
        raise LabError("lab run needs a command: lab run -- kubectl get nodes")
    if not lab.running(settings).get("kube-apiserver"):
        raise LabError("the lab does not run: start it with `lab up`")
    run.run(settings, kube.binaries(settings.cache, Report()), argv)
    return 0  # not reached


def _locked(settings: Settings, report: Report) -> AbstractContextManager[None]:
    lock = settings.labs / ".locks" / f"{settings.profile}-{settings.id}"
    return cache.locked(
        lock, lambda: report("waiting for another `lab up` or `lab down` of this lab")
    )


COMMANDS = {
    "up": _up,
    "down": _down,
    "status": _status,
    "kubeconfig": _kubeconfig,
    "images": _images,
    "logs": _logs,
    "run": _run,
}
