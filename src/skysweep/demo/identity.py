"""IAM: people and roles, what they may do, and whom the accounts trust."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from skysweep.demo.session import ROLE_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skysweep.demo.session import Account

OUTSIDER = "999988887777"
"""An account that is not of the organization."""

WORKLOAD = "workload"
"""The role, instance profile and customer-managed policy of what runs in an account."""

SAML_METADATA = (
    '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com/saml"/>'
).ljust(1000)  # IAM wants at least 1,000 characters

GITHUB = "token.actions.githubusercontent.com"


def policy(*statements: Mapping[str, Any]) -> str:
    """Write a policy document of these statements as JSON."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: object, resource: object = "*") -> dict[str, object]:
    """Write a statement that allows the actions on the resources."""
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def trust(principal: Mapping[str, object], action: str = "sts:AssumeRole", **condition: object) -> str:
    """Write a trust policy for the principal, under a condition by operator."""
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": dict(principal), "Action": action}
    return policy(statement | ({"Condition": condition} if condition else {}))


def aws_managed(name: str) -> str:
    """Give the ARN of an AWS-managed policy of the root path."""
    return f"arn:aws:iam::aws:policy/{name}"


def build_basics(account: Account, management: str) -> None:
    """Build what every account has: an alias, the role that the sweep assumes, the workload's role and profile."""
    iam = account.client("iam")
    iam.create_account_alias(AccountAlias=account.name)
    _role(iam, ROLE_NAME, trust({"AWS": f"arn:aws:iam::{management}:root"}), aws_managed("SecurityAudit"))
    local = iam.create_policy(
        PolicyName=WORKLOAD,
        PolicyDocument=policy(
            allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{account.name}-*/*"),
            allow("sqs:*"),
        ),
    )["Policy"]["Arn"]
    services = {"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}
    _role(iam, WORKLOAD, trust(services), local)
    iam.put_role_policy(RoleName=WORKLOAD, PolicyName="logs", PolicyDocument=policy(allow("logs:PutLogEvents")))
    iam.create_instance_profile(InstanceProfileName=WORKLOAD)
    iam.add_role_to_instance_profile(InstanceProfileName=WORKLOAD, RoleName=WORKLOAD)


def _role(iam: Any, name: str, trust_policy: str, *attached: str) -> None:
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust_policy)
    for arn in attached:
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)


def build_people(account: Account) -> None:
    """Build the hub's users and groups: with MFA and without, with keys nobody uses, and one who may do anything."""
    iam = account.client("iam")
    iam.update_account_password_policy(MinimumPasswordLength=8, RequireSymbols=False, MaxPasswordAge=365)
    for group, arn in (("admins", "AdministratorAccess"), ("auditors", "ReadOnlyAccess")):
        iam.create_group(GroupName=group)
        iam.attach_group_policy(GroupName=group, PolicyArn=aws_managed(arn))
    iam.put_group_policy(
        GroupName="auditors",
        PolicyName="no-objects",
        PolicyDocument=policy({"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}),
    )
    for user, group, mfa, keys in (
        ("alice", "admins", True, 1),
        ("bob", "admins", False, 2),
        ("carol", "auditors", True, 0),
        ("ci-deploy", "", False, 1),
    ):
        _user(iam, user, group, mfa=mfa, keys=keys)
    iam.put_user_policy(
        UserName="ci-deploy",
        PolicyName="deploy",
        PolicyDocument=policy(allow("sts:AssumeRole", "arn:aws:iam::*:role/deploy"), allow("iam:PassRole")),
    )
    iam.create_login_profile(UserName="bob", Password="Not-a-secret-1")  # noqa: S106 - bob does not exist


def _user(iam: Any, name: str, group: str, *, mfa: bool, keys: int) -> None:
    """Build a user; of two access keys the second is inactive."""
    iam.create_user(UserName=name)
    if group:
        iam.add_user_to_group(GroupName=group, UserName=name)
    if mfa:
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
        iam.enable_mfa_device(
            UserName=name, SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="654321"
        )
    for number in range(keys):
        key = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
        if number:
            iam.update_access_key(UserName=name, AccessKeyId=key, Status="Inactive")


def build_federation(account: Account) -> None:
    """Let people in by SAML, and one repository's builds by OIDC."""
    iam = account.client("iam")
    saml = iam.create_saml_provider(Name="okta", SAMLMetadataDocument=SAML_METADATA)["SAMLProviderArn"]
    oidc = iam.create_open_id_connect_provider(
        Url=f"https://{GITHUB}",
        ClientIDList=["sts.amazonaws.com"],
        ThumbprintList=["6938fd4d98bab03faadb97b34396831e3780aea1"],
    )["OpenIDConnectProviderArn"]
    audience = {"SAML:aud": "https://signin.aws.amazon.com/saml"}
    _role(
        iam,
        "sso-admin",
        trust({"Federated": saml}, "sts:AssumeRoleWithSAML", StringEquals=audience),
        aws_managed("AdministratorAccess"),
    )
    subject = {f"{GITHUB}:sub": "repo:example/*"}
    _role(iam, "github-deploy", trust({"Federated": oidc}, "sts:AssumeRoleWithWebIdentity", StringLike=subject))


def build_trust(account: Account, hub: str) -> None:
    """Build the roles through which others come in: the hub, an outsider with and without an external id, everyone."""
    iam = account.client("iam")
    _role(iam, "deploy", trust({"AWS": f"arn:aws:iam::{hub}:root"}), aws_managed("AdministratorAccess"))
    vendor = {"AWS": [f"arn:aws:iam::{hub}:root", f"arn:aws:iam::{OUTSIDER}:root"]}
    _role(iam, "vendor-analytics", trust(vendor), aws_managed("AmazonS3ReadOnlyAccess"))
    external = trust({"AWS": f"arn:aws:iam::{OUTSIDER}:root"}, StringEquals={"sts:ExternalId": "skysweep-demo"})
    _role(iam, "vendor-monitoring", external, aws_managed("ReadOnlyAccess"))
    _role(iam, "anyone-may-read", trust({"AWS": "*"}), aws_managed("AmazonS3ReadOnlyAccess"))
