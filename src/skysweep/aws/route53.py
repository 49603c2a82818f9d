"""Route 53: zones, what their records point to, and the servers that answer for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv6Address

from skysweep.aws._common import log_group_arn
from skysweep.aws.apigateway import APIGatewayRestAPI, AWSAPIGatewayDomainName
from skysweep.aws.apigatewayv2 import APIGatewayV2API
from skysweep.aws.cloudfront import CloudFrontDistribution
from skysweep.aws.cloudfront import api as rest_api
from skysweep.aws.ec2 import EC2Instance
from skysweep.aws.elb import AWSLoadBalancer
from skysweep.aws.elbv2 import LoadBalancerV2
from skysweep.aws.gateways import ElasticIPAddress
from skysweep.aws.logs import CloudWatchLogGroup
from skysweep.aws.network import AWSNetworkInterface, EC2Ipv6Address
from skysweep.aws.opensearch import ESDomain
from skysweep.aws.rds import RDSCluster, RDSInstance
from skysweep.aws.redshift import RedshiftCluster
from skysweep.aws.route53domains import AWSRoute53Domain
from skysweep.aws.s3 import S3Bucket
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.aws.transfer import AWSTransferServer
from skysweep.aws.vpc import AWSVpc
from skysweep.model import Record, Resource, at, by, call, detail, to
from skysweep.paths import reader

ZONES = call("route53", "ListHostedZones", "HostedZones[]", per="account")
RECORDS = detail("route53", "ListResourceRecordSets", "ResourceRecordSets[]", on=ZONES, HostedZoneId="Id")

# Names that AWS gives, whose things have types of their own, or that only prove a domain to be somebody's.
_AWS = re.compile(
    r".+\.(?:amazonaws\.com(?:\.cn)?|amazonses\.com|awsglobalaccelerator\.com|cloudfront\.net|on\.aws"
    r"|acm-validations\.aws)"
)
_BALANCER = re.compile(r"dualstack\.(.+\.elb(?:\.[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?)")
_BUCKET = re.compile(
    r"(?:(?P<bucket>.+)\.)?s3(?:-website)?(?:[.-](?:dualstack\.)?[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?"
)


def without_dot(name: str) -> str:
    """A domain name without the dot of the root."""
    return name.removesuffix(".")


def short_id(zone: str) -> str:
    """A zone's id without ``/hostedzone/``, as ARNs and aliases have it."""
    return zone.rpartition("/")[2]


def zone_arn(zone: Record) -> str:
    """The ARN, made of the zone's short id."""
    return f"arn:{zone.context.partition}:route53:::hostedzone/{short_id(zone['Id'])}"


def registrable(zone: Record) -> list[str]:
    """The names that a public zone's name may have been registered as: itself and what it is below."""
    if is_private(zone):
        return []
    labels = without_dot(zone["Name"]).lower().split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def is_private(zone: Record) -> bool:
    """Whether only VPCs know the zone."""
    return bool((zone["Config"] or {}).get("PrivateZone"))


PRIVATE = detail("route53", "GetHostedZone", on=ZONES, when=is_private, Id="Id")


class AWSDNSZone(Resource):
    """A DNS zone: the names of a domain, for the whole internet or for some VPCs."""

    also = ("DNSZone",)
    source = ZONES

    id: str = at("Id")
    zoneid: str = at("Id", index=True)
    arn: str = at(zone_arn, index=True)
    name: str = at("Name", then=without_dot, index=True)
    comment: str = at("Config.Comment")
    privatezone: bool = at("Config.PrivateZone")
    record_count: int = at("ResourceRecordSetCount")
    linked_service: str = at("LinkedService.ServicePrincipal", doc="The AWS service that keeps the zone, if one does")

    domain: list[AWSRoute53Domain] = by("HAS_ZONE", registrable)
    vpcs: list[AWSVpc] = to("ASSOCIATED_WITH", "VPCs[].VPCId", of=PRIVATE)
    tagged: list[AWSTag] = tagged_by_arn(ZONES, zone_arn)


def values(record: Record) -> list[str]:
    """What the record says, one text a value; nothing for an alias."""
    return [each["Value"] for each in record["ResourceRecords"] or ()]


def hostname(record: Record) -> str | None:
    """The host that a CNAME or an alias leads to, in lower case and as the host's own API writes it."""
    if record["AliasTarget"]:
        name = without_dot(record["AliasTarget"]["DNSName"]).lower()
        # Route 53 puts this before a load balancer's name; elsewhere it belongs to the name.
        balancer = _BALANCER.fullmatch(name)
        return balancer[1] if balancer else name
    told = values(record) if record["Type"] == "CNAME" else []
    return without_dot(told[0]).lower() if told else None


def servers(record: Record) -> list[str]:
    """The name servers of an NS record."""
    return [without_dot(each) for each in values(record)] if record["Type"] == "NS" else []


def record_value(record: Record) -> str | None:
    """The host, or all values with commas between."""
    return hostname(record) or ",".join(servers(record) or values(record)) or None


def record_kind(record: Record) -> str:
    """The record's type, ALIAS for an alias: Cartography calls only a CNAME's alias by its own type."""
    kind = str(record["Type"])
    return "ALIAS" if record["AliasTarget"] and kind != "CNAME" else kind


def record_id(record: Record) -> str:
    """Cartography's id; records of one name and type that share the answers are told apart by their set identifier."""
    kind = str(record["Type"])
    if record["AliasTarget"]:
        kind = {"CNAME": "WEIGHTED_CNAME", "A": "ALIAS"}.get(kind, f"ALIAS_{kind}")
    parts = [reader("^Id")(record), without_dot(record["Name"]), kind, record["SetIdentifier"]]
    return "/".join(part for part in parts if part)


def own_name(record: Record) -> str | None:
    """The record's name, where looking it up leads to a host: its TXT and MX are not what a CNAME points to."""
    return without_dot(record["Name"]) if record["Type"] in {"A", "AAAA", "CNAME"} else None


def other_record(record: Record) -> str | None:
    """The name of the record that this one leads to: that of a CNAME, or of an alias within its zone."""
    alias = record["AliasTarget"]
    if alias and short_id(alias["HostedZoneId"]) != short_id(reader("^Id")(record)):
        return None
    return hostname(record)


def outside_host(record: Record) -> str | None:
    """The host that the record leads to, where that is neither a name of AWS's nor one of the record's own zone."""
    host, zone = hostname(record), without_dot(str(reader("^Name")(record))).lower()
    if not host or _AWS.fullmatch(host) or host == zone or host.endswith(f".{zone}"):
        return None
    return host


def api_id(record: Record) -> str | None:
    """The id of the API that the record leads to by its own name; most have a domain before them."""
    return rest_api(hostname(record) or "")


def ipv4(record: Record) -> list[str]:
    """The addresses of an A record."""
    return values(record) if record["Type"] == "A" else []


def ipv6(record: Record) -> list[str]:
    """The addresses of an AAAA record, which may write them at length, as EC2 writes them."""
    return [str(IPv6Address(each)) for each in values(record)] if record["Type"] == "AAAA" else []


def addresses(record: Record) -> list[str]:
    """The addresses of an A or AAAA record."""
    return [*ipv4(record), *ipv6(record)]


def bucket(record: Record) -> str | None:
    """The bucket behind an S3 endpoint: the one that its name begins with, else the one named as the record."""
    match = _BUCKET.fullmatch(hostname(record) or "")
    return (match["bucket"] or without_dot(record["Name"])) if match else None


class AWSNameServer(Resource):
    """A name server: whoever holds it says where the names of a zone lead."""

    also = ("NameServer",)
    source = RECORDS.each(servers)
    shared = True

    id: str = at("@")
    name: str = at("@", index=True)

    zone: AWSDNSZone = by("NAMESERVER", "^^Id")


class DNSAddress(Resource):
    """An address that a name leads to, ours or anybody's; of one that nothing of ours has, somebody else answers."""

    also = ("Ip",)
    source = RECORDS.each(addresses)
    shared = True
    owned = False

    id: str = at("@")
    ip: str = at("@", index=True)


class DNSHost(Resource):
    """A host outside AWS that a name leads to: whoever gets hold of it answers under our name."""

    source = RECORDS.each(lambda record: [host] if (host := outside_host(record)) else [])
    shared = True
    owned = False

    id: str = at("@")
    name: str = at("@", index=True)


class AWSDNSRecord(Resource):
    """A name of a zone and what it points to; one that points to nothing of ours may be somebody else's to take."""

    also = ("DNSRecord",)
    source = RECORDS

    id: str = at(record_id)
    name: str = at("Name", then=without_dot, index=True, doc="Other than letters, digits, - _ . are octal: \\052 is *")
    type: str = at(record_kind, doc="ALIAS for an alias, else the record's type")
    value: str = at(record_value, doc="The host that it leads to, else its values with commas between")
    values: list[str] = at(values)
    ttl: int = at("TTL")
    set_identifier: str = at("SetIdentifier", doc="Tells apart the records that share a name's answers")
    alias_hosted_zone_id: str = at("AliasTarget.HostedZoneId")
    health_check_id: str = at("HealthCheckId")
    resolves_name: str = at(own_name, index=True, doc="The name, of records that lead to a host: A, AAAA and CNAME")

    zone: AWSDNSZone = to("MEMBER_OF_DNS_ZONE", "^Id")
    name_servers: list[AWSNameServer] = to("DNS_POINTS_TO", servers)
    record: AWSDNSRecord = to("DNS_POINTS_TO", other_record, on="resolves_name")
    instance: EC2Instance = to("DNS_POINTS_TO", hostname, on="publicdnsname")
    classic_balancer: AWSLoadBalancer = to("DNS_POINTS_TO", hostname, on="dnsname")
    balancer: LoadBalancerV2 = to("DNS_POINTS_TO", hostname, on="dnsname")
    search_domain: ESDomain = to("DNS_POINTS_TO", hostname, on="host")
    distribution: CloudFrontDistribution = to("DNS_POINTS_TO", hostname, on="domain_name")
    api_domain: AWSAPIGatewayDomainName = to("DNS_POINTS_TO", hostname, on="host")
    api: APIGatewayRestAPI = to("DNS_POINTS_TO", api_id)
    v2_api: APIGatewayV2API = to("DNS_POINTS_TO", api_id)
    elastic_ips: list[ElasticIPAddress] = to("DNS_POINTS_TO", ipv4, on="public_ip")
    interfaces: list[AWSNetworkInterface] = to("DNS_POINTS_TO", ipv4, on="public_ip")
    ipv6_addresses: list[EC2Ipv6Address] = to("DNS_POINTS_TO", ipv6)
    bucket: S3Bucket = to("DNS_POINTS_TO", bucket)
    addresses: list[DNSAddress] = to("DNS_POINTS_TO", addresses)
    db_instance: RDSInstance = to("DNS_POINTS_TO", hostname, on="endpoint_address")
    db_cluster: RDSCluster = to("DNS_POINTS_TO", hostname, on="endpoint")
    warehouse: RedshiftCluster = to("DNS_POINTS_TO", hostname, on="endpoint_address")
    file_server: AWSTransferServer = to("DNS_POINTS_TO", hostname, on="host")
    host: DNSHost = to("DNS_POINTS_TO", outside_host)


def logged_zone(config: Record) -> str:
    """The id of the zone whose queries are logged."""
    return f"/hostedzone/{short_id(config['HostedZoneId'])}"


class LoggedZone(Resource, extends=AWSDNSZone):
    """A zone with the log of who asks for its names."""

    source = call("route53", "ListQueryLoggingConfigs", "QueryLoggingConfigs[]", per="account")

    id: str = at(logged_zone)

    logs: CloudWatchLogGroup = to(
        "LOGS_TO", lambda config: log_group_arn(config["CloudWatchLogsLogGroupArn"], config.context)
    )


def delegations(record: Record) -> Iterator[dict[str, str]]:
    """An NS record as one text: the name, and the servers that answer for it. Only the zone's own, or only others'."""
    if record["Type"] == "NS" and record["ResourceRecords"]:
        name = without_dot(record["Name"]).lower()
        yield {"name": name, "key": f"{name} {' '.join(sorted(each.lower() for each in servers(record)))}"}


def own_delegation(record: Record) -> Iterator[dict[str, str]]:
    """The NS record of the zone itself."""
    return (each for each in delegations(record) if record["Name"] == reader("^Name")(record))


def given_delegation(record: Record) -> Iterator[dict[str, str]]:
    """An NS record that hands a name below the zone to other servers."""
    return (each for each in delegations(record) if record["Name"] != reader("^Name")(record))


class ServedZone(Resource, extends=AWSDNSZone):
    """A zone with the servers that answer for it: what a delegation must say to lead here."""

    source = RECORDS.each(own_delegation)

    id: str = at("^^Id")
    delegation: str = at("key", index=True, doc="The zone's name and its sorted name servers")

    domain: AWSRoute53Domain = by("DELEGATES_TO", "key", on="delegation")


class DelegatingZone(Resource, extends=AWSDNSZone):
    """A zone that hands a name below it to another zone's servers."""

    source = RECORDS.each(given_delegation)

    id: str = at("^^Id")

    subzone: ServedZone = to("SUBZONE", "key", on="delegation")
