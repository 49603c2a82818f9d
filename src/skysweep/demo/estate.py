"""The demo's organization, built through the API of an emulated AWS: what is in it, and what is true of it.

Three accounts: `hub` manages the organization and holds its people and names, `shop` runs a web application in two
regions, `data` keeps databases in two. The modules beside this one hold a service each, as tables whose lines say what
is built and what a security engineer should find.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skysweep.demo import identity, network, services
from skysweep.demo.buckets import build_buckets
from skysweep.demo.places import Answers, Place, Rows, build_bastion, build_forgotten, build_storefront, build_warehouse
from skysweep.demo.session import ROLE_NAME, Account, Clients, Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HUB, SHOP, DATA = "hub", "shop", "data"
US, EU, AP = REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")

THREADS = 6
"""The emulator answers one request at a time; a few threads keep it busy, more would only queue."""

PLACES: dict[tuple[str, str], Callable[[Account, str], Place]] = {
    (SHOP, US): build_storefront,
    (SHOP, EU): build_storefront,
    (DATA, EU): build_warehouse,
    (DATA, AP): build_warehouse,
    (HUB, US): build_bastion,
    (HUB, AP): build_forgotten,
}
"""What stands in which account and region."""

PEERINGS = ((HUB, SHOP, US), (SHOP, DATA, EU))


@dataclass(frozen=True)
class Estate:
    """A built organization.

    `accounts` maps ids to names; `role_name` is the role to assume in each of them, the management account included.
    `answers` holds the rows that each question should give, by question; they are known from how the estate was built.
    """

    accounts: dict[str, str]
    regions: tuple[str, ...]
    management_account_id: str
    role_name: str
    answers: Answers


def build(endpoint: str) -> Estate:
    """Build the organization in the fresh emulated AWS behind a loopback endpoint (`http://127.0.0.1:PORT`).

    Raises BadSettings for any other host, and botocore's errors when the emulator refuses something.
    """
    organization, accounts = _organize(endpoint)
    hub, shop, data = accounts[HUB], accounts[SHOP], accounts[DATA]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda account: identity.build_basics(account, hub.id), accounts.values()))
        people = [
            pool.submit(identity.build_people, hub),
            pool.submit(identity.build_federation, hub),
            pool.submit(identity.build_trust, data, hub.id),
        ]
        places = {(name, region): pool.submit(make, accounts[name], region) for (name, region), make in PLACES.items()}
        buckets = [pool.submit(build_buckets, account, organization) for account in accounts.values()]
        for task in people:
            task.result()
        built = {where: task.result() for where, task in places.items()}
        anonymous = [row for task in buckets for row in task.result()]
    _join(accounts, built)
    answers = _merge([*(place.answers for place in built.values()), {"anonymous_buckets": anonymous}])
    names = {account.id: account.name for account in (hub, shop, data)}
    return Estate(names, REGIONS, hub.id, ROLE_NAME, answers)


def _organize(endpoint: str) -> tuple[str, dict[str, Account]]:
    """Create the organization; give its id and its accounts by name, each acted in through its role."""
    clients = Clients(endpoint)
    root = Account("", "", clients, Keys())
    management = root.client("sts").get_caller_identity()["Account"]
    api = root.client("organizations")
    organization = api.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    ids = {HUB: management}
    for name in (SHOP, DATA):
        status = api.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]
        ids[name] = status["AccountId"]
    return organization, {name: root.assume(account_id, name) for name, account_id in ids.items()}


def _join(accounts: dict[str, Account], built: dict[tuple[str, str], Place]) -> None:
    """Build what spans places: the peerings, and the names in the hub that lead to the shop's load balancers."""
    for ours, theirs, region in PEERINGS:
        here, there = built[ours, region].network, built[theirs, region].network
        network.connect(accounts[ours], accounts[theirs], region, here, there)
    dns_names = {name: target for place in built.values() for name, target in place.dns_names.items()}
    bastion = accounts[HUB].client("ec2", US).describe_addresses(Filters=[{"Name": "tag:Name", "Values": ["bastion"]}])
    address = bastion["Addresses"][0]["PublicIp"]
    services.build_names(accounts[HUB], dns_names, address, built[HUB, US].network.vpc)


def _merge(parts: Iterable[Answers]) -> Answers:
    """Put the rows of all parts together, question by question, and count the unencrypted databases by account."""
    answers: dict[str, Rows] = {}
    for part in parts:
        for question, rows in part.items():
            answers.setdefault(question, []).extend(rows)
    plain = Counter(row["account"] for row in answers["unencrypted_rds_instances"])
    answers["unencrypted_rds_per_account"] = [{"account": name, "instances": number} for name, number in plain.items()]
    return {question: sorted(rows, key=lambda row: str(list(row.values()))) for question, rows in answers.items()}
