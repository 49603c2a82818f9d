"""The options that several commands share; Cartography's names where it has them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

Json = Annotated[bool, Option("--json", help="Print one JSON document on stdout.")]

Neo4jUri = Annotated[
    str | None, Option("--neo4j-uri", help="Bolt address of a Neo4j. [else NEO4J_URI, else the embedded graph]")
]
Neo4jUser = Annotated[str | None, Option("--neo4j-user", help="Its user. [else NEO4J_USER]")]
Neo4jPassword = Annotated[
    str | None, Option("--neo4j-password-env-var", help="The variable that holds the password. [else NEO4J_PASSWORD]")
]
Neo4jDatabase = Annotated[
    str | None, Option("--neo4j-database", help="Its database. [else NEO4J_DATABASE, else the server's default]")
]
Store = Annotated[
    Path | None, Option("--store", help="Folder of the embedded graph and the ledger. [else ~/.local/state/skysweep]")
]

Syncs = Annotated[
    str | None,
    Option(
        "--aws-requested-syncs",
        help="Comma separated sync names or labels, and with them the types that their edges point at. "
        "[else everything]",
    ),
]
Profile = Annotated[
    str | None, Option("--profile", help="Comma separated AWS profiles. [else the ambient credentials]")
]
OrganizationAccounts = Annotated[
    str | None,
    Option(
        "--aws-organization-account-ids",
        help="Comma separated ids of swept accounts through which their organization's tree is read. "
        "[else each management account, and the one that --organization starts from]",
    ),
]
AllProfiles = Annotated[bool, Option("--aws-sync-all-profiles", help="Sweep the account of every AWS profile.")]
Organization = Annotated[
    bool,
    Option(
        "--organization",
        help="Sweep the active accounts of the caller's AWS organization, each entered through --role-name; the "
        "caller's own by the caller's credentials.",
    ),
]
Accounts = Annotated[
    str | None,
    Option(
        "--accounts",
        help="Comma separated account ids, each entered through --role-name; with --organization or profiles, only "
        "these of theirs.",
    ),
]
ExcludeAccounts = Annotated[str | None, Option("--exclude-accounts", help="Comma separated account ids to leave out.")]
ExcludeUnits = Annotated[
    str | None,
    Option(
        "--exclude-ou",
        help="Comma separated ids of organizational units (ou-…) or roots (r-…): the accounts anywhere under them are "
        "left out of --organization.",
    ),
]
AccountNames = Annotated[
    str | None,
    Option(
        "--account-names",
        help="Comma separated ACCOUNT=NAME, the account by id or by profile: what it is called in the graph, whatever "
        "AWS calls it. [else SKYSWEEP_ACCOUNT_NAMES]",
    ),
]
ProductionAccounts = Annotated[
    str | None,
    Option(
        "--production-accounts",
        help="Comma separated account ids or profiles: `production` is true of these in the graph, and false of all "
        "others that are swept. [else SKYSWEEP_PRODUCTION_ACCOUNTS, else it is null]",
    ),
]
RoleName = Annotated[str | None, Option("--role-name", help="Role to assume in each member or each of --accounts.")]
ExternalId = Annotated[str | None, Option("--external-id", help="External id that goes with --role-name.")]
Regions = Annotated[str | None, Option("--aws-regions", help="Comma separated regions. [else all enabled ones]")]
Concurrency = Annotated[int, Option("--concurrency", help="HTTP exchanges at once.")]
Processes = Annotated[
    int,
    Option(
        "--processes",
        help="How many processes ask AWS, each of accounts of its own; above 1, they are others than the one that "
        "writes.",
    ),
]
RateShare = Annotated[
    float, Option("--rate-share", help="Share of AWS's documented rates to use at most; 0 paces nothing.")
]


def names(text: str | None) -> tuple[str, ...]:
    """The names of a comma separated list."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())
