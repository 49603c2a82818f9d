"""What should have been done against what was: "complete" is a checked claim, and the licence to clean follows."""

from __future__ import annotations

from collections.abc import Iterable

from skysweep import plan
from skysweep.catalogue import Catalogue
from skysweep.cleanup import Licence
from skysweep.ledger import Key, Ledger
from skysweep.outcomes import Outcome, UnitResult
from skysweep.plan import Account, Unit

NEVER = "the sweep ended without it"


def audit(ledger: Ledger, sweep: str, accounts: Iterable[Account], catalogue: Catalogue) -> Licence:
    """The licence to clean that the noted units give. Planned units that are not noted are noted as failed."""
    accounts = list(accounts)
    licence, by_name = Licence(accounts), {type_.name: type_ for type_ in catalogue.types}
    for account in accounts:
        done, lost = ledger.done(sweep, account.id), []
        for unit in plan.units([account], catalogue.calls):
            result = done.get(Key.of(unit)) or _never(unit)
            licence.judge(catalogue, unit.call, result)
            if Key.of(unit) not in done:
                lost.append((result, unit.call.literal))
        if lost:
            ledger.record(sweep, lost)
    # A row that did not go in was seen all the same: its scope must not be cleaned of it.
    for name, account_id, region in ledger.scopes_put_aside(sweep):
        licence.withhold([by_name[name]], account_id, region)
    return licence


def _never(unit: Unit) -> UnitResult:
    target, call = unit.target, unit.call
    return UnitResult(target.account, target.region, call.service, call.operation, Outcome.FAILED, error=NEVER)
