# SPDX-License-Identifier: MIT
"""What is run, in which order, on which cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from benchlib import figures
from benchlib.cluster import ROOT, Cluster
from benchlib.runs import BENCH, Run, Runner

DEPLOY = ROOT / "playbooks" / "deploy_litemaas.yml"
PREFIX = "ocp4_workload_litemaas_"
PLAYBOOKS = BENCH / "playbooks"
APPLYING = ("rhpds.litemaas.manifests", "kubectl", "kubernetes.core.k8s")
KEYS = {"rhpds.litemaas.gateway_content": "keys.yml", "a serial loop of uri": "keys_uri.yml"}
GATEWAY = "litemaas-keys"  # the namespace of the real one


class Extent(NamedTuple):
    """How much is run."""

    users: int  # what the targets speak of
    few: int  # the first and last point of the cost of a further user
    many: int
    repetitions: int
    loops: Sequence[tuple[int, int]]  # users, repetitions
    nodes: int


FULL = Extent(80, 10, 1000, 5, ((4, 3), (20, 3), (80, 1)), 8)
QUICK = Extent(4, 2, 6, 1, ((1, 1), (2, 1)), 2)


@dataclass
class Results:
    """All runs by what they are; the users of a run are its key where several numbers are run."""

    loop: dict[int, list[Run]] = field(default_factory=dict)
    applying: dict[str, list[Run]] = field(default_factory=dict)
    creation: dict[int, list[Run]] = field(default_factory=dict)
    again: dict[int, list[Run]] = field(default_factory=dict)
    removal: list[Run] = field(default_factory=list)
    keys: dict[str, list[Run]] = field(default_factory=dict)


class Bench:
    """The scenarios. Each leaves the cluster as full as it made it; a fresh one follows."""

    def __init__(self, extent: Extent, output: Path, say: Callable[[str], None]) -> None:
        self.extent, self.results, self._say = extent, Results(), say
        self._output = output
        self._cluster = Cluster(extent.nodes)
        self._runner = Runner(self._cluster, output, say)

    def scenarios(self) -> list[tuple[str, Callable[[], None], Callable[[], None]]]:
        """The name of each, what makes its cluster, and what runs it."""
        return [
            ("Our role", self.fresh, self.ours),
            ("The ways of applying", self.fresh, self.applying),
            ("The loop", self.fresh, self.loop),
            ("Scale", self.fresh, self.scale),
            ("Keys", self.fresh_gateway, self.keys),
        ]

    def fresh(self) -> None:
        """An empty cluster that is warm: its first requests would compile what later ones use."""
        self._cluster.fresh()
        self._deploy("warm-up", 2, "warm")
        self._remove("warm-up-removal", "warm")

    def fresh_gateway(self) -> None:
        """A cluster with a real node, and a real LiteLLM with PostgreSQL on it."""
        self._cluster.fresh(real=True)
        settings = {"namespace": GATEWAY, "litellm_cpu_limit": "2"}
        variables = {PREFIX + name: value for name, value in settings.items()}
        folder = {"output_dir": str(self._output / "user-info-keys")}
        self._runner.playbook("deploy-gateway", DEPLOY, {**variables, **folder})

    def close(self) -> None:
        self._cluster.remove()

    def ours(self) -> None:
        """Deploy, deploy again, remove; and the same for few users."""
        users, few = self.extent.users, self.extent.few
        for number in range(self.extent.repetitions):
            self._cycle(users, f"u{number}")
            self._cycle(few, f"f{number}")

    def _cycle(self, users: int, prefix: str) -> None:
        found = self.results
        found.creation.setdefault(users, []).append(self._deploy(f"deploy-{users}", users, prefix))
        found.again.setdefault(users, []).append(self._again(f"again-{users}", users, prefix))
        removal = self._remove(f"remove-{users}", prefix)
        if users == self.extent.users:
            found.removal.append(removal)

    def scale(self) -> None:
        """The most users, once."""
        many = self.extent.many
        self.results.creation[many] = [self._deploy(f"deploy-{many}", many, "many")]
        self.results.again[many] = [self._again(f"again-{many}", many, "many")]

    def applying(self) -> None:
        """The same objects by three ways, in turn, each time into namespaces of their own."""
        text = self._output / "objects.yml"
        variables = {**self._variables(self.extent.users, "px0"), "objects": str(text)}
        self._runner.playbook("render", PLAYBOOKS / "render.yml", variables)
        rendered = text.read_text(encoding="utf-8")
        for number in range(self.extent.repetitions):
            for place, way in enumerate(APPLYING):
                prefix = f"p{'abc'[place]}{number}"
                text.write_text(rendered.replace("px0", prefix), "utf-8")
                self.results.applying.setdefault(way, []).append(self._apply(way, text))
                self._cluster.settle(f"litemaas-{prefix}")

    def _apply(self, way: str, text: Path) -> Run:
        if way == "kubectl":
            return self._runner.command(
                "apply-kubectl", "kubectl", "apply", "--server-side", "-f", text
            )
        name = way.rpartition(".")[2]
        return self._runner.playbook(
            f"apply-{name}", PLAYBOOKS / f"apply_{name}.yml", {"objects": str(text)}
        )

    def keys(self) -> None:
        """Keys for all users of a real gateway by two ways, in turn, each time under names of their own."""
        place = {
            "gateway_namespace": GATEWAY,
            "gateway_url": f"https://{self._cluster.host(GATEWAY)}",
            "master_key": self._cluster.secret(GATEWAY, "litellm-secret", "LITELLM_MASTER_KEY"),
            "ca_file": self._cluster.ca_file,
        }
        for number in range(-1, self.extent.repetitions):  # the first is a warm-up of both
            users = 2 if number < 0 else self.extent.users
            for way, playbook in KEYS.items():
                name = playbook.removesuffix(".yml")
                aliases = [f"{name}-{number}-user{user}" for user in range(1, users + 1)]
                wanted = [{"key_alias": alias, "max_budget": 5} for alias in aliases]
                run = self._runner.playbook(name, PLAYBOOKS / playbook, {**place, "wanted": wanted})
                if number >= 0:
                    self.results.keys.setdefault(way, []).append(run)

    def loop(self) -> None:
        """The common way."""
        for users, repetitions in self.extent.loops:
            for number in range(repetitions):
                variables = {"num_users": users, "prefix": f"l{users}x{number}x"}
                run = self._runner.playbook(f"loop-{users}", PLAYBOOKS / "loop.yml", variables)
                self.results.loop.setdefault(users, []).append(run)

    def _deploy(self, name: str, users: int, prefix: str) -> Run:
        run = self._runner.playbook(name, DEPLOY, self._variables(users, prefix))
        return replace(run, ready=figures.complete(self._cluster.objects(f"litemaas-{prefix}")))

    def _again(self, name: str, users: int, prefix: str) -> Run:
        return self._runner.playbook(name, DEPLOY, self._variables(users, prefix))

    def _remove(self, name: str, prefix: str) -> Run:
        variables = {**self._variables(1, prefix), f"{PREFIX}remove": True}
        with self._cluster.watch_namespaces(f"litemaas-{prefix}") as deletions:
            run = self._runner.playbook(name, DEPLOY, variables)
        return replace(run, ready=deletions[-1])

    def _variables(self, users: int, prefix: str) -> dict[str, Any]:
        folder = self._output / f"user-info-{prefix}"
        return {
            "num_users": users,
            "output_dir": str(folder),
            f"{PREFIX}multi_user": True,
            f"{PREFIX}user_prefix": prefix,
        }
