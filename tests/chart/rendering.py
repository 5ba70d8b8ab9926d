"""What is proven of the chart by rendering it, without a cluster."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped] # ships no types

from chart.describe import OWN, SCHEMA, camel
from chart.helm import CHART, CI, FOR_KUBERNETES, FULLNAME, Helm, one
from service.settings import each_setting, variable

if TYPE_CHECKING:
    from collections.abc import Sequence

ALERTS_TEST = Path(__file__).parent / "alerts_test.yaml"
COMMAND_SECONDS = 120
# `run --check-config` would look for the files that pods have mounted.
LOAD_SETTINGS = "from service.settings import load_settings; load_settings()"
BEARER = {"securityProtocol": "SASL_SSL", "saslMechanism": "OAUTHBEARER"}
# Values that Helm's schema or the chart's validations must refuse, and what they must say.
REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"replica": 2}, "additional properties 'replica' not allowed"),
    ({"settings": {"kafka": {"groupID": "g"}}}, "additional properties 'groupID' not allowed"),
    ({"replicas": "two"}, "got string, want integer"),
    ({"settings": {"http": {"port": 80}}}, "minimum: got 80, want 1,024"),
    ({"autoscaling": {"mode": "on"}}, "value must be one of 'none', 'keda', 'hpa'"),
    ({"secrets": {"sasl": {"password": "x"}}}, "additional properties 'password' not allowed"),
    ({"replicas": 7}, "lower it, or set inputPartitions"),
    ({"autoscaling": {"mode": "keda", "minReplicas": 7}}, "lower it, or raise these"),
    ({"autoscaling": {"mode": "hpa", "minReplicas": 0}}, "needs autoscaling.mode=keda"),
    ({"autoscaling": {"mode": "keda", "keda": {"drainSeconds": 30}}}, "need each other"),
    ({"autoscaling": {"mode": "keda", "keda": {"allowIdleConsumers": True}}}, "second to false"),
    ({"autoscaling": {"mode": "keda", "keda": {"keepOffsets": {"end": ""}}}}, "keepOffsets.end"),
    ({"autoscaling": {"mode": "keda", "minReplicas": 0, "keda": {"keepOffsets": {"start": ""}}},
      "settings": {"kafka": {"autoOffsetReset": "latest"}}}, "what came meanwhile"),
    ({"autoscaling": {"mode": "keda"}, "secrets": {"token": {"name": "t"}},
      "settings": {"kafka": BEARER}}, "KEDA cannot ask the brokers"),
    ({"backfill": {"enabled": True, "replicas": 7}}, "set inputPartitions to what"),
    ({"backfill": {"enabled": True, "groupId": "sentiment-stream"}}, "name another one"),
    ({"backfill": {"enabled": True, "from": "yesterday"}}, "does not match pattern"),
    ({"hostUsers": False, "runAsUser": 65536}, "0 to 65535"),
    ({"autoscaling": {"mode": "hpa"}, "staticMembership": True}, "set autoscaling.mode to none"),
    ({"settings": {"kafka": {"groupInstanceId": "pod"}}}, "'groupInstanceId' not allowed"),
    ({"autoscaling": {"mode": "hpa"}, "gpu": {"count": 1}}, "set it to keda"),
    ({"autoscaling": {"mode": "keda", "keda": {"activationLagThreshold": 6}}}, "12 or more"),
    ({"settings": {"kafka": {"outputTopic": "sentiment.messages"}}}, "name different ones"),
    ({"settings": {"kafka": {"securityProtocol": "SASL_SSL"}}}, "set settings.kafka.saslUsername"),
    ({"secrets": {"sasl": {"name": "s"}}}, "set it to SASL_SSL or SASL_PLAINTEXT"),
    ({"secrets": {"ca": {"name": "s"}}}, "set it to SSL or SASL_SSL"),
    ({"settings": {"kafka": BEARER}}, "set secrets.token.name"),
    ({"settings": {"kafka": BEARER | {"saslUsername": "u"}}, "secrets": {"token": {"name": "t"}}},
     "remove secrets.sasl.name"),
    ({"secrets": {"token": {"name": "t"}}}, "saslMechanism to OAUTHBEARER"),
    ({"settings": {"kafka": BEARER}, "secrets": {"token": {"name": "t", "audience": "a"}}},
     "two tokens"),
    ({"settings": {"model": {"name": "org/model"}}}, "model.source=volume or oci"),
    ({"settings": {"model": {"name": "/m"}}, "model": {"source": "oci"}}, "name two models"),
    ({"model": {"source": "volume"}}, "needs model.volume"),
    ({"model": {"volume": {"emptyDir": {}}}}, "set it to volume"),
    ({"model": {"source": "oci"}}, "needs model.oci.reference"),
    ({"gpu": {"count": 1}, "settings": {"model": {"device": "cpu"}}}, "set device to auto"),
    ({"settings": {"model": {"device": "cuda"}}}, "set gpu.count to 1"),
    ({"settings": {"tracing": {"exporter": "otlp"}}}, "needs settings.tracing.endpoint"),
    ({"networkPolicy": {"collectorTo": [{"podSelector": {}}]}}, "settings.tracing.exporter"),
    ({"networkPolicy": {"registryTo": [{"podSelector": {}}]}}, "settings.kafka.schemaRegistryUrl"),
    ({"secrets": {"registry": {"name": "s"}}}, "settings.kafka.schemaRegistryUsername"),
    ({"strimzi": {"topics": {"enabled": True}}}, "set strimzi.cluster"),
    ({"strimzi": {"cluster": "c", "user": {"enabled": True, "authentication": "scram-sha-512"}}},
     "needs settings.kafka.saslMechanism"),
)  # fmt: skip

# Addresses of a collector, and the port that must be let through for each.
COLLECTORS = {
    "": None,
    "http://collector.tracing:4318/v1/traces": 4318,
    "https://collector.example/v1/traces": 443,
    "http://collector2": 80,
    "http://[fd00::4318]:55681/v1/traces": 55681,
}


def lint(helm: Helm) -> str:
    """`helm lint --strict` finds nothing, with each file of values."""
    for file in CI:
        helm.do("lint", "--strict", "--quiet", *FOR_KUBERNETES, str(CHART), f"--values={file}")
    return f"{len(CI)} files of values"


def refusals(helm: Helm) -> str:
    """What cannot work is refused, with what to do."""
    for number, (values, message) in enumerate(REFUSED):
        result = helm.render(helm.values(f"refused-{number}", values))
        assert not result.ok, f"{values} is rendered"
        assert message in result.error, f"{values} says {result.error}"
    return f"{len(REFUSED)} of {len(REFUSED)}"


def settings_reach_the_program(helm: Helm, folder: Path) -> str:
    """Each file's settings are right for the program, and every setting there is reaches it."""
    files: list[str | Path] = list(CI)
    # A password or a token: no program takes the settings of both.
    for login, without in (("sasl", "saslExtensions"), ("token", "saslUsername")):
        every = _every_setting(folder)
        del every["kafka"][without]
        every["kafka"]["saslMechanism"] = {"sasl": "PLAIN", "token": "OAUTHBEARER"}[login]
        secrets = {name: {"name": name.lower()} for name in (login, "registry", "registryClient")}
        files.append(helm.values(f"every-{login}", {"settings": every, "secrets": secrets}))
    found: set[str] = set()
    for file in files:
        data = one(helm.objects(file), "ConfigMap", _fullname(file))["data"]
        environment = {"PATH": os.environ["PATH"], **data}
        for name in data:
            if name.endswith("_FILE"):  # what is mounted there in a pod
                environment[name] = str(SCHEMA)
        _do([sys.executable, "-c", LOAD_SETTINGS], environment)
        if file not in CI:
            found |= set(data)
    expected = {variable(g, n) for g, n, _ in each_setting() if (g, n) not in OWN}
    expected |= {variable("kafka", f"{what}_file") for what in (
        "sasl_password", "sasl_token", "schema_registry_password", "schema_registry_certificate",
        "schema_registry_key")}  # fmt: skip
    assert expected == found, expected ^ found
    assert data["SENTIMENT_KAFKA__UNFOLDED_BYTES_MAX"] == "33554432"
    return f"{len(expected)} settings"


def shape(helm: Helm) -> str:
    """Replicas, grace period, update, tokens and secrets are as the chart says of them."""
    for file in CI:
        objects = helm.objects(file)
        pods = next(o for o in objects if o["kind"] in ("Deployment", "StatefulSet", "Job"))
        deployment = pods["spec"]
        scaled = any(o["kind"] in ("ScaledObject", "HorizontalPodAutoscaler") for o in objects)
        assert scaled != ("replicas" in deployment or pods["kind"] == "Job"), file
        data = next(o for o in objects if o["kind"] == "ConfigMap")["data"]
        grace_s = deployment["template"]["spec"]["terminationGracePeriodSeconds"]
        assert grace_s > int(data["SENTIMENT_DELIVERY__DRAIN_TIMEOUT_S"]) + 10
        [container] = deployment["template"]["spec"]["containers"]
        if pods["kind"] == "Deployment":
            assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
            assert "GROUP_INSTANCE_ID" not in str(container)
        elif pods["kind"] == "StatefulSet":
            [name] = [e for e in container["env"] if e["name"].endswith("GROUP_INSTANCE_ID")]
            assert name["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
            assert int(data["SENTIMENT_KAFKA__SESSION_TIMEOUT_MS"]) == 60_000
        assert not any(o["kind"] == "Secret" for o in objects)
    keda = one(helm.objects(CHART / "ci" / "keda-values.yaml"), "ScaledObject")["spec"]
    assert keda["maxReplicaCount"] == 24
    [first, second] = keda["triggers"]
    assert first["metadata"]["activationLagThreshold"] == "120"
    assert (first["metadata"]["topic"], second["metadata"]["topic"]) == ("posts", "reviews")
    capped = helm.values("capped", {"inputPartitions": 3, "autoscaling": {"mode": "keda"}})
    assert one(helm.objects(capped), "ScaledObject")["spec"]["maxReplicaCount"] == 3
    return f"{len(CI)} files of values"


def network(helm: Helm) -> str:
    """The network lets spans out to the port of their collector, and only where there are any."""
    for endpoint, port in COLLECTORS.items():
        tracing = {"exporter": "otlp", "endpoint": endpoint} if endpoint else {}
        values = helm.values("network", {"settings": {"tracing": tracing}})
        egress = one(helm.objects(values), "NetworkPolicy")["spec"]["egress"]
        ports = [[to["port"] for to in rule["ports"]] for rule in egress]
        assert [[53, 53], [9092], *([[port]] if port else [])] == ports, f"{endpoint}: {ports}"
    registry = {"settings": {"kafka": {"schemaRegistryUrl": "https://registry.example"}}}
    egress = one(helm.objects(helm.values("registry", registry)), "NetworkPolicy")["spec"]["egress"]
    assert [[53, 53], [9092], [443]] == [[to["port"] for to in rule["ports"]] for rule in egress]
    narrow = one(helm.objects(CHART / "ci" / "security-values.yaml"), "NetworkPolicy")["spec"]
    [_, kafka, collector] = narrow["egress"]
    names = [rule["to"][0]["namespaceSelector"]["matchLabels"] for rule in (kafka, collector)]
    assert [{"kubernetes.io/metadata.name": name} for name in ("kafka", "tracing")] == names
    return f"{len(COLLECTORS)} addresses"


def alerts(helm: Helm, promtool: Path, folder: Path) -> str:
    """Prometheus takes the rules; each alert fires on its fault and not before."""
    objects = helm.objects(CHART / "ci" / "monitoring-values.yaml")
    rules = one(objects, "PrometheusRule")["spec"]
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules))
    _do([str(promtool), "check", "rules", "--lint=all", "--lint-fatal", str(folder / "rules.yaml")])
    shutil.copy(ALERTS_TEST, folder / "alerts_test.yaml")
    _do([str(promtool), "test", "rules", str(folder / "alerts_test.yaml")])
    names = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    tests = yaml.safe_load(ALERTS_TEST.read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    for fires in (True, False):
        seen = {case["alertname"] for case in cases if ("exp_alerts" in case) == fires}
        assert seen == names, names ^ seen
    return f"{len(names)} alerts, {len(cases)} moments"


def queries(helm: Helm, promtool: Path) -> str:
    """Prometheus can parse each query of the dashboard."""
    objects = helm.objects(CHART / "ci" / "monitoring-values.yaml")
    [text] = one(objects, "ConfigMap", "scores-sentiment-stream-dashboard")["data"].values()
    expressions = [t["expr"] for panel in json.loads(text)["panels"] for t in panel["targets"]]
    for expression in expressions:
        whole = expression.replace("$__rate_interval", "2m")
        _do([str(promtool), "--experimental", "promql", "format", whole])
    return f"{len(expressions)} queries"


def policies(helm: Helm, kube_score: Path, folder: Path) -> str:
    """A linter of policies finds nothing critical, but where a value takes a policy away."""
    # An image's tag is a version, and never another image later.
    flags = ["--ignore-test=container-image-pull-policy",
             "--enable-optional-test=container-seccomp-profile"]  # fmt: skip
    files = [file for file in CI if file.name != "everything-values.yaml"]
    for file in files:
        result = helm.render(file)
        assert result.ok, result.error
        (folder / "rendered.yaml").write_text(result.out)
        _do([str(kube_score), "score", *flags, str(folder / "rendered.yaml")])
    return f"{len(files)} files of values"


def _every_setting(folder: Path) -> dict[str, dict[str, Any]]:
    groups: dict[str, dict[str, Any]] = {}
    # What has no default, each with something that the program takes.
    others = {
        "heartbeat_interval_ms": 3000, "rebalance_timeout_ms": 60000,
        "max_poll_interval_ms": 300000, "transaction_timeout_ms": 20000, "sasl_username": "u",
        "sasl_extensions": "logicalCluster=lkc-1",
        "revision": "0123456", "run_tokens_max": 1024, "tuning_file": str(folder / "tuning.json"),
        "calibration_file": str(folder / "calibration.json"),
        "endpoint": "http://collector:4318/v1/traces", "feed": "slack", "drop_headers": "x-trace",
        "schema_registry_url": "https://registry:8081", "schema_registry_username": "u",
        "schema_registry_subject": "events",
    }  # fmt: skip
    for group, name, field in each_setting():
        if (group, name) not in OWN:
            default = field.get_default()
            value = others[name] if default is None else default
            groups.setdefault(group, {})[camel(name)] = value
    groups["kafka"] |= {"bootstrapServers": "b:9092", "securityProtocol": "SASL_PLAINTEXT"}
    return groups


def _fullname(file: str | Path) -> str:
    values = yaml.safe_load(Path(file).read_text()) or {}
    name = str(values.get("fullnameOverride") or FULLNAME)
    return f"{name}-backfill" if values.get("backfill", {}).get("enabled") else name


def _do(command: Sequence[str], environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(  # noqa: S603 - fixed commands, no shell
        command, env=environment, capture_output=True, text=True, check=False,
        timeout=COMMAND_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, f"{command[0]}: {(done.stdout + done.stderr).strip()[-2000:]}"
