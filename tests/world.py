"""A small catalogue and a way to sweep made-up rows into a store: what the writer's and the cleanup's tests share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from skysweep import cypher
from skysweep.catalogue import Catalogue, Type, declared
from skysweep.cleanup import Licence, clean
from skysweep.ledger import Ledger, Past
from skysweep.model import Resource, about, at, by, call, detail, to
from skysweep.outcomes import Deleted, Tally
from skysweep.plan import Account
from skysweep.records import Linked
from skysweep.store import Store
from skysweep.writer import Batch, Writer

ONE, TWO = "111111111111", "222222222222"
EAST, WEST = "us-east-1", "eu-west-1"
MARK = "_seen_GetBucketEncryption"


class Network(Resource):
    """A network, seen in one region."""

    also = ("Seen", "VirtualNetwork")
    source = call("ec2", "DescribeVpcs", "Vpcs[]")
    id: str = at("VpcId")
    arn: str = at("VpcId", index=True)
    name: str = at("State")


class Range(Resource):
    """An address range: every account may see the same."""

    also = ("Seen",)
    shared = True
    source = call("ec2", "DescribeVpcs", "Vpcs[].CidrBlockAssociationSet[]")
    id: str = at("CidrBlock")


class Lan(Resource):
    """A network that its owner shares with others, who list it too."""

    source = call("ec2", "DescribeVpcs", "Vpcs[]")
    owned_by = "OwnerId"
    id: str = at("VpcId")
    zone: str = at("State")


class Gate(Resource):
    """A rule at a shared network's border."""

    source = call("ec2", "DescribeVpcs", "Vpcs[].Ipv6CidrBlockAssociationSet[]")
    owned_by = "^OwnerId"
    id: str = at("Ipv6CidrBlock")

    lan: Lan = to("GUARDS", "^VpcId")


class Machine(Resource):
    """A machine in a network, that lets a range in."""

    source = call("ec2", "DescribeInstances", "Reservations[].Instances[]")
    id: str = at("InstanceId")
    state: str = at("State.Name")

    network: Network = to("IN", "VpcId", on="arn")
    ranges: list[Range] = by("REACHES", "VpcId", port="State.Name")


class Person(Resource):
    """An account-wide thing that others may know of."""

    source = call("iam", "ListUsers", "Users[]", per="account")
    id: str = at("Arn")
    name: str = at("UserName")


class KnownPerson(Resource, extends=Person):
    """A person that some other record names."""

    source = call("iam", "ListRoles", "Roles[]", per="account")
    id: str = at("Arn")
    nick: str = at("RoleName")

    friend: Person = to("KNOWS", "Arn")


BOXES = call("s3", "ListBuckets", "Buckets[]", per="account")
SECRET = detail("s3", "GetBucketEncryption", on=BOXES, Bucket="Name")


class Box(Resource):
    """What a detail call tells more of: whose it is to open."""

    source = BOXES
    id: str = at("Name")
    opened: list[Person] = to("OPENED_BY", "Rules", of=SECRET)


class Finding(Resource):
    """What may be about things of several types."""

    source = call("guardduty", "ListDetectors", "DetectorIds[]")
    id: str = at("@")

    things: list[Network | Person] = about("ABOUT", "@")
    range: Range = to("ABOUT", "@")


CATALOGUE = Catalogue(
    tuple(declared(cls) for cls in (Network, Range, Lan, Gate, Machine, Person, KnownPerson, Box, Finding))
)
TYPES: dict[str, Type] = {type_.name: type_ for type_ in CATALOGUE.types}


@dataclass
class Told:
    """Rows of one type in one scope, with the links of its first and second edge: {edge: {own id: [other ids]}}."""

    type: str
    account: str
    region: str
    rows: Mapping[str, Mapping[str, Any]]
    links: Mapping[str, Mapping[str, Iterable[str]]] = field(default_factory=dict)
    owner: str = ""

    def batch(self, batches_done: list[str]) -> Batch:
        type_ = TYPES[self.type]
        names = [edge.name for edge in type_.edges]
        rows = [{"id": key, "props": {"id": key, **props}} for key, props in self.rows.items()]
        links = [
            Linked(names.index(name), *((end, own) if type_.edges[names.index(name)].inbound else (own, end)), {})
            for name, pairs in self.links.items()
            for own, ends in pairs.items()
            for end in ends
        ]
        done = lambda: batches_done.append(self.type)  # noqa: E731 - a name for a short line
        return Batch(type_, self.account, self.region, rows, links, owner=self.owner, done=done)


@dataclass
class World:
    """A store with a ledger; `sweep` writes what is told, cleans up what is licensed, and counts the deletions."""

    store: Store
    folder: Path
    accounts: tuple[Account, ...] = (
        Account(ONE, regions=(EAST, WEST)),
        Account(TWO, regions=(EAST, WEST)),
    )
    tag: int = 0
    writer: Writer | None = None
    unread: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    async def sweep(self, *told: Told, missing: Mapping[str, Iterable[tuple[str, str]]] | None = None) -> Deleted:
        self.tag += 1
        with Ledger(self.folder) as ledger:
            sweep = f"sweep {self.tag}"
            ledger.begin(Past(sweep, self.tag, float(self.tag), "running"), self.accounts)
            if self.tag == 1:
                await self.store.prepare(cypher.node_types(CATALOGUE), cypher.edge_types(CATALOGUE))
            with Writer(self.store, ledger, sweep, self.tag, Tally()) as self.writer:
                await self._write(self.writer, told)
            licence = Licence(self.accounts)
            for name, places in self.unread.items():
                for account, region in places:
                    licence.unanswered(SECRET.call, [TYPES[name]], account, region)
            for name, scopes in (missing or {}).items():
                for account, region in scopes:
                    licence.withhold([TYPES[name]], account, region)
            deleted = Deleted()
            await clean(self.store, CATALOGUE, licence, self.tag, deleted)
            return deleted

    async def _write(self, writer: Writer, told: Iterable[Told]) -> None:
        done: list[str] = []
        await writer.accounts([{"id": each.id, "props": {"id": each.id}} for each in self.accounts])
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.run)
            for each in told:
                await writer.send(each.batch(done))
            writer.close()
        assert len(done) == len(list(told)), "every batch is acknowledged"
        await writer.links(CATALOGUE)

    async def ids(self, label: str) -> set[str]:
        return {row["id"] for row in await self.store.run(f"MATCH (n:{label}) RETURN n.id AS id")}

    async def edges(self, kind: str) -> set[tuple[str, str]]:
        rows = await self.store.run(f"MATCH (s)-[:{kind}]->(t) RETURN s.id AS s, t.id AS t")
        assert len(rows) == len({(row["s"], row["t"]) for row in rows}), f"{kind} is drawn twice"
        return {(row["s"], row["t"]) for row in rows}
