"""A fake AWS: any read operation of botocore's models, for every account and region, deterministic from a seed.

    estate = Estate.random(1, accounts=10, regions=4, resources=10_000)
    async with serving(estate) as server:  # in this event loop; `process`, `python -m benchmarks.fakeaws`: elsewhere
        server.faults = throttling(0.5, seed=1)  # see faults.py
        await skysweep.sweep(…)  # of server.url, with any key: it is the hub's, which may assume all roles
        server.calls  # how many there were, by account, region, service and operation
        estate.remove(account, region, "ec2:DescribeVolumes", 7)
        Oracle(estate).ids(account, region)["EBSVolume"]  # what the next sweep must find

Measured on one shared core, the client in another process: 36 us of CPU for an empty page, 115 us for a page of 100
instances (790 kB), 50-60 us more for a request that was never seen. What is not kept yet is made at 25-180 us an item.

The way of a request: wire.py cuts it, models.py tells what it asks, server.py counts it, asks for its fault and keeps
replies, answers.py finds the items and pages them, content.py fills them by shape and by the table of kinds.py,
render.py writes them, identity.py answers for accounts and the organization, oracle.py says what must come of it all.
"""

from benchmarks.fakeaws.elsewhere import Process, process
from benchmarks.fakeaws.estate import Estate
from benchmarks.fakeaws.oracle import Oracle
from benchmarks.fakeaws.server import Server
from benchmarks.fakeaws.wire import serving

__all__ = ["Estate", "Oracle", "Process", "Server", "process", "serving"]
