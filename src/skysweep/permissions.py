"""From an operation to the IAM actions it needs. Mostly `service:operation`; the rest is a table.

Source of the exceptions: the Service Authorization Reference, as gathered in `shared/reference/aws-entities.csv`.
"""

from __future__ import annotations

PREFIXES = {
    "accessanalyzer": "access-analyzer",
    "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "opensearch": "es",
    "resourcegroupstaggingapi": "tag",
    "s3control": "s3",
}

EXCEPTIONS: dict[tuple[str, str], tuple[str, ...]] = {
    **{
        ("apigateway", operation): ("apigateway:GET",)  # its actions are named like the verbs of HTTP
        for operation in (
            "GetAuthorizers",
            "GetBasePathMappings",
            "GetClientCertificate",
            "GetDeployments",
            "GetDomainNames",
            "GetResources",
            "GetRestApis",
            "GetStages",
        )
    },
    ("accessanalyzer", "ListFindingsV2"): ("access-analyzer:ListFindings",),
    **{("apigatewayv2", operation): ("apigateway:GET",) for operation in ("GetApiMappings", "GetApis")},
    ("s3", "ListBuckets"): ("s3:ListAllMyBuckets",),
    ("s3", "HeadBucket"): ("s3:ListBucket",),
    ("s3", "GetBucketEncryption"): ("s3:GetEncryptionConfiguration",),
    ("s3", "GetPublicAccessBlock"): ("s3:GetBucketPublicAccessBlock",),
    ("s3", "GetBucketLifecycleConfiguration"): ("s3:GetLifecycleConfiguration",),
    ("s3", "GetBucketReplication"): ("s3:GetReplicationConfiguration",),
    ("s3", "GetBucketNotificationConfiguration"): ("s3:GetBucketNotification",),
    ("s3control", "GetPublicAccessBlock"): ("s3:GetAccountPublicAccessBlock",),
}


def actions(service: str, operation: str) -> tuple[str, ...]:
    """The IAM actions that one call of `operation` (botocore's names) needs."""
    return EXCEPTIONS.get((service, operation)) or (f"{PREFIXES.get(service, service)}:{operation}",)
