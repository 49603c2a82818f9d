"""What the graph itself says of how fresh it is: a node for each sync of an account and region, with its last sweep.

Labels, ids and properties are those of Cartography's ModuleSyncMetadata; the region is ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from skysweep import cypher
from skysweep.catalogue import Catalogue, Type
from skysweep.cleanup import Licence
from skysweep.plan import GLOBAL, Account
from skysweep.records import Row
from skysweep.store import Store

ROWS = 2_000

CARTOGRAPHYS = (
    *("AWSACMCertificate", "AWSAccount", "AWSCloudFormationStack", "AWSCloudFrontDistribution", "AWSDynamoDBTable"),
    *("AWSElasticacheCluster", "AWSGuardDutyDetector", "AWSGuardDutyFinding", "AWSPrincipal", "AWSRDSCluster"),
    *("AWSS3AccountPublicAccessBlock", "AWSS3Bucket", "AWSSNSTopic", "AWSSecretsManagerSecretVersion"),
)
"""The labels that Cartography 0.143 writes such a node for, once an account."""


async def tell(
    store: Store, catalogue: Catalogue, licence: Licence, syncs: Mapping[str, Iterable[str]], tag: int
) -> None:
    """Writes when each sync was last completed: those of this sweep that were."""
    statement = cypher.engines("ModuleSyncMetadata", labels_are_types=store.labels_are_types)
    rows = completed(catalogue, licence, syncs)
    while some := list(islice(rows, ROWS)):
        await store.run(statement, rows=some, tag=tag)


def completed(catalogue: Catalogue, licence: Licence, syncs: Mapping[str, Iterable[str]]) -> Iterator[Row]:
    """The rows of the syncs that are complete: by account and region, and by account for Cartography's own names.

    A sync is complete where all was told of every type of it; a selection that leaves types of it out completes none.
    """
    there = {label for type_ in catalogue.types for label in (type_.label, *type_.also)}
    named = {name: frozenset(labels) for name, labels in syncs.items() if labels and there.issuperset(labels)}
    # What others merely tell of a label's nodes says nothing of whether all of them are told of.
    own = [each for each in catalogue.types if not each.teller or catalogue.by_label[each.label].teller]
    of_sync = {name: [each for each in own if each.label in labels] for name, labels in named.items()}
    of_label = {name: [each for each in own if name in (each.label, *each.also)] for name in CARTOGRAPHYS}
    for account in licence.accounts:
        for name, types in of_sync.items():
            for region, whole in _seen(types, account, licence).items():
                if whole:
                    yield _row(account, region, name, f"{region}_{name}")
        for name, types in of_label.items():
            if types and all(_seen(types, account, licence).values()):
                yield _row(account, GLOBAL, name, name)


def _seen(types: Iterable[Type], account: Account, licence: Licence) -> dict[str, bool]:
    """Each region in which these types can be, and whether all was told of them there."""
    seen: dict[str, bool] = {}
    for type_ in types:
        for region in account.regions if type_.source.call.per == "region" else (GLOBAL,):
            seen[region] = seen.get(region, True) and licence.known(type_, account.id, region)
    return seen


def _row(account: Account, region: str, sync: str, name: str) -> Row:
    props: dict[str, Any] = {
        "grouptype": "AWSAccount",
        "groupid": account.id,
        "syncedtype": sync,
        "region": region,
    }
    return {"id": f"AWSAccount_{account.id}_{name}", "props": props}
