"""A fake AWS: any read operation of botocore's models, for every account and region, deterministic from a seed.

    estate = Estate.random(1, accounts=10, regions=4, resources=10_000)
    async with serving(estate) as server:  # in this event loop; `process`, `python -m benchmarks.fakeaws`: elsewhere
        server.faults = throttling(0.5, seed=1)  # see faults.py
        await skysweep.sweep(…)  # of server.url, with any key: it is the hub's, which may assume all roles
        server.calls  # how many there were, by account, region, service and operation
        estate.remove(account, region, "ec2:DescribeVolumes", 7)
        Oracle(estate).ids(account, region)["EBSVolume"]  # what the next sweep must find

As a bench it answers as AWS does: `process(sizes={"ec2:DescribeInstances": 200}, latency=0.03, limits=1.0,
production=0.5, real=True)`, and the same options of `python -m benchmarks.fakeaws`. Latencies are log-normal and by
seed; each reply has its own, the replies of one connection keep their order. Each account, region, service and action
class has its token bucket (data/rate-limits.csv), and a call that finds it empty is throttled in the service's own
words. A production client takes its tokens of the same buckets by arithmetic, as its turns come. Real items lack what
real ones do. `Process.calls`, `.usage` and `.buckets` are the referee: calls and throttles by operation and account,
bytes, what production asked and got, the CPU that all this has cost.

That CPU, by `python -m benchmarks.fakeaws.cost` against a bare aiobotocore client in another process, two cores shared
with other work (a load of 10): 45 us for an empty page, 96 us where it is sent 30 ms later, 100 us with buckets and
production as well, 170 us for a page of 100 instances (0.24 MB), 690 us for one of 1,000 (2.4 MB); the client's is 980
us for an empty page, 49 ms and 450 ms for the others. A process that sleeps between two requests pays for each waking:
a busy one costs less a call. What is not kept yet is made at 60-90 us an item, which holds up the other requests
meanwhile: sweep once before measuring. At most 512 MB of replies and 250,000 requests are kept; a million resources
take about 0.8 GB in all.

The way of a request: wire.py cuts it, heads.py reads its head, models.py tells what it asks, server.py counts it, asks
buckets.py for its tokens and the plan for its fault, and keeps replies; answers.py finds the items and pages them,
content.py fills them by shape and by the tables of kinds.py and later.py, sizes.py leaves members out, render.py writes
them, wheel.py sends them when they are due. identity.py answers for accounts and the organization, oracle.py says what
must come of it all, elsewhere.py starts it as a process.
"""

from benchmarks.fakeaws.elsewhere import Process, process
from benchmarks.fakeaws.estate import Estate
from benchmarks.fakeaws.oracle import Oracle
from benchmarks.fakeaws.server import Server
from benchmarks.fakeaws.wire import serving

__all__ = ["Estate", "Oracle", "Process", "Server", "process", "serving"]
