"""How fast a sweep could have been: the largest of four bounds. Pure.

- the token buckets': each takes its burst at once and then its rate, at the share that the sweep may use;
- the CPU's: the calls at the cost of a bare aiobotocore call, and taking the replies apart, on one core;
- the store's: what the writer alone needs for the same rows;
- the latency's: the longest chain of calls that wait for each other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from skysweep.catalogue import Branch, Catalogue
from skysweep.limits import limits_of

BEFORE = 4  # calls before an account's first listing: GetCallerIdentity, AssumeRole, GetCallerIdentity, its regions

Count = Mapping[str, Any]  # the referee's: account, region, service, operation, calls


@dataclass(frozen=True, slots=True)
class Bound:
    """Seconds below which no sweep can be, and what it is that takes them."""

    name: str
    seconds: float
    why: str


def buckets(counts: Iterable[Count], share: float, times: float = 1.0) -> Bound:
    """The token buckets' bound at a share of AWS's rates (times so much); none where nothing is paced."""
    if share <= 0:
        return Bound("buckets", 0.0, "nothing is paced")
    taken: Counter[tuple[str, str, str, str]] = Counter()
    rates = {}
    for each in counts:
        for limit in limits_of(each["service"], each["operation"]):
            key = (each["account"], each["region"] if limit.regional else "", each["service"], limit.action)
            taken[key] += each["calls"]
            rates[key] = (limit.burst * share * times, limit.rate * share * times)
    longest = Bound("buckets", 0.0, "no bucket is emptied")
    for key, calls in taken.items():
        burst, rate = rates[key]
        seconds = (calls - max(burst, 1.0)) / rate
        if seconds > longest.seconds:
            account, region, service, action = key
            where = f"{service}:{action} of {account}" + (f" in {region}" if region else "")
            longest = Bound("buckets", seconds, f"{calls:,} calls of {where} at {rate:g}/s")
    return longest


def cpu(calls: int, call_seconds: float, decode_seconds: float) -> Bound:
    """The CPU's bound for one process."""
    why = f"{calls:,} calls at {1e3 * call_seconds:.2f} ms, and {decode_seconds:.2f} s for their replies"
    return Bound("cpu", calls * call_seconds + decode_seconds, why)


def decoding(counts: Iterable[Count], costs: Iterable[Mapping[str, Any]]) -> float:
    """Seconds for taking the replies apart, by what each operation's cost (decode.py) in the mean."""
    each = {(cost["service"], cost["operation"]): cost["ours_ms"] / 1e3 for cost in costs}
    seconds: float = sum(count["calls"] * each.get((count["service"], count["operation"]), 0.0) for count in counts)
    return seconds


def store(rows: int, seconds: float) -> Bound:
    """The store's bound: what the writer alone took for these rows."""
    return Bound("store", seconds, f"{rows:,} rows and links by the writer alone")


def latency(counts: Iterable[Count], catalogue: Catalogue, seconds: float) -> Bound:
    """The longest chain's bound: what leads to the accounts, a listing's pages in turn, the last page's details."""
    calls: dict[tuple[str, str], Counter[tuple[str, str]]] = defaultdict(Counter)
    for each in counts:
        calls[each["service"], each["operation"]][each["account"], each["region"]] += each["calls"]
    alike = Counter((call.service, call.operation) for call in catalogue.calls)
    longest, why = 0, "no call"
    for call in catalogue.calls:
        of = (call.service, call.operation)
        told = max(calls.get(of, {("", ""): 0}).values()) // alike[of]
        pages = min(told, 1) if call.service == "sts" else told  # which is also what leads to the accounts
        deep = _depth(catalogue.branches[call], calls.keys())
        if pages + deep > longest:
            longest, why = pages + deep, f"{call}: {pages} pages, {deep} details deep, {BEFORE} calls before"
    return Bound("latency", (longest + BEFORE) * seconds, why)


def _depth(branch: Branch, asked: Iterable[tuple[str, str]]) -> int:
    """How many details that were asked hang one on another below a call."""
    asked = set(asked)
    below = (detail for feed in branch.feeds for detail in feed.details if detail.call != branch.call)
    deep = [1 + _depth(each, asked) for each in below if (each.call.service, each.call.operation) in asked]
    return max(deep, default=0)
