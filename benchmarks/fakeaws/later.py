"""As kinds.py, for services that have little of their own: what the shapes alone would tell wrongly, or not tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.fakeaws.kinds import OPEN, arn, iam

_DIGEST = "sha256:{place}{n:056x}"
_MANIFEST = (
    '{{"manifests": [{{"digest": "sha256:{place}a{n:055x}", "platform": {{"architecture": "arm64", "os": "linux"}}}}, '
    '{{"digest": "sha256:{place}b{n:055x}", "platform": {{"architecture": "unknown", "os": "unknown"}}}}]}}'
)
_LIST = "application/vnd.oci.image.index.v1+json"
_TASK_DEFINITION = arn("ecs", "task-definition/family-{n}:1")
_WEB_ACL = "arn:{partition}:wafv2:us-east-1:{account}:global/webacl/acl-{n}/{uuid}"
_DOMAIN = "domain-{account}-{n}.example.com"

LATER: Mapping[str, Mapping[str, Any]] = {
    "apigateway": {"restApiId": "api|api-{place}-{n}", "policy": OPEN},
    "apigateway:GetRestApis": {"items.id": "api|api-{place}-{n}"},
    "batch": {"jobQueue": arn("batch", "jobqueue/jobqueue-{n}"), "jobQueueArn": arn("batch", "jobqueue/jobqueue-{n}")},
    "cloudwatch": {
        "MetricAlarms.AlarmArn": arn("cloudwatch", "alarm:alarm-{n}"),
        "CompositeAlarms.AlarmArn": arn("cloudwatch", "alarm:composite-{n}"),
    },
    "config": {"ComplianceType": "NON_COMPLIANT", "ComplianceResourceId": None},
    "ecr": {
        "registryId": "{account}",
        "repositoryArn": "repository|" + arn("ecr", "repository/repository-{n}"),
        "repositoryName": "repository|repository-{n}",
        "repositoryUri": "repository|{account}.dkr.ecr.{region}.amazonaws.com/repository-{n}",
        "imageDigest": _DIGEST,
        "imageManifest": _MANIFEST,
        "imageManifestMediaType": (_LIST, "application/vnd.oci.image.manifest.v1+json"),
        "imageScanStatus.status": "COMPLETE",
        "policyText": OPEN,
        "lifecyclePolicyText": OPEN,
    },
    "ecs": {
        "clusterArn": arn("ecs", "cluster/cluster-{n}"),
        "clusterArns": arn("ecs", "cluster/cluster-{n}"),
        "families": "family-{n}",
        "revision": 1,
        "taskDefinition": _TASK_DEFINITION,
        "taskDefinitionArn": _TASK_DEFINITION,
        "taskDefinitionArns": _TASK_DEFINITION,
    },
    "efs": {"Policy": OPEN},
    "eks": {
        "clusters": "cluster-{n}",
        "clusterName": "cluster-{n}",
        "accessEntries": iam("role/role-{n}"),
        "principalArn": iam("role/role-{n}"),
        "roleArn": iam("role/role-{n}"),
    },
    "eks:DescribeCluster": {"cluster.name": "cluster-{n}", "cluster.arn": arn("eks", "cluster/cluster-{n}")},
    "events": {"Policy": OPEN},
    "iam:GetAccountAuthorizationDetails": {
        "Tags.Key": ("Email", "Name"),
        "Tags.Value": ("person-{n}@example.com", "thing-{n}"),
    },
    "inspector2": {"awsAccountId": "{account}"},
    "logs": {
        "logGroupName": "loggroup!|group-{n}",
        "logGroupArn": "loggroup!|" + arn("logs", "log-group:group-{n}"),
    },
    "opensearch": {"AccessPolicies": OPEN},
    "route53domains": {"DomainName": _DOMAIN},
    "wafv2:ListWebACLs/CLOUDFRONT": {"ARN": _WEB_ACL},
    "wafv2:GetWebACL/CLOUDFRONT": {"ARN": _WEB_ACL},
    "workspaces": {
        "WorkspaceId": "workspace|ws-{place}-{n}",
        "BundleId": "bundle|wsb-{place}-{n}",
        "BundleIds": "bundle|wsb-{place}-{n}",
    },
}
"""By listing or operation, and by service: member to reference, text or value, as in `kinds.MEMBERS`."""
