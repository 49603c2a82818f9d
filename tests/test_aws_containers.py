"""Container services and EFS: what their texts mean, and that no value of an environment is kept."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from skysweep.aws import _x509, ecr, ecs, ecs_definitions, efs, eks
from skysweep.aws._common import processor
from skysweep.model import Context, Record, Unanswered
from test_catalogue import swept

HERE = Context("123456789012", "us-east-1")


def certificate(*attributes: x509.NameAttribute[str], keys: bool) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(attributes)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer")]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2025, 1, 1, 8, tzinfo=UTC))
        .not_valid_after(datetime(2055, 12, 30, 8, tzinfo=UTC))  # after 2049 the time has another form
    )
    if keys:
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        made = made.add_extension(identifier, critical=False)
        made = made.add_extension(x509.AuthorityKeyIdentifier(identifier.digest, None, None), critical=False)
    return made.sign(key, hashes.SHA256())


@pytest.mark.parametrize("encoding", [serialization.Encoding.DER, serialization.Encoding.PEM])
@pytest.mark.parametrize("keys", [True, False])
def test_a_certificate_is_read_as_cryptography_reads_it(encoding: serialization.Encoding, *, keys: bool) -> None:
    made = certificate(
        x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Ärger, Söhne + Co <x>"),
        x509.NameAttribute(NameOID.EMAIL_ADDRESS, "ca@example.com"),
        x509.NameAttribute(NameOID.COMMON_NAME, "#kubernetes"),
        keys=keys,
    )

    found = _x509.read(made.public_bytes(encoding))

    assert found.fingerprint == made.fingerprint(hashes.SHA256()).hex()
    assert (found.subject, found.issuer) == (made.subject.rfc4514_string(), made.issuer.rfc4514_string())
    assert (found.not_before, found.not_after) == (made.not_valid_before_utc, made.not_valid_after_utc)
    assert (found.subject_key is not None, found.authority_key is not None) == (keys, keys)
    if keys:
        identifier = made.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex()
        assert (found.subject_key, found.authority_key) == (identifier, identifier)


def test_what_is_no_certificate_is_said_to_be_none_wherever_it_breaks_off() -> None:
    name = x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")
    der = certificate(name, keys=True).public_bytes(serialization.Encoding.DER)
    for end in range(len(der)):
        with pytest.raises(ValueError, match=r"."):
            _x509.read(der[:end])


@pytest.mark.parametrize(
    ("data", "status"),
    [("%", "invalid_base64"), (base64.b64encode(b"0\x03\x02\x01\x05").decode(), "invalid_certificate")],
)
def test_a_clusters_certificate_that_cannot_be_read_says_why(data: str, status: str) -> None:
    cluster = Record({"certificateAuthority": {"data": data}}, HERE)
    assert (eks.parse_status(cluster), bool(eks.parse_error(cluster))) == (status, True)


def test_a_cluster_without_a_certificate_lacks_it() -> None:
    assert (eks.parse_status(Record({}, HERE)), eks.parse_error(Record({}, HERE))) == ("missing", None)


def test_no_value_of_an_environment_is_kept() -> None:
    rows = {name: rows for name, (rows, _) in swept().items() if name.startswith(("ECS", "TaskDef", "LatestTask"))}
    assert rows["ECSTask"]
    assert rows["ECSContainerDefinition"]
    assert "not to be stored" not in str(rows)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("host/team/web", "host/team/web:latest"),
        ("host:5000/web", "host:5000/web:latest"),
        ("host/web:1.0", "host/web:1.0"),
        ("host/web@sha256:11", "host/web@sha256:11"),
        (None, None),
    ],
)
def test_an_image_without_a_tag_is_pulled_by_the_tag_latest(image: str | None, name: str | None) -> None:
    assert ecs_definitions.pulled(Record({"image": image}, HERE)) == name


def test_the_family_is_what_stands_before_the_revision() -> None:
    assert ecs_definitions.family("arn:aws:ecs:us-east-1:123456789012:task-definition/web-1_a:12") == "web-1_a"


def test_a_task_is_found_by_its_service_or_else_by_its_cluster() -> None:
    served = Record({"group": "service:web", "clusterArn": "c"}, HERE)
    alone = Record({"group": "family:web", "clusterArn": "c"}, HERE)
    assert (ecs.service_of(served), ecs.cluster_of_standalone(served)) == ("c/web", None)
    assert (ecs.service_of(alone), ecs.cluster_of_standalone(alone)) == (None, "c")


@pytest.mark.parametrize(
    ("told", "known"),
    [("X86_64", "amd64"), ("aarch64", "arm64"), ("arm64", "arm64"), ("armv7l", "arm"), ("mips", "unknown")],
)
def test_processors_have_the_names_that_images_use(told: str, known: str) -> None:
    assert processor(told) == known


def image(**more: Any) -> Record:
    repository = Record({"repositoryUri": "host/web"}, HERE)
    return Record({"imageDigest": "sha256:11", **more}, HERE, repository)


def test_an_image_has_a_node_for_each_tag_and_without_any_one_for_its_digest() -> None:
    tagged = ecr.repository_images(image(imageTags=["1", "2"]))
    assert [each["uri"] for each in tagged] == ["host/web:1", "host/web:2"]
    assert [each["uri"] for each in ecr.repository_images(image())] == ["host/web@sha256:11"]


@pytest.mark.parametrize(
    ("status", "counts", "asked"),
    [
        ("COMPLETE", {"HIGH": 1}, True),
        ("COMPLETE", None, True),
        ("COMPLETE", {}, False),
        ("ACTIVE", {"HIGH": 1}, False),
    ],
)
def test_findings_are_asked_for_where_a_basic_scan_may_have_some(
    status: str, counts: dict[str, int] | None, *, asked: bool
) -> None:
    summary = None if counts is None else {"findingSeverityCounts": counts}
    told = image(imageScanStatus={"status": status}, imageScanFindingsSummary=summary)
    assert ecr.was_scanned(told) is asked


@pytest.mark.parametrize(
    ("frequency", "media", "asked"),
    [
        ("SCAN_ON_PUSH", "application/vnd.oci.image.manifest.v1+json", True),
        ("SCAN_ON_PUSH", ecr.LISTS[0], False),
        ("MANUAL", "application/vnd.oci.image.manifest.v1+json", False),
        (None, "application/vnd.oci.image.manifest.v1+json", True),
    ],
)
def test_where_the_listing_tells_of_no_scan_the_repositorys_scanning_does(
    frequency: str | None, media: str, *, asked: bool
) -> None:
    told = image(imageManifestMediaType=media)
    assert told.up
    if frequency:
        told.up.replies[ecr.SCANNING.call] = {"scanFrequency": frequency}
    else:
        told.up.failed.add(ecr.SCANNING.call)
    assert ecr.was_scanned(told) is asked


def test_what_the_listing_does_not_tell_of_a_scan_stays_as_it_was() -> None:
    with pytest.raises(Unanswered):
        ecr.listed_scan("imageScanStatus.status")(image())
    assert ecr.listed_scan("imageScanStatus.status")(image(imageScanStatus={"status": "ACTIVE"})) == "ACTIVE"


def test_a_service_whose_definition_no_task_runs_has_it_described() -> None:
    def service(running: int, definition: str = "web:2") -> Record:
        deployed = {"taskDefinition": definition, "runningCount": running}
        return Record({"taskDefinition": "web:2", "deployments": [deployed]}, HERE)

    assert ecs_definitions.runs_nowhere(service(0))
    assert ecs_definitions.runs_nowhere(service(3, "web:1")), "the new one has not started yet"
    assert not ecs_definitions.runs_nowhere(service(1))


def test_a_service_that_codedeploy_changes_has_the_definitions_of_its_sets() -> None:
    service = Record({"taskSets": [{"taskDefinition": "web:1"}, {"taskDefinition": "web:2"}]}, HERE)
    assert ecs.definitions(service) == ["web:1", "web:2"]
    assert ecs.definitions(Record({"taskDefinition": "web:2"}, HERE)) == ["web:2"]


def test_a_vulnerability_of_two_packages_is_two_findings() -> None:
    def finding(package: str) -> Record:
        attributes = [{"key": "package_name", "value": package}, {"key": "package_version", "value": "1"}]
        return Record({"name": "CVE-1", "attributes": attributes}, HERE, image())

    assert [ecr.finding_id(finding(package)) for package in "ab"] == ["sha256:11/CVE-1/a/1", "sha256:11/CVE-1/b/1"]
    assert ecr.finding_id(Record({"name": "CVE-1"}, HERE, image())) == "sha256:11/CVE-1"


def test_a_list_of_images_without_entries_lists_nothing() -> None:
    assert ecr.manifests(Record({"imageManifest": json.dumps({"schemaVersion": 2})}, HERE)) == []


@pytest.mark.parametrize(
    ("interface", "targets"),
    [
        ({"RequesterManaged": True, "Description": "EFS mount target for fs-1 (fsmt-1)"}, ["fsmt-1"]),
        ({"RequesterManaged": True, "Description": "Mount target fsmt-1 for file system fs-1"}, ["fsmt-1"]),
        ({"RequesterManaged": False, "Description": "EFS mount target for fs-1 (fsmt-1)"}, []),
        ({"RequesterManaged": True, "Description": "fsmt-1", "OwnerId": "210987654321"}, []),
        ({"RequesterManaged": True}, []),
    ],
)
def test_only_interfaces_that_efs_made_tell_of_mount_targets(interface: dict[str, Any], targets: list[str]) -> None:
    assert [each["MountTargetId"] for each in efs.target_of(Record(interface, HERE))] == targets


def test_a_container_prints_to_the_region_that_its_log_driver_names() -> None:
    def printing(**options: str) -> Record:
        return Record(
            {"logConfiguration": {"options": {f"awslogs-{name}": said for name, said in options.items()}}}, HERE
        )

    there = ecs_definitions.printed_to(printing(group="/web", region="eu-west-1"))
    assert there == "arn:aws:logs:eu-west-1:123456789012:log-group:/web"
    assert ecs_definitions.printed_to(printing(group="/web")) == "arn:aws:logs:us-east-1:123456789012:log-group:/web"
    assert ecs_definitions.printed_to(printing()) is None
    assert ecs_definitions.printed_to(Record({}, HERE)) is None
