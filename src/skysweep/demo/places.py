"""What stands in one region of one account: the shop's storefront, the hub's bastion, the data account's warehouse."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from skysweep.demo import balancers, compute, databases, services
from skysweep.demo.network import Network, build_network, open_default_network

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from skysweep.demo.compute import Launched, Machine
    from skysweep.demo.session import Account

Rows = list[dict[str, object]]
Answers = dict[str, Rows]


@dataclass(frozen=True)
class Place:
    """A built place: its network, what is known of it by construction, and the DNS names that lead to it."""

    network: Network
    answers: Answers = field(default_factory=dict)
    dns_names: dict[str, tuple[str, str]] = field(default_factory=dict)
    """(DNS name, canonical hosted zone id) by load balancer."""


def build_storefront(account: Account, region: str) -> Place:
    """Build a web application: instances of every exposure, all load balancers, fleets, databases and its services."""
    network = build_network(account, region)
    image = compute.register_image(account, region)
    launched = compute.launch(account, region, network, image, compute.STOREFRONT)
    classic = balancers.build_classic(account, region, network, launched)
    modern = balancers.build_modern(account, region, network, launched)
    front = next(built for built in modern if built.asked.name == balancers.FLEET_BEHIND)
    fleets = balancers.build_fleets(account, region, network, image, front.target_group)
    built = databases.build_databases(account, region, network, databases.STOREFRONT)
    databases.build_volumes(account, region, launched["app-1"].id)
    key = services.build_keys(account, region)
    services.build_tables(account, region, key)
    services.build_functions(account, region, services.build_messaging(account, region))

    exposure = _direct(compute.STOREFRONT, launched)
    _add_behind(exposure, "elb", classic, launched)
    _add_behind(exposure, "elbv2", modern, launched)
    exposure |= {instance: {"elbv2"} for instance in fleets["web-fleet"]}
    answers = {
        "exposed_instances": compute.exposed_rows(account, region, exposure),
        "internet_facing_elbs": balancers.listener_rows(classic),
        "internet_facing_elbv2s": balancers.listener_rows(modern),
        **databases.database_rows(account, built),
    }
    dns_names = {f"{item.asked.name}-{region}": (item.dns_name, item.zone) for item in (*classic, *modern)}
    return Place(network, answers, dns_names)


def build_bastion(account: Account, region: str) -> Place:
    """Build the way in: a bastion, a VPN and a monitor."""
    network = build_network(account, region)
    image = compute.register_image(account, region)
    launched = compute.launch(account, region, network, image, compute.BASTION)
    databases.build_volumes(account, region, launched["monitor"].id)
    services.build_keys(account, region)
    exposure = _direct(compute.BASTION, launched)
    return Place(network, {"exposed_instances": compute.exposed_rows(account, region, exposure)})


def build_warehouse(account: Account, region: str) -> Place:
    """Build databases of every kind, the workers that feed them, and a notebook somebody forgot."""
    network = build_network(account, region)
    image = compute.register_image(account, region)
    launched = compute.launch(account, region, network, image, compute.WAREHOUSE)
    databases.build_volumes(account, region, launched["etl-1"].id)
    built = databases.build_databases(account, region, network, databases.WAREHOUSE)
    services.build_tables(account, region, services.build_keys(account, region))
    exposure = _direct(compute.WAREHOUSE, launched)
    answers = {
        "exposed_instances": compute.exposed_rows(account, region, exposure),
        **databases.database_rows(account, built),
    }
    return Place(network, answers)


def build_forgotten(account: Account, region: str) -> Place:
    """Build what somebody tried once: an instance in the default VPC, whose main route table leads to the internet."""
    network = open_default_network(account, region)
    image = compute.register_image(account, region)
    launched = compute.launch(account, region, network, image, compute.FORGOTTEN)
    exposure = _direct(compute.FORGOTTEN, launched)
    return Place(network, {"exposed_instances": compute.exposed_rows(account, region, exposure)})


def _direct(machines: Iterable[Machine], launched: Mapping[str, Launched]) -> dict[str, set[str]]:
    """Give the ways each instance (by id) is exposed by itself: `direct`, or none."""
    return {launched[machine.name].id: {"direct"} if machine.direct else set() for machine in machines}


def _add_behind(
    exposure: dict[str, set[str]],
    way: str,
    built: Iterable[balancers.Built],
    launched: Mapping[str, Launched],
) -> None:
    """Add the way to every instance behind an exposed load balancer."""
    for balancer in built:
        if balancer.asked.exposed:
            for machine in balancer.asked.behind:
                exposure[launched[machine].id].add(way)
