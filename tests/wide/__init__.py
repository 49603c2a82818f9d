"""At least one of everything that moto offers and the catalogue has a type for, on top of the demo's organization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skysweep.demo.session import Account, Clients, Keys
from wide import beyond, containers, data, fronts, people, watching
from wide.ground import Made, lay

if TYPE_CHECKING:
    from skysweep.demo.estate import Estate

ACCOUNT = "data"
"""Where it is built: the demo leaves this account's us-east-1 empty."""


def build_wide(endpoint: str, estate: Estate) -> Made:
    """Build it in the emulated AWS that holds the demo's estate; gives what was made. Always in the same order."""
    management = Account(estate.management_account_id, "hub", Clients(endpoint), Keys())
    account = next(management.assume(number, name) for number, name in estate.accounts.items() if name == ACCOUNT)
    ground = lay(endpoint, account)
    containers.build_services(ground, containers.build_registry(ground))
    containers.build_kubernetes(ground)
    containers.build_batch(ground)
    for build in data.BUILDERS:
        build(ground)
    fronts.build_apis(ground, fronts.build_certificate(ground))
    fronts.build_distribution(ground, fronts.build_firewalls(ground))
    fronts.build_domain(ground)
    for build in watching.BUILDERS:
        build(ground)
    beyond.build_beyond(ground)
    people.build_tree(management, account, ground.made)
    people.build_person(account, ground.made)
    ground.node("AWSAccountPasswordPolicy", f"{management.id}/password-policy")
    ground.node("S3AccountPublicAccessBlock", f"{account.id}:global")  # the demo's, which nothing lists
    ground.node("AWSTag", "team:wide")
    return ground.made
