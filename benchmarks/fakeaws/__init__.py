"""A fake AWS: any read operation of botocore's models, for every account and region, deterministic from a seed."""

from benchmarks.fakeaws.estate import Estate
from benchmarks.fakeaws.oracle import Oracle
from benchmarks.fakeaws.server import Server
from benchmarks.fakeaws.wire import process, serving

__all__ = ["Estate", "Oracle", "Server", "process", "serving"]
