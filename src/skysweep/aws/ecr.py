"""ECR: repositories of container images, who may pull and push there, what their scans found.

A digest names an image by its content, so the same image in two repositories or accounts is one node; what a
repository says of it (tags, times, scans) is the repository image's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from skysweep.aws._common import processor
from skysweep.aws.iam import AWSRole
from skysweep.aws.kms import KMSKey
from skysweep.aws.resourcepolicies import PolicyStatement, statements_of
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.model import Record, Resource, Unanswered, at, by, call, detail, to
from skysweep.paths import reader

LISTS = ("application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.oci.image.index.v1+json")

REPOSITORIES = call("ecr", "DescribeRepositories", "repositories[]")
POLICY = detail(
    "ecr",
    "GetRepositoryPolicy",
    on=REPOSITORIES,
    missing="RepositoryPolicyNotFoundException",
    repositoryName="repositoryName",
)
LIFECYCLE = detail(
    "ecr",
    "GetLifecyclePolicy",
    on=REPOSITORIES,
    missing="LifecyclePolicyNotFoundException",
    repositoryName="repositoryName",
)
# What is scanned is said by the registry's rules, which the repository's own setting knows nothing of.
SCANNING = detail(
    "ecr",
    "BatchGetRepositoryScanningConfiguration",
    "scanningConfigurations[]",
    on=REPOSITORIES,
    batch=25,
    whose="repositoryName",
    repositoryNames="repositoryName",
)


class ECRRepository(Resource):
    """A repository of container images: whoever may push there decides what runs where its images are used."""

    also = ("AWSECRRepository", "ContainerRegistry")
    source = REPOSITORIES

    id: str = at("repositoryArn")
    arn: str = at("repositoryArn", index=True)
    name: str = at("repositoryName", index=True)
    uri: str = at("repositoryUri", index=True)
    registry_id: str = at("registryId")
    created_at: datetime = at("createdAt")
    image_tag_mutability: str = at("imageTagMutability", doc="MUTABLE: a tag may be moved to another image")
    scan_on_push: bool = at(
        "imageScanningConfiguration.scanOnPush", doc="Of the repository alone: the registry's rules decide"
    )
    scan_frequency: str = at(
        "scanFrequency", of=SCANNING, doc="SCAN_ON_PUSH, CONTINUOUS_SCAN, or MANUAL: only what somebody asks for"
    )
    encryption_type: str = at("encryptionConfiguration.encryptionType")
    kms_key: str = at("encryptionConfiguration.kmsKey")
    policy: str = at("policyText", of=POLICY, doc="Who else may pull and push, as JSON; null: the account only")
    lifecycle_policy: str = at("lifecyclePolicyText", of=LIFECYCLE, doc="Which images expire, as JSON")

    key: KMSKey = to("ENCRYPTED_BY", "encryptionConfiguration.kmsKey", on="arn")
    tagged: list[AWSTag] = tagged_by_arn(REPOSITORIES, "repositoryArn")


class ECRPolicyStatement(PolicyStatement):
    """One statement of a repository's policy: who may pull from there, or push."""

    source = POLICY.each(statements_of("policyText", "^repositoryArn"))

    repository: ECRRepository = by("POLICY_STATEMENT", "^^repositoryArn")


IMAGES = detail(
    "ecr", "DescribeImages", "imageDetails[]", on=REPOSITORIES, after=SCANNING, repositoryName="repositoryName"
)


def is_list(image: Record) -> bool:
    """Whether an image is a list of images, one a platform."""
    return image["imageManifestMediaType"] in LISTS


def itself(image: Record) -> list[dict[str, str]]:
    """An image as the input of an operation on several."""
    return [{"imageDigest": image["imageDigest"]}]


LISTED = detail(
    "ecr",
    "BatchGetImage",
    "images[]",
    on=IMAGES,
    when=is_list,
    acceptedMediaTypes=list(LISTS),
    repositoryName="repositoryName",
    imageIds=itself,
)


def is_attestation(manifest: dict[str, Any]) -> bool:
    """Whether an entry of a list is no image but says how one of the others was built."""
    platform = manifest.get("platform") or {}
    kind = (manifest.get("annotations") or {}).get("vnd.docker.reference.type")
    return kind == "attestation-manifest" or platform.get("architecture") == platform.get("os") == "unknown"


def manifests(listed: Record) -> list[dict[str, Any]]:
    """The entries of a list of images, as its manifest has them."""
    found: list[dict[str, Any]] = json.loads(listed["imageManifest"]).get("manifests") or []
    return found


def child_digests(image: Record) -> list[str]:
    """The digests of the images in a list, its attestations left out."""
    lists = (Record(each, image.context) for each in image.reply(LISTED).get("images") or ())
    return [each["digest"] for one in lists for each in manifests(one) if not is_attestation(each)]


class ECRImage(Resource):
    """A container image, or a list of images for several platforms, known by the digest of its content."""

    also = ("AWSECRImage",)
    source = IMAGES
    shared = True

    id: str = at("imageDigest")
    digest: str = at("imageDigest", index=True)
    media_type: str = at("imageManifestMediaType")
    artifact_media_type: str = at("artifactMediaType")
    child_image_digests: list[str] = at(child_digests, of=LISTED, doc="The images in a list, one a platform")

    children: list[ECRImage] = to("CONTAINS_IMAGE", child_digests, of=LISTED)


def told(image: Record) -> list[Any]:
    """An image whose type its listing tells: an untagged one may be an attestation, which only its list says."""
    return [image.item] if is_list(image) or image["imageTags"] else []


class ECRTaggedImage(Resource, extends=ECRImage):
    """An image that somebody named, or a list of images."""

    source = IMAGES.each(told)

    id: str = at("imageDigest")
    type: str = at(lambda image: "manifest_list" if is_list(image) else "image", doc="image or manifest_list")


def _annotation(name: str) -> Callable[[Record], str | None]:
    """The function that reads an annotation of an attestation."""

    def read(manifest: Record) -> str | None:
        found = (manifest["annotations"] or {}).get(f"vnd.docker.reference.{name}")
        return found if is_attestation(manifest.item) else None

    read.__doc__ = f"The attestation's annotation vnd.docker.reference.{name}."
    return read


class ECRImageInList(Resource, extends=ECRImage):
    """An image for one platform, or what attests how one was built, as the list that it is in tells of it."""

    source = LISTED.each(manifests)

    id: str = at("digest")
    type: str = at(lambda manifest: "attestation" if is_attestation(manifest.item) else "image")
    architecture: str = at("platform.architecture", then=processor)
    os: str = at("platform.os")
    variant: str = at("platform.variant")
    attestation_type: str = at(_annotation("type"))
    attests_digest: str = at(_annotation("digest"))

    attests: ECRImage = to("ATTESTS", _annotation("digest"), on="digest")


_repository_uri = reader("^repositoryUri")


def _named(image: Record, digests: Sequence[str]) -> Iterator[dict[str, Any]]:
    """An image by each of its names in its repository; by its digest where it has no tag."""
    uri = _repository_uri(image)
    for tag in image["imageTags"] or (None,):
        name = f"{uri}:{tag}" if tag else f"{uri}@{image['imageDigest']}"
        yield {**image.item, "uri": name, "repository": uri, "tag": tag, "digests": digests}


def pulled_as(image: str) -> str:
    """The name that an image is pulled by: the tag ``latest`` where none is said."""
    return image if "@" in image or ":" in image.rpartition("/")[2] else f"{image}:latest"


def listed_scan(path: str) -> Callable[[Record], Any]:
    """The function that reads what the listing says of an image's scan, where it says that there is one."""
    read = reader(path)

    def told(image: Record) -> Any:
        if image["imageScanStatus"] is None:  # the newer basic scanning tells it image by image only
            raise Unanswered(path)
        return read(image)

    told.__doc__ = f"`{path}`, where the listing tells of scans."
    return told


_COUNTS = "imageScanFindingsSummary.findingSeverityCounts"


def repository_images(image: Record) -> Iterator[dict[str, Any]]:
    """The names of an image in its repository."""
    return _named(image, [image["imageDigest"]])


class NamedImage(Resource):
    """What a name in a repository stands for; told by two calls."""

    id: str = at("uri")

    images: list[ECRImage] = to("IMAGE", "digests")


class ECRRepositoryImage(NamedImage):
    """An image as a repository names it, by a tag or (untagged) by its digest: what it is pulled by."""

    also = ("AWSECRRepositoryImage", "ImageTag")
    source = IMAGES.each(repository_images)

    uri: str = at("uri", index=True)
    tag: str = at("tag")
    repo_uri: str = at("repository")
    digest: str = at("imageDigest", index=True)
    image_size_bytes: int = at("imageSizeInBytes")
    image_pushed_at: datetime = at("imagePushedAt")
    image_manifest_media_type: str = at("imageManifestMediaType")
    artifact_media_type: str = at("artifactMediaType")
    last_recorded_pull_time: datetime = at("lastRecordedPullTime")
    scan_status: str = at(
        listed_scan("imageScanStatus.status"), doc="COMPLETE, or ACTIVE where Inspector scans all the time"
    )
    scan_completed_at: datetime = at(listed_scan("imageScanFindingsSummary.imageScanCompletedAt"))
    critical_findings: int = at(listed_scan(f"{_COUNTS}.CRITICAL"))
    high_findings: int = at(listed_scan(f"{_COUNTS}.HIGH"))

    repository: ECRRepository = by("REPO_IMAGE", "repository", on="uri")


def repository_lists(listed: Record) -> Iterator[dict[str, Any]]:
    """The names of a list of images in its repository, with the digests of all that is in it."""
    image = listed.up
    if image is not None:
        yield from _named(image, [image["imageDigest"], *(each["digest"] for each in manifests(listed))])


class ECRRepositoryImageOfList(NamedImage, extends=ECRRepositoryImage):
    """The name of a list of images is the name of each of them: which is pulled, the machine decides."""

    source = LISTED.each(repository_lists)


def scans_on_push(image: Record) -> bool:
    """Whether the image's repository scans what is pushed to it; where that was not answered it may well."""
    try:
        return bool(image.reply(SCANNING).get("scanFrequency") == "SCAN_ON_PUSH")
    except Unanswered:
        return True


def was_scanned(image: Record) -> bool:
    """Whether a basic scan found something, or may have: the newer one leaves no trace in the listing.

    Inspector's findings (status ACTIVE) are Inspector's to tell, and lists of images are never scanned.
    """
    status = (image["imageScanStatus"] or {}).get("status")
    if status is None:
        return not is_list(image) and scans_on_push(image)
    counts = (image["imageScanFindingsSummary"] or {}).get("findingSeverityCounts")
    return status == "COMPLETE" and (counts is None or any(counts.values()))


FINDINGS = detail(
    "ecr",
    "DescribeImageScanFindings",
    "imageScanFindings.findings[]",
    on=IMAGES,
    when=was_scanned,
    missing="ScanNotFoundException",
    repositoryName="repositoryName",
    imageId=lambda image: itself(image)[0],
)
_digest = reader("^imageDigest")


def scans(reply: Record) -> Iterator[dict[str, Any]]:
    """What a scan says of its image, under each of the image's names."""
    if reply.up is not None:
        yield from ({**reply.item, **named} for named in repository_images(reply.up))


class ScannedRepositoryImage(Resource, extends=ECRRepositoryImage):
    """What a basic scan of an image came to, as the scan itself tells it."""

    source = FINDINGS["@"].each(scans)

    id: str = at("uri")
    scan_status: str = at("imageScanStatus.status")
    scan_completed_at: datetime = at("imageScanFindings.imageScanCompletedAt")
    critical_findings: int = at("imageScanFindings.findingSeverityCounts.CRITICAL")
    high_findings: int = at("imageScanFindings.findingSeverityCounts.HIGH")


def attribute(*names: str) -> Callable[[Record], str | None]:
    """The function that reads the first of these attributes that a finding has."""

    def read(finding: Record) -> str | None:
        found = {each["key"]: each.get("value") for each in finding["attributes"] or ()}
        return next((found[name] for name in names if name in found), None)

    read.__doc__ = f"The finding's attribute {' or '.join(names)}."
    return read


package, package_version = attribute("package_name"), attribute("package_version")


def finding_id(finding: Record) -> str:
    """Image and vulnerability, and the package: a vulnerability may be in several."""
    parts = (_digest(finding), finding["name"], package(finding), package_version(finding))
    return "/".join(part for part in parts if part)


class AWSECRImageScanFinding(Resource):
    """A known vulnerability of a package in an image, found by a basic scan."""

    source = FINDINGS
    shared = True

    id: str = at(finding_id)
    name: str = at("name", index=True, doc="The vulnerability's, mostly a CVE's")
    description: str = at("description")
    uri: str = at("uri")
    severity: str = at("severity", index=True)
    package_name: str = at(package)
    package_version: str = at(package_version)
    cvss_score: float = at(attribute("CVSS4_SCORE", "CVSS3_SCORE", "CVSS2_SCORE"), then=float)
    cvss_vector: str = at(attribute("CVSS4_VECTOR", "CVSS3_VECTOR", "CVSS2_VECTOR"))
    image_digest: str = at("^imageDigest")

    image: ECRImage = to("AFFECTS", "^imageDigest")
    repository: ECRRepository = to("AFFECTS", "^^repositoryArn")


class ECRPullThroughCacheRule(Resource):
    """A prefix under which images of another registry are pulled and kept: what comes from there runs here."""

    also = ("AWSECRPullThroughCacheRule",)
    source = call("ecr", "DescribePullThroughCacheRules", "pullThroughCacheRules[]")

    id: str = at("{registryId}:{region}:{ecrRepositoryPrefix}")
    registry_id: str = at("registryId")
    ecr_repository_prefix: str = at("ecrRepositoryPrefix")
    upstream_registry_url: str = at("upstreamRegistryUrl")
    upstream_registry: str = at("upstreamRegistry")
    upstream_repository_prefix: str = at("upstreamRepositoryPrefix")
    credential_arn: str = at("credentialArn", index=True, doc="The secret it signs in there with")
    custom_role_arn: str = at("customRoleArn")
    created_at: datetime = at("createdAt")
    updated_at: datetime = at("updatedAt")

    role: AWSRole = to("ASSOCIATED_WITH", "customRoleArn")
