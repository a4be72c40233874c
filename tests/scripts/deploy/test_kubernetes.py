"""The manifests for Kubernetes: their keys exist, they fit each other, and the service knows their settings."""

import base64
import binascii
import dataclasses
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from scripts.service.settings import Settings, variable
from tests.scripts.deploy.proxies import DEPLOY

KUBERNETES = "1.37"
MANIFESTS = DEPLOY / "kubernetes"
FILES = sorted(path for path in MANIFESTS.glob("*.yaml") if path.stem != "kustomization")
RUN_BY_HAND = {"migrate.yaml", "secret.example.yaml"}
SETTINGS = {variable(setting.name) for setting in dataclasses.fields(Settings)}


def manifest(name: str) -> Any:
    """The manifest in the file `name`."""
    return yaml.safe_load((MANIFESTS / name).read_text())


def pod(name: str) -> Any:
    """The pod that the manifest in the file `name` makes."""
    return manifest(name)["spec"]["template"]["spec"]


def name_of(path: Path) -> str:
    """The test id of the manifest at `path`."""
    return path.name


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_kubernetes_knows_each_key(path: Path) -> None:
    """A misspelt one would be dropped, or refused on the day of an installation."""
    kubernetes_validate.validate(manifest(path.name), KUBERNETES, strict=True)


def test_a_misspelt_key_is_found() -> None:
    """At any depth."""
    misspelt = manifest("deployment.yaml")
    probe = misspelt["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]
    probe["periodSecond"] = probe.pop("periodSeconds")
    with pytest.raises(kubernetes_validate.ValidationError, match="periodSecond"):
        kubernetes_validate.validate(misspelt, KUBERNETES, strict=True)


def test_the_list_of_kustomize_is_complete() -> None:
    """It has each manifest, except those that an operator applies alone; all run one image."""
    kustomization = manifest("kustomization.yaml")
    assert set(kustomization["resources"]) == {path.name for path in FILES} - RUN_BY_HAND
    [image] = kustomization["images"]
    assert pod("deployment.yaml")["containers"][0]["image"] == image["name"]
    assert pod("migrate.yaml")["containers"][0]["image"] == f"{image['newName']}:{image['newTag']}"


def test_everything_selects_the_replicas() -> None:
    """The labels are those of the pods of the Deployment, and not those of the Job."""
    labels = manifest("deployment.yaml")["spec"]["template"]["metadata"]["labels"]
    selectors = [manifest(name)["spec"]["selector"] for name in ("deployment.yaml", "disruption-budget.yaml")]
    selectors.append(manifest("network-policy.yaml")["spec"]["podSelector"])
    selectors += [spread["labelSelector"] for spread in pod("deployment.yaml")["topologySpreadConstraints"]]
    assert [selector["matchLabels"] for selector in selectors] == [labels] * len(selectors)
    assert manifest("service.yaml")["spec"]["selector"] == labels
    assert manifest("migrate.yaml")["spec"]["template"]["metadata"]["labels"] != labels


@pytest.mark.parametrize("name", ["deployment.yaml", "migrate.yaml"])
def test_the_pods_are_restricted(name: str) -> None:
    """As the standard `restricted` of Kubernetes asks, and with a root that is read-only."""
    context = pod(name)["securityContext"]
    assert (context["runAsNonRoot"], context["runAsUser"]) == (True, 65532)
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod(name)["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


@pytest.mark.parametrize("name", ["deployment.yaml", "migrate.yaml"])
def test_the_variables_are_settings_and_the_secrets_exist(name: str) -> None:
    """The example of a Secret has each key that a pod asks for, and no value that would work."""
    environment = pod(name)["containers"][0]["env"]
    assert {row["name"] for row in environment} <= SETTINGS
    secret = manifest("secret.example.yaml")
    for reference in [row["valueFrom"]["secretKeyRef"] for row in environment if "valueFrom" in row]:
        assert reference["name"] == secret["metadata"]["name"]
        assert "change-me" in secret["stringData"][reference["key"]]
    with pytest.raises(binascii.Error):
        base64.b64decode(secret["stringData"]["oauth-key-secret"], validate=True)


def test_a_pod_may_take_the_time_that_its_drain_takes() -> None:
    """Kubernetes kills it after the grace period."""
    values = {row["name"]: row.get("value") for row in pod("deployment.yaml")["containers"][0]["env"]}
    drain = int(values["IR_DRAIN_DELAY"]) + int(values["IR_DRAIN_TIMEOUT"])
    assert pod("deployment.yaml")["terminationGracePeriodSeconds"] > drain + 5


def test_a_probe_asks_for_what_a_restart_can_mend() -> None:
    """Only readiness looks at the database; a pod is replaced only once its successor is ready."""
    [container] = pod("deployment.yaml")["containers"]
    paths = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert paths == {"startupProbe": "/health/live", "readinessProbe": "/health/ready", "livenessProbe": "/health/live"}
    assert manifest("deployment.yaml")["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
