"""KMS: encryption keys, the names they go by, and who else was given the use of them."""

from __future__ import annotations

from skysweep.aws._common import epoch
from skysweep.aws.resourcepolicies import PolicyStatement, statements_of
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.model import Record, Resource, at, by, call, detail, to

KEYS = call("kms", "ListKeys", "Keys[]")
DESCRIBED = detail("kms", "DescribeKey", "KeyMetadata", on=KEYS, KeyId="KeyId")


def is_customers(key: Record) -> bool:
    """Whether the customer manages the key: AWS writes the policies of its own keys and rotates them."""
    return bool(key["KeyManager"] == "CUSTOMER")


def can_rotate(key: Record) -> bool:
    """Whether KMS can rotate the key: only customers' symmetric ones whose material it made itself."""
    return is_customers(key) and key["KeySpec"] == "SYMMETRIC_DEFAULT" and key["Origin"] == "AWS_KMS"


def policy_name(_: Record) -> str:
    """The name of the only policy that a key can have."""
    return "default"


POLICY = detail("kms", "GetKeyPolicy", on=DESCRIBED, when=is_customers, KeyId="KeyId", PolicyName=policy_name)
ROTATION = detail(
    "kms",
    "GetKeyRotationStatus",
    on=DESCRIBED,
    when=can_rotate,
    missing="UnsupportedOperationException",
    KeyId="KeyId",
)


def key_node(key: Record) -> str:
    """The key id, Cartography's id; the ARN for a replica, which has its primary's key id in another region."""
    replica = (key["MultiRegionConfiguration"] or {}).get("MultiRegionKeyType") == "REPLICA"
    return str(key["Arn"] if replica else key["KeyId"])


class KMSKey(Resource):
    """An encryption key: whoever may use it reads what it protects, and without it nobody does."""

    also = ("AWSKMSKey", "EncryptionKey")
    source = DESCRIBED

    id: str = at(key_node)
    key_id: str = at("KeyId", index=True)
    arn: str = at("Arn", index=True)
    description: str = at("Description")
    enabled: bool = at("Enabled")
    key_state: str = at("KeyState")
    key_usage: str = at("KeyUsage")
    key_manager: str = at("KeyManager", doc="AWS or CUSTOMER")
    origin: str = at("Origin")
    key_spec: str = at("KeySpec")
    customer_master_key_spec: str = at("CustomerMasterKeySpec")
    encryption_algorithms: list[str] = at("EncryptionAlgorithms")
    signing_algorithms: list[str] = at("SigningAlgorithms")
    creation_date: int = at("CreationDate", then=epoch)
    deletion_date: int = at("DeletionDate", then=epoch)
    valid_to: int = at("ValidTo", then=epoch, doc="When imported key material expires")
    expiration_model: str = at("ExpirationModel")
    custom_key_store_id: str = at("CustomKeyStoreId")
    cloud_hsm_cluster_id: str = at("CloudHsmClusterId")
    multi_region: bool = at("MultiRegion")
    multi_region_key_type: str = at("MultiRegionConfiguration.MultiRegionKeyType", doc="PRIMARY or REPLICA")
    rotation_enabled: bool = at("KeyRotationEnabled", of=ROTATION, doc="Null for keys that KMS cannot rotate")
    policy: str = at("Policy", of=POLICY, doc="The key policy, as JSON; not asked for on AWS's own keys")

    tagged: list[AWSTag] = tagged_by_arn(KEYS, "KeyArn")


class KMSPolicyStatement(PolicyStatement):
    """One statement of a key's policy: who may use the key or manage it; no other policy lets anybody in without it."""

    source = POLICY.each(statements_of("Policy", "^Arn"))

    key: KMSKey = by("POLICY_STATEMENT", "^^Arn", on="arn")


class KMSAlias(Resource):
    """A name of a key: what applications say, so whoever moves it changes what they encrypt with."""

    also = ("AWSKMSAlias",)
    source = call("kms", "ListAliases", "Aliases[]")

    id: str = at("AliasArn")
    arn: str = at("AliasArn", index=True)
    alias_name: str = at("AliasName", index=True)
    target_key_id: str = at("TargetKeyId", doc="Null for a name that AWS keeps for a key not made yet")
    creation_date: int = at("CreationDate", then=epoch)
    last_updated_date: int = at("LastUpdatedDate", then=epoch)

    key: KMSKey = to("KNOWN_AS", "arn:{partition}:kms:{region}:{account}:key/{TargetKeyId}", on="arn")


class KMSGrant(Resource):
    """Leave to use a key that stands beside its policy, and is easily overlooked."""

    also = ("AWSKMSGrant",)
    source = detail("kms", "ListGrants", "Grants[]", on=KEYS, KeyId="KeyId")

    id: str = at("GrantId")
    grant_id: str = at("GrantId", index=True)
    name: str = at("Name")
    grantee_principal: str = at("GranteePrincipal", index=True)
    retiring_principal: str = at("RetiringPrincipal")
    issuing_account: str = at("IssuingAccount")
    key_id: str = at("KeyId", doc="The key's ARN, or its bare id: as AWS says it")
    operations: list[str] = at("Operations")
    creation_date: int = at("CreationDate", then=epoch)

    key: KMSKey = to("APPLIED_ON", "^KeyArn", on="arn")
