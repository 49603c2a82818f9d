"""Runs Cartography 0.143.0's own AWS stage against an emulated AWS; needs Cartography's environment, not ours.

    NEO4J_USER=… NEO4J_PASSWORD=… python cartography_run.py NEO4J_URI --region us-east-1 --region eu-west-1

AWS' own variables say where the emulator is (AWS_ENDPOINT_URL) and which files hold a profile for each account.
What is changed in Cartography's process, and nothing else: names that end in `localhost` resolve to loopback
(S3 Control puts the account before the host name), a call that fails is tried twice, not for ten minutes, IAM's
"service last accessed" step, which moto cannot answer and which fails the whole account then, is left out, and so is
what `elasticsearch` asks the world's DNS.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import socket
import sys
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

SYNCS = (
    "iam",
    "iaminstanceprofiles",
    "kms",
    "s3",
    "dynamodb",
    "ec2:launch_templates",
    "ec2:instance",
    "ec2:images",
    "ec2:security_group",
    "ec2:subnet",
    "ec2:load_balancer",
    "ec2:load_balancer_v2",
    "ec2:network_acls",
    "ec2:network_interface",
    "ec2:vpc",
    "ec2:vpc_endpoint",
    "ec2:route_table",
    "ec2:vpc_peering",
    "ec2:internet_gateway",
    "ec2:volumes",
    "ec2:snapshots",
    "elastic_ip_addresses",
    "lambda_function",
    "rds",
    "route53",
    "s3accountpublicaccessblock",
    "sns",
    "sqs",
    "ec2:autoscalinggroup",
    "ec2:keypair",
    "ecr",
    "elasticache",
    "redshift",
    "elasticsearch",
    "cloudformation",
    "resourcegroupstaggingapi",
    "apigateway",
    "apigatewayv2",
    "cloudfront",
    "ecr:pull_through_cache_rules",
    "securityhub",
    "acm:certificate",
    "inspector",
    "config",
    "cloudtrail",
    "cloudwatch",
    "efs",
    "eks",
    "guardduty",
    "eventbridge",
    "ecs",
    "ec2:load_balancer_v2:expose",
    # What there is no type for yet; moto fails reserved instances, bedrock, ssm and cognito.
    "ec2:tgw",
    "ec2:tgw_route_table",
    "emr",
    "secretsmanager",
    "sagemaker",
    "ses",
    "identitycenter",
    "cloudtrail_management_events",
    "codebuild",
    "glue",
)


def module(name: str) -> Any:
    """A module of Cartography's environment, which ours does not have."""
    return importlib.import_module(name)


def localhost_names_are_loopback() -> None:
    """Make every `*.localhost` name resolve to 127.0.0.1."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        return resolve("127.0.0.1" if str(host).endswith("localhost") else host, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo


def retries_end() -> None:
    """Give up a failing call after its second try: Cartography would back off for ten minutes."""
    backoff = module("backoff")
    on_exception = backoff.on_exception
    backoff.on_exception = lambda *args, **kwargs: on_exception(*args, **(kwargs | {"max_tries": 2, "max_time": 1}))


def no_last_accessed() -> None:
    """Leave out the step of `iam` that moto answers with HTTP 500."""
    iam = module("cartography.intel.aws.iam")
    iam.sync_service_last_accessed_details = lambda *_: None


def no_name_is_looked_up() -> None:
    """Leave out what `elasticsearch` asks the world's DNS: the emulator's names are not in it."""
    elasticsearch = module("cartography.intel.aws.elasticsearch")
    elasticsearch.ingest_dns_record_by_fqdn = lambda *_, **__: None


def failures_are_kept(failures: list[str]) -> None:
    """Let a sync that raises end alone, its error appended to `failures`: what moto lacks must not hide the rest."""
    functions = module("cartography.intel.aws.resources").RESOURCE_FUNCTIONS

    def kept(name: str, sync: Callable[..., None]) -> Callable[..., None]:
        def run(*args: Any, **kwargs: Any) -> None:
            try:
                sync(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is reported and fails the run
                traceback.print_exc()
                failures.append(f"{name} in {kwargs['current_aws_account_id']}: {error!r}")

        return run

    for name in SYNCS:
        functions[name] = kept(name, functions[name])


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("neo4j_uri")
    parser.add_argument("--region", action="append", required=True)
    parser.add_argument("--update-tag", type=int, default=1)
    return parser.parse_args()


def main() -> int:
    """Run the stages `create-indexes` and `aws`; 0 when every sync of SYNCS ended well."""
    options = arguments()
    logging.basicConfig(level=logging.INFO)
    retries_end()
    localhost_names_are_loopback()
    no_last_accessed()
    no_name_is_looked_up()
    failures: list[str] = []
    failures_are_kept(failures)
    command = ["--neo4j-uri", options.neo4j_uri, "--update-tag", str(options.update_tag)]
    command += ["--neo4j-user", os.environ["NEO4J_USER"], "--neo4j-password-env-var", "NEO4J_PASSWORD"]
    command += ["--selected-modules", "create-indexes,aws", "--aws-sync-all-profiles", "--aws-best-effort-mode"]
    command += ["--aws-regions", ",".join(options.region), "--aws-requested-syncs", ",".join(SYNCS)]
    code = module("cartography.cli").CLI(prog="cartography").main(command)
    for failure in failures:
        print("FAILED", failure, file=sys.stderr)  # noqa: T201 - a script
    return int(bool(code or failures))


if __name__ == "__main__":
    sys.exit(main())
