"""The organization's further tree, and a person behind a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skysweep.demo.session import Account
    from wide.ground import Made


def build_tree(management: Account, member: Account, made: Made) -> None:
    """Put an account into a unit of its own."""
    api = management.client("organizations")
    organization = api.describe_organization()["Organization"]["Id"]
    root = api.list_roots()["Roots"][0]["Id"]
    unit = api.create_organizational_unit(ParentId=root, Name="storage")["OrganizationalUnit"]["Id"]
    api.move_account(AccountId=member.id, SourceParentId=root, DestinationParentId=unit)
    made.node("AWSOrganization", organization)
    made.node("AWSOrganizationRoot", f"{organization}/{root}", ("PARENT", organization))
    made.node("AWSOrganizationalUnit", f"{organization}/{unit}", ("PARENT", f"{organization}/{root}"))
    made.edge(member.id, "PARENT", f"{organization}/{unit}")


def build_person(account: Account, made: Made) -> None:
    """A user with an e-mail address."""
    user = account.client("iam").create_user(UserName="mia", Tags=[{"Key": "Email", "Value": "Mia@example.com"}])
    made.node("User", "mia@example.com", ("HAS_ACCOUNT", user["User"]["Arn"]))
