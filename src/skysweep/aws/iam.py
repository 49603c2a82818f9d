"""IAM: users, groups, roles, what they are known by, and whom the roles let in."""

from __future__ import annotations

from datetime import datetime

from skysweep.aws._iam import AUTHORIZATIONS, GROUPS, ROLES, USERS, inline_policy_id, named, trusted
from skysweep.aws._policies import as_json
from skysweep.aws.iam_policies import AWSInlinePolicy, AWSManagedPolicy
from skysweep.aws.iam_principals import AWSFederatedPrincipal, AWSRootPrincipal, AWSServicePrincipal, Everyone
from skysweep.aws.tags import AWSTag, tagged, tagged_by_arn
from skysweep.model import Record, Resource, arn, at, by, call, detail, to
from skysweep.paths import getter

# A group or a role is unique by its name in the account, whatever its path.
_PATHLESS_GROUP = arn("iam", "group/{GroupName}", region="")
_PATHLESS_ROLE = arn("iam", "role/{RoleName}", region="")


def inline_of(record: Record) -> list[str]:
    """The ids of a user's, group's or role's inline policies."""
    lists = (record["UserPolicyList"], record["GroupPolicyList"], record["RolePolicyList"])
    policies = [policy for each in lists for policy in each or ()]
    return [inline_policy_id(record["Arn"], policy["PolicyName"]) for policy in policies]


class AWSGroup(Resource):
    """Users who have policies together."""

    also = ("AWSPrincipal", "UserGroup")
    source = GROUPS

    id: str = at("Arn")
    arn: str = at("Arn", index=True)
    pathless_arn: str = at(_PATHLESS_GROUP, index=True, doc="as if its path were /")
    groupid: str = at("GroupId")
    name: str = at("GroupName", index=True)
    path: str = at("Path")
    createdate: str = at("CreateDate", then=str)
    createdate_dt: datetime = at("CreateDate")

    policies: list[AWSManagedPolicy] = to("POLICY", "AttachedManagedPolicies[].PolicyArn")
    inline_policies: list[AWSInlinePolicy] = to("POLICY", inline_of)


def groups_of(user: Record) -> list[str]:
    """The user's groups: IAM tells their names, not their paths."""
    context = user.context
    return [f"arn:{context.partition}:iam::{context.account}:group/{name}" for name in user["GroupList"] or ()]


MFA_DEVICES = detail("iam", "ListMFADevices", "MFADevices[]", on=USERS, UserName="UserName")


def count_of_devices(user: Record) -> int:
    """How many MFA devices the user has."""
    return len(user.reply(MFA_DEVICES).get("MFADevices") or ())


class AWSUser(Resource):
    """A person or a program with long-lived credentials."""

    also = ("AWSPrincipal", "UserAccount")
    source = USERS

    id: str = at("Arn")
    arn: str = at("Arn", index=True)
    userid: str = at("UserId", index=True)
    name: str = at("UserName", index=True)
    path: str = at("Path")
    createdate: str = at("CreateDate", then=str)
    createdate_dt: datetime = at("CreateDate")
    permissionsboundary: str = at("PermissionsBoundary.PermissionsBoundaryArn")
    mfa_devices: int = at(count_of_devices, of=MFA_DEVICES, doc="How many; null where nobody was let see")

    groups: list[AWSGroup] = to("MEMBER_AWS_GROUP", groups_of, on="pathless_arn")
    member_of: list[AWSGroup] = to("MEMBER_OF", groups_of, on="pathless_arn")
    policies: list[AWSManagedPolicy] = to("POLICY", "AttachedManagedPolicies[].PolicyArn")
    inline_policies: list[AWSInlinePolicy] = to("POLICY", inline_of)
    boundary: AWSManagedPolicy = to("PERMISSIONS_BOUNDARY", "PermissionsBoundary.PermissionsBoundaryArn")
    tagged: list[AWSTag] = tagged("Tags")


def password_last_used(user: Record) -> str:
    """When the user last signed in, as Cartography writes it: an empty text for never."""
    return str(user["PasswordLastUsed"] or "")


class PasswordUse(Resource, extends=AWSUser):
    """When a user last signed in with a password."""

    source = call("iam", "ListUsers", "Users[]", per="account")

    id: str = at("Arn")
    passwordlastused: str = at(password_last_used)
    passwordlastused_dt: datetime = at("PasswordLastUsed")


class AWSRole(Resource):
    """What others may become: who is let in stands in its trust policy, what they may do then in its policies."""

    also = ("AWSPrincipal", "PermissionRole")
    source = ROLES

    id: str = at("Arn")
    arn: str = at("Arn", index=True)
    pathless_arn: str = at(_PATHLESS_ROLE, index=True, doc="as if its path were /")
    roleid: str = at("RoleId", index=True)
    name: str = at("RoleName", index=True)
    path: str = at("Path")
    createdate: str = at("CreateDate", then=str)
    createdate_dt: datetime = at("CreateDate")
    assumerolepolicydocument: str = at("AssumeRolePolicyDocument", then=as_json, doc="the trust policy, JSON")
    lastuseddate: datetime = at("RoleLastUsed.LastUsedDate")
    lastusedregion: str = at("RoleLastUsed.Region")
    permissionsboundary: str = at("PermissionsBoundary.PermissionsBoundaryArn")

    policies: list[AWSManagedPolicy] = to("POLICY", "AttachedManagedPolicies[].PolicyArn")
    inline_policies: list[AWSInlinePolicy] = to("POLICY", inline_of)
    boundary: AWSManagedPolicy = to("PERMISSIONS_BOUNDARY", "PermissionsBoundary.PermissionsBoundaryArn")

    # A session's ARN does not tell its role's path: roles are found by account and name.
    trusts_roles: list[AWSRole] = to("TRUSTS_AWS_PRINCIPAL", trusted("role"), on="pathless_arn")
    trusts_users: list[AWSUser] = to("TRUSTS_AWS_PRINCIPAL", trusted("user"))
    trusts_accounts: list[AWSRootPrincipal] = to("TRUSTS_AWS_PRINCIPAL", trusted("root"))
    trusts_services: list[AWSServicePrincipal] = to("TRUSTS_AWS_PRINCIPAL", trusted("service"))
    trusts_providers: list[AWSFederatedPrincipal] = to("TRUSTS_AWS_PRINCIPAL", trusted("federated"))
    trusts_everyone: list[Everyone] = to("ALLOWS_ACCESS_FROM", trusted("everyone"))
    tagged: list[AWSTag] = tagged("Tags")


class RoleSettings(Resource, extends=AWSRole):
    """What only the listing of roles tells: what a role is for, and how long a session may last."""

    source = call("iam", "ListRoles", "Roles[]", per="account")

    id: str = at("Arn")
    description: str = at("Description")
    maxsessionduration: int = at("MaxSessionDuration", doc="seconds")


class TrustedRole(Resource, extends=AWSRole):
    """A role of another account that a role here trusts, known by its ARN or by that of a session of it."""

    source = AUTHORIZATIONS.each(named("role", foreign=True))

    id: str = at("Arn")
    arn: str = at("Arn")
    pathless_arn: str = at("Pathless")
    name: str = at("Name")
    path: str = at("Path")


class TrustedUser(Resource, extends=AWSUser):
    """A user of another account that a role here trusts, known by its ARN."""

    source = AUTHORIZATIONS.each(named("user", foreign=True))

    id: str = at("Arn")
    arn: str = at("Arn")
    name: str = at("Name")
    path: str = at("Path")


class AWSInstanceProfile(Resource):
    """What hands a role to an EC2 instance."""

    source = call("iam", "ListInstanceProfiles", "InstanceProfiles[]", per="account")

    id: str = at("Arn")
    arn: str = at("Arn", index=True)
    instance_profile_id: str = at("InstanceProfileId")
    instance_profile_name: str = at("InstanceProfileName", index=True)
    path: str = at("Path")
    createdate: datetime = at("CreateDate")

    roles: list[AWSRole] = to("ASSOCIATED_WITH", "Roles[].Arn")
    tagged: list[AWSTag] = tagged("Tags")


KEYS = detail("iam", "ListAccessKeys", "AccessKeyMetadata[]", on=USERS, UserName="UserName")
LAST_USED = detail("iam", "GetAccessKeyLastUsed", on=KEYS, AccessKeyId="AccessKeyId")


def key_last_used(key: Record) -> str:
    """When the key was last used, as text; empty for never."""
    return str(getter("AccessKeyLastUsed.LastUsedDate")(key.reply(LAST_USED)) or "")


class AccountAccessKey(Resource):
    """A long-lived key of a user: what leaks."""

    also = ("AWSAccountAccessKey", "APIKey")
    source = KEYS

    id: str = at("AccessKeyId")
    accesskeyid: str = at("AccessKeyId", index=True)
    createdate: str = at("CreateDate", then=str)
    createdate_dt: datetime = at("CreateDate")
    status: str = at("Status")
    lastuseddate: str = at(key_last_used, of=LAST_USED)
    lastuseddate_dt: datetime = at("AccessKeyLastUsed.LastUsedDate", of=LAST_USED)
    lastusedservice: str = at("AccessKeyLastUsed.ServiceName", of=LAST_USED)
    lastusedregion: str = at("AccessKeyLastUsed.Region", of=LAST_USED)

    user: AWSUser = by("AWS_ACCESS_KEY", "^Arn")
    owner: AWSUser = to("OWNED_BY", "^Arn")


class AWSMfaDevice(Resource):
    """What a user must have at hand to sign in."""

    also = ("MfaDevice",)
    source = MFA_DEVICES

    id: str = at("SerialNumber")
    serialnumber: str = at("SerialNumber", index=True, doc="the ARN of virtual devices and passkeys")
    username: str = at("UserName", index=True)
    user_arn: str = at("^Arn", index=True)
    enabledate: str = at("EnableDate", then=str)
    enabledate_dt: datetime = at("EnableDate")

    user: AWSUser = by("MFA_DEVICE", "^Arn")


def after_slash(name: str) -> str:
    """The provider's name, which is the last part of its ARN."""
    return name.rpartition("/")[2]


SAML = call("iam", "ListSAMLProviders", "SAMLProviderList[]", per="account")


class AWSSAMLProvider(Resource):
    """A company's sign-in service: whoever controls it may assume the roles that trust it."""

    also = ("IdentityProvider",)
    source = SAML

    id: str = at("Arn")
    arn: str = at("Arn", index=True)
    name: str = at("Arn", then=after_slash)
    create_date: datetime = at("CreateDate")
    valid_until: datetime = at("ValidUntil")

    tagged: list[AWSTag] = tagged_by_arn(SAML, "Arn")


OIDC = call("iam", "ListOpenIDConnectProviders", "OpenIDConnectProviderList[]", per="account")
OIDC_DETAILS = detail("iam", "GetOpenIDConnectProvider", on=OIDC, OpenIDConnectProviderArn="Arn")


class AWSOIDCProvider(Resource):
    """An issuer of tokens, of a build service or a cluster: its tokens may assume the roles that trust it."""

    also = ("IdentityProvider",)
    source = OIDC

    id: str = at("Arn")
    arn: str = at("Arn", index=True)
    url: str = at("Url", of=OIDC_DETAILS)
    client_ids: list[str] = at("ClientIDList", of=OIDC_DETAILS, doc="the audiences that are accepted")
    thumbprints: list[str] = at("ThumbprintList", of=OIDC_DETAILS)
    create_date: datetime = at("CreateDate", of=OIDC_DETAILS)

    tagged: list[AWSTag] = tagged("Tags", of=OIDC_DETAILS)


class AWSAccountPasswordPolicy(Resource):
    """What the account asks of its users' passwords; there is none where AWS's default holds."""

    source = call("iam", "GetAccountPasswordPolicy", "PasswordPolicy", per="account", missing="NoSuchEntity")

    id: str = at("{account}/password-policy")
    minimum_password_length: int = at("MinimumPasswordLength")
    require_symbols: bool = at("RequireSymbols")
    require_numbers: bool = at("RequireNumbers")
    require_uppercase_characters: bool = at("RequireUppercaseCharacters")
    require_lowercase_characters: bool = at("RequireLowercaseCharacters")
    allow_users_to_change_password: bool = at("AllowUsersToChangePassword")
    expire_passwords: bool = at("ExpirePasswords")
    max_password_age: int = at("MaxPasswordAge", doc="days")
    password_reuse_prevention: int = at("PasswordReusePrevention", doc="how many earlier ones may not come again")
    hard_expiry: bool = at("HardExpiry", doc="whoever lets it expire needs an administrator")
