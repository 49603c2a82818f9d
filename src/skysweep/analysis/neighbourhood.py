"""What the graph says around instances and balancers: security groups, and the routes and ACL of subnets.

Everything is fetched by id and kept for one account's analysis. Ids that several accounts share (the subnets of a
shared VPC) are found wherever they live. A group that is only mentioned, without a name, counts as never seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from skysweep.analysis.reach import UNSEEN_SUBNET, AclRule, IngressRule, Route, SecurityGroup, Subnet
from skysweep.analysis.reading import around

if TYPE_CHECKING:
    from collections.abc import Iterable

    from skysweep.analysis.reading import Row, Run

_GROUPS = "MATCH (g:EC2SecurityGroup {id: id}) WHERE g.name IS NOT NULL RETURN id"
_RULES = """
MATCH (g:EC2SecurityGroup {id: id})<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(rule:AWSIpPermissionInbound)
RETURN id, rule.id AS rule, rule.protocol AS protocol, rule.fromport AS fromport, rule.toport AS toport,
       rule.prefix_list_ids AS lists
"""
_RANGES = """
MATCH (g:EC2SecurityGroup {id: id})<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(rule:AWSIpPermissionInbound)
MATCH (rule)<-[:MEMBER_OF_IP_RULE]-(range:IpRange)
RETURN id, rule.id AS rule, range.range AS cidr
"""
_LISTS = """
MATCH (g:EC2SecurityGroup {id: id})<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(rule:AWSIpPermissionInbound)
MATCH (rule)<-[:MEMBER_OF_IP_RULE]-(list:EC2PrefixList)
RETURN id, rule.id AS rule, list.id AS list, list.owner_id AS owner, list.cidrs AS cidrs
"""
_ACLS = """
MATCH (s:EC2Subnet {id: id})<-[:PART_OF_SUBNET]-(acl:EC2NetworkAcl)
OPTIONAL MATCH (acl)<-[:MEMBER_OF_NACL]-(rule:EC2NetworkAclRule)
RETURN id, rule.rulenumber AS number, rule.ruleaction AS action, rule.protocol AS protocol, rule.egress AS egress,
       rule.fromport AS fromport, rule.toport AS toport, rule.cidrblock AS v4, rule.ipv6cidrblock AS v6
"""
_ROUTE = """
OPTIONAL MATCH (t)-[:ROUTE]->(r:EC2Route)
RETURN id, r.destination_cidr_block AS v4, r.destination_ipv6_cidr_block AS v6,
       r.destination_prefix_list_id AS list, r.gateway_id AS gateway, r.state AS state
"""
_OWN_ROUTES = f"""
MATCH (s:EC2Subnet {{id: id}})<-[:ASSOCIATED_SUBNET]-(:EC2RouteTableAssociation)<-[:ASSOCIATION]-(t:EC2RouteTable)
{_ROUTE}
"""
_MAIN_ROUTES = f"""
MATCH (s:EC2Subnet {{id: id}})-[:MEMBER_OF_AWS_VPC]->(:AWSVpc)<-[:MEMBER_OF_AWS_VPC]-(t:EC2RouteTable {{main: true}})
{_ROUTE}
"""
_PREFIX_LISTS = "MATCH (list:EC2PrefixList {id: id}) RETURN id, list.owner_id AS owner, list.cidrs AS cidrs"


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The security groups and subnets met so far; `learn` reads those not yet known."""

    run: Run
    groups: dict[str, SecurityGroup] = field(default_factory=dict)
    subnets: dict[str, Subnet] = field(default_factory=dict)

    async def learn(self, groups: Iterable[str], subnets: Iterable[str]) -> None:
        """Read the groups and subnets of these ids, as far as they are new."""
        new_groups = set(groups) - self.groups.keys()
        new_subnets = set(subnets) - self.subnets.keys()
        if new_groups:
            self.groups.update(await _read_groups(self.run, new_groups))
        if new_subnets:
            self.subnets.update(await _read_subnets(self.run, new_subnets))

    def subnet(self, subnet: str | None) -> Subnet:
        """Give a subnet by its id; one without an id was never seen."""
        return UNSEEN_SUBNET if subnet is None else self.subnets[subnet]


async def _read_groups(run: Run, ids: set[str]) -> dict[str, SecurityGroup]:
    seen = await around(run, ids, _GROUPS)
    rules = await around(run, seen, _RULES)
    ranges = await around(run, seen, _RANGES)
    lists = await around(run, seen, _LISTS)
    return {
        group: _group(rules.get(group, []), [*ranges.get(group, []), *lists.get(group, [])]) if group in seen else None
        for group in ids
    }


def _group(rules: list[Row], sources: list[Row]) -> SecurityGroup:
    cidrs: dict[str, list[str]] = {row["rule"]: [] for row in rules}
    found = {(row["rule"], row["list"]) for row in sources if "list" in row}
    unread = {row["rule"] for row in rules for list_ in row["lists"] or () if (row["rule"], list_) not in found}
    for source in sources:
        if "cidr" in source:
            cidrs[source["rule"]].append(source["cidr"])
        elif (entries := _entries(source)) is None:
            unread.add(source["rule"])
        else:
            cidrs[source["rule"]].extend(entries)
    # A rule with an unread prefix list beside known ranges is two rules: what is known stays known.
    return tuple(
        IngressRule(row["protocol"], row["fromport"], row["toport"], known)
        for row in rules
        for known in (tuple(cidrs[row["rule"]]), *((None,) if row["rule"] in unread else ()))
    )


async def _read_subnets(run: Run, ids: set[str]) -> dict[str, Subnet]:
    acls = await around(run, ids, _ACLS)
    routes = await around(run, ids, _OWN_ROUTES)
    routes = await around(run, ids - routes.keys(), _MAIN_ROUTES) | routes
    mentioned = {row["list"] for rows in routes.values() for row in rows if row["list"]}
    lists = {id_: _entries(rows[0]) for id_, rows in (await around(run, mentioned, _PREFIX_LISTS)).items()}
    return {
        subnet: Subnet(
            routes=tuple(_route(row, lists) for row in routes[subnet] if _is_there(row)) if subnet in routes else None,
            acl=tuple(_acl_rules(acls[subnet])) if subnet in acls else None,
        )
        for subnet in ids
    }


def _entries(prefix_list: Row) -> list[str] | None:
    """Give a prefix list's CIDRs, None when unread; AWS's own hold a service's addresses, never the internet."""
    cidrs: list[str] | None = prefix_list["cidrs"]
    return [] if cidrs is None and prefix_list["owner"] == "AWS" else cidrs


def _is_there(row: Row) -> bool:
    # OPTIONAL MATCH gives one row of nulls for a table or an ACL without entries.
    return any(value is not None for name, value in row.items() if name != "id")


def _route(row: Row, lists: dict[str, list[str] | None]) -> Route:
    blocks = tuple(cidr for cidr in (row["v4"], row["v6"]) if cidr)
    entries = lists.get(row["list"]) if row["list"] else None
    return Route(
        cidrs=blocks or (tuple(entries) if entries is not None else None),
        to_internet=(row["gateway"] or "").startswith("igw-") and row["state"] != "blackhole",
    )


def _acl_rules(rows: list[Row]) -> Iterable[AclRule]:
    return (
        AclRule(
            number=row["number"],
            allow=row["action"] == "allow",
            protocol=str(row["protocol"]),
            fromport=row["fromport"],
            toport=row["toport"],
            cidr=cidr,
        )
        for row in rows
        if _is_there(row) and not row["egress"]
        for cidr in (row["v4"], row["v6"])
        if cidr
    )
