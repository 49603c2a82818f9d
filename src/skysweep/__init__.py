"""skysweep: every account and region of an AWS organization, as a security graph in Neo4j."""
