"""Route 53 domains: names registered through AWS. Who registered them, and their addresses, are never kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from skysweep.model import Record, Resource, at, call, detail

DOMAINS = call("route53domains", "ListDomains", "Domains[]", per="account")
ABOUT = detail("route53domains", "GetDomainDetail", on=DOMAINS, DomainName="DomainName")


def name_servers(domain: Record) -> list[str]:
    """The servers that the registry sends everybody to, in small letters and in order."""
    servers = domain.reply(ABOUT).get("Nameservers") or ()
    return sorted(each["Name"].lower().removesuffix(".") for each in servers)


def delegation(domain: Record) -> str | None:
    """What the registry says of the name, as a zone's own NS record says it: the name and its servers."""
    servers = name_servers(domain)
    return f"{domain['DomainName'].lower()} {' '.join(servers)}" if servers else None


def _about(path: str, doc: str = "") -> Any:
    return at(path, of=ABOUT, doc=doc)


class AWSRoute53Domain(Resource):
    """A registered domain: whoever can move it or let it lapse has everything that lives under its name."""

    source = DOMAINS

    id: str = at("DomainName", then=str.lower)
    name: str = at("DomainName", then=str.lower, index=True)
    auto_renew: bool = at("AutoRenew")
    transfer_lock: bool = at("TransferLock", doc="Whether moving it to another registrar is refused")
    expiry: datetime = at("Expiry")
    creation_date: datetime = _about("CreationDate")
    updated_date: datetime = _about("UpdatedDate")
    status_list: list[str] = _about("StatusList", doc="EPP's states; clientTransferProhibited is the lock")
    name_servers: list[str] = at(name_servers, of=ABOUT)
    delegation: str = at(delegation, of=ABOUT, index=True, doc="Its name and its sorted name servers")
    registrar_name: str = _about("RegistrarName")
    reseller: str = _about("Reseller")
    registry_domain_id: str = _about("RegistryDomainId")
    dnssec_key_tags: list[int] = _about("DnssecKeys[].KeyTag", doc="Empty where DNSSEC is off")
    admin_privacy: bool = _about("AdminPrivacy")
    registrant_privacy: bool = _about("RegistrantPrivacy", doc="Whether WHOIS hides who registered it")
    tech_privacy: bool = _about("TechPrivacy")
    billing_privacy: bool = _about("BillingPrivacy")
