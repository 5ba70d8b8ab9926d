"""A Kubernetes control plane in processes: etcd, API server, controllers, scheduler, kwok's nodes.

Exists so that the chart is admitted, scheduled, rolled and collected by Kubernetes itself. Nothing
runs on the nodes: kwok says of each pod that it does. May not import the service.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped] # ships no types

from chart.tools import CONTROL_PLANE, KWOK_STAGES, build, files_of
from tools.kafka.jar_broker import HOST, free_ports
from tools.kafka.tls import Authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

# An API server is up in 10 s on two cores; a machine busy with other work needs many times that.
READY_SECONDS = 300
STOP_SECONDS = 20
NODES = 4
# kwok lets pods be ready; those of `helm test` are to end well instead.
TEST_POD_STAGE = {
    "apiVersion": "kwok.x-k8s.io/v1alpha1",
    "kind": "Stage",
    "metadata": {"name": "test-pod-succeeds"},
    "spec": {
        "resourceRef": {"apiGroup": "v1", "kind": "Pod"},
        "selector": {
            "matchLabels": {"app.kubernetes.io/component": "test"},
            "matchExpressions": [
                {"key": ".metadata.deletionTimestamp", "operator": "DoesNotExist"},
                {"key": ".status.phase", "operator": "In", "values": ["Running"]},
            ],
        },
        "next": {"statusTemplate": "phase: Succeeded\n"},
    },
}
STAGES = (
    "node/fast/node-initialize.yaml",
    "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
    "pod/fast/pod-ready.yaml",
    "pod/fast/pod-complete.yaml",
    "pod/fast/pod-delete.yaml",
)


class ApiError(Exception):
    """The API server refused; the message is its own."""


class Cluster:
    """The API, as administrator."""

    def __init__(self, address: str, token: str, authority: Path, kubeconfig: Path) -> None:
        """Connect to nothing yet."""
        self.kubeconfig = kubeconfig
        self._address = address
        self._token = token
        # Straight to it: a proxy of the user's would not find it.
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=authority)),
        )

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send one request; gives the object in the answer.

        Raises:
            ApiError: it is refused.
            OSError: nobody answers.
        """
        request = urllib.request.Request(  # noqa: S310 - https, always
            f"{self._address}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        try:
            with self._opener.open(request, timeout=30) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            message = error.read().decode(errors="replace")
            with contextlib.suppress(ValueError):
                message = json.loads(message)["message"]
            raise ApiError(message) from None
        return {"status": content.decode()} if path == "/readyz" else dict(json.loads(content))

    def namespace(self, name: str, level: str = "restricted") -> None:
        """Make a namespace that enforces a level of Pod Security, and wait for its account."""
        labels = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "warn")}
        self.call("POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
        self.wait(f"{name}: default account", lambda: self.call(
            "GET", f"/api/v1/namespaces/{name}/serviceaccounts/default"))  # fmt: skip

    def define(self, file: Path) -> list[str]:
        """Install the CustomResourceDefinitions of a file; gives their names."""
        names = []
        for definition in yaml.safe_load_all(file.read_text()):
            if definition and definition["kind"] == "CustomResourceDefinition":
                path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
                self.call("POST", path, definition)
                names.append(definition["metadata"]["name"])
        for name in names:
            self.wait(name, partial(self._established, name))
        return names

    def everything_in(self, namespace: str) -> set[str]:
        """Kind and name of all that a namespace holds, but events, which end by themselves."""
        found = set()
        for path in self._versions():
            for resource in self.call("GET", path)["resources"]:
                kind, verbs = resource["kind"], resource["verbs"]
                if resource["namespaced"] and "list" in verbs and kind != "Event":
                    where = f"{path}/namespaces/{namespace}/{resource['name']}"
                    # A kind that has just been defined is not served at once.
                    items = self.wait(where, partial(self.call, "GET", where))["items"]
                    found |= {f"{kind}/{item['metadata']['name']}" for item in items}
        return found

    def wait(self, what: str, holds: Callable[[], Any], seconds: float = READY_SECONDS) -> Any:
        """Return what `holds` gives as soon as it is true; refusals count as not yet.

        Raises:
            AssertionError: it is not within the bound.
        """
        deadline, last = time.monotonic() + seconds, "nothing"
        while time.monotonic() < deadline:
            try:
                found = holds()
                if found:
                    return found
            except (ApiError, OSError) as error:
                last = str(error)
            time.sleep(0.2)
        raise AssertionError(f"{what}: not in {seconds} s; last said: {last}")

    def _established(self, definition: str) -> bool:
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{definition}"
        conditions = self.call("GET", path)["status"].get("conditions") or []
        return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)

    def _versions(self) -> list[str]:
        groups = self.call("GET", "/apis")["groups"]
        return ["/api/v1", *(f"/apis/{g['preferredVersion']['groupVersion']}" for g in groups)]


@contextmanager
def start_cluster(folder: Path, say: Callable[[str], None]) -> Iterator[Cluster]:
    """Give a control plane with nodes, gone at the end.

    Raises:
        ToolMissingError: it cannot be built.
        AssertionError: it does not come up; the logs are in the folder.
    """
    programs = {tool.name: str(build(tool, say)) for tool in CONTROL_PLANE}
    etcd, peer, api, controllers, scheduler = (f"{port}" for port in free_ports(5))
    authority = Authority(folder / "ca.pem")
    certificate, key = authority.issue("kube-apiserver", HOST, folder / "tls")
    token = secrets.token_hex(16)
    cluster = Cluster(f"https://{HOST}:{api}", token, authority.file, folder / "kubeconfig")
    _write_files(folder, cluster.kubeconfig, f"https://{HOST}:{api}", token, authority.file)
    stages = files_of(*KWOK_STAGES)
    config = f"--kubeconfig={cluster.kubeconfig}"
    commands = {
        "etcd": [
            f"--data-dir={folder / 'etcd'}", "--unsafe-no-fsync", "--log-level=error",
            f"--listen-client-urls=http://{HOST}:{etcd}",
            f"--advertise-client-urls=http://{HOST}:{etcd}",
            f"--listen-peer-urls=http://{HOST}:{peer}",
            f"--initial-advertise-peer-urls=http://{HOST}:{peer}",
            f"--initial-cluster=default=http://{HOST}:{peer}",
        ],
        "kube-apiserver": [
            f"--etcd-servers=http://{HOST}:{etcd}", f"--bind-address={HOST}",
            f"--advertise-address={HOST}", f"--secure-port={api}",
            f"--tls-cert-file={certificate}", f"--tls-private-key-file={key}",
            f"--token-auth-file={folder / 'tokens.csv'}", "--authorization-mode=RBAC",
            f"--service-account-key-file={certificate}",
            f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.96.0.0/16", "--endpoint-reconciler-type=none",
        ],
        "kube-controller-manager": [
            config, f"--service-account-private-key-file={key}", "--leader-elect=false",
            f"--root-ca-file={authority.file}", f"--bind-address={HOST}",
            f"--secure-port={controllers}",
        ],
        "kube-scheduler": [
            config, "--leader-elect=false", f"--bind-address={HOST}", f"--secure-port={scheduler}",
        ],
        "kwok": [
            config, "--manage-all-nodes=true", "--node-lease-duration-seconds=40",
            *(f"--config={stages / stage}" for stage in STAGES),
            f"--config={folder / 'test-pod.yaml'}",
        ],
    }  # fmt: skip
    with contextlib.ExitStack() as stack:
        for name, arguments in commands.items():
            process = stack.enter_context(_running(name, [programs[name], *arguments], folder))
            if name == "kube-apiserver":
                cluster.wait("API server", partial(_answers, cluster, process))
        for number in range(NODES):
            cluster.call("POST", "/api/v1/nodes", _node(number))
        cluster.wait(
            "nodes", lambda: all(map(_ready, cluster.call("GET", "/api/v1/nodes")["items"]))
        )
        yield cluster


@contextmanager
def _running(name: str, command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - fixed commands, no shell
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=folder
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(cluster: Cluster, process: subprocess.Popen[bytes]) -> Any:
    assert process.poll() is None, "the API server has ended"
    return cluster.call("GET", "/readyz")


def _write_files(folder: Path, kubeconfig: Path, server: str, token: str, authority: Path) -> None:
    (folder / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')
    (folder / "test-pod.yaml").write_text(yaml.safe_dump(TEST_POD_STAGE))
    one = {"name": "test"}
    cluster = {"server": server, "certificate-authority": str(authority)}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [one | {"cluster": cluster}],
        "users": [one | {"user": {"token": token}}],
        "contexts": [one | {"context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    }
    kubeconfig.write_text(yaml.safe_dump(content))


def _node(number: int) -> dict[str, Any]:
    """A node of kwok's with a GPU; in two zones."""
    size = {"cpu": "32", "memory": "256Gi", "pods": "110", "ephemeral-storage": "1Ti",
            "nvidia.com/gpu": "4"}  # fmt: skip
    labels = {
        "kubernetes.io/hostname": f"node-{number}",
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/zone": f"zone-{number % 2}",
        "nvidia.com/gpu.present": "true",
    }
    return {
        "metadata": {"name": f"node-{number}", "labels": labels},
        "status": {"allocatable": size, "capacity": size},
    }


def _ready(item: dict[str, Any]) -> bool:
    conditions = {c["type"]: c["status"] for c in item["status"].get("conditions") or []}
    return conditions.get("Ready") == "True" and not item["spec"].get("taints")
