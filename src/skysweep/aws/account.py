"""The account itself: what it is called, how its root user is kept, and which organization it belongs to."""

from __future__ import annotations

from skysweep.model import Record, Resource, at, call, detail

IDENTITY = call("sts", "GetCallerIdentity", per="account")
ALIASES = detail("iam", "ListAccountAliases", on=IDENTITY)
SUMMARY = detail("iam", "GetAccountSummary", on=IDENTITY)
ORGANIZATION = detail(
    "organizations", "DescribeOrganization", "Organization", on=IDENTITY, missing="AWSOrganizationsNotInUseException"
)


def in_organization(account: Record) -> bool:
    """Whether the account belongs to an organization: AWS says so, or that it does not."""
    return bool(account.reply(ORGANIZATION))


class AWSAccount(Resource):
    """An account: the boundary that everything else lies in, and how well its root user is kept.

    Its `name`, `production` (as the settings say; null where they do not) and that it is `inscope` are the engine's,
    which writes the node before anything else.
    """

    also = ("Tenant",)
    source = IDENTITY
    shared = True
    owned = False

    id: str = at("{account}")
    alias: str = at("AccountAliases[0]", of=ALIASES, index=True)
    org_id: str = at("Organization.Id", of=ORGANIZATION, index=True)
    in_organization: bool = at(in_organization, of=ORGANIZATION)
    management_account_id: str = at("Organization.MasterAccountId", of=ORGANIZATION)

    account_mfa_enabled: int = at("SummaryMap.AccountMFAEnabled", of=SUMMARY, doc="1: the root user has MFA")
    account_access_keys_present: int = at("SummaryMap.AccountAccessKeysPresent", of=SUMMARY, doc="of the root user")
    account_signing_certificates_present: int = at("SummaryMap.AccountSigningCertificatesPresent", of=SUMMARY)
    account_password_present: int = at("SummaryMap.AccountPasswordPresent", of=SUMMARY, doc="of the root user")
    mfa_devices: int = at("SummaryMap.MFADevices", of=SUMMARY)
    mfa_devices_in_use: int = at("SummaryMap.MFADevicesInUse", of=SUMMARY)
    users: int = at("SummaryMap.Users", of=SUMMARY)
    groups: int = at("SummaryMap.Groups", of=SUMMARY)
    roles: int = at("SummaryMap.Roles", of=SUMMARY)
    policies: int = at("SummaryMap.Policies", of=SUMMARY)
    policy_versions_in_use: int = at("SummaryMap.PolicyVersionsInUse", of=SUMMARY)
    instance_profiles: int = at("SummaryMap.InstanceProfiles", of=SUMMARY)
    providers: int = at("SummaryMap.Providers", of=SUMMARY)
    server_certificates: int = at("SummaryMap.ServerCertificates", of=SUMMARY)
