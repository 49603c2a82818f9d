"""EventBridge: buses, the rules that pick events off them, and what those set off."""

from __future__ import annotations

from datetime import datetime

from skysweep.aws.batch import AWSBatchJobQueue
from skysweep.aws.ecs import ECSCluster
from skysweep.aws.iam import AWSRole
from skysweep.aws.lambda_ import AWSLambda
from skysweep.aws.logs import CloudWatchLogGroup
from skysweep.aws.resourcepolicies import PolicyStatement, statements_of
from skysweep.aws.sns import SNSTopic
from skysweep.aws.sqs import SQSQueue
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.model import Record, Resource, about, at, by, call, detail, to

BUSES = call("events", "ListEventBuses", "EventBuses[]")
# Asked for each bus, because without its name only the default one's rules are told.
RULES = detail("events", "ListRules", "Rules[]", on=BUSES, EventBusName="Name")
TARGETS = detail("events", "ListTargetsByRule", "Targets[]", on=RULES, Rule="Name", EventBusName="EventBusName")


class AWSEventBridgeEventBus(Resource):
    """A bus that events come in on; its policy says which other accounts may send."""

    source = BUSES

    id: str = at("Arn")
    arn: str = at("Arn", index=True)
    name: str = at("Name", index=True)
    description: str = at("Description")
    policy: str = at("Policy")
    creation_time: datetime = at("CreationTime")

    tagged: list[AWSTag] = tagged_by_arn(BUSES, "Arn")


class EventBusPolicyStatement(PolicyStatement):
    """One statement of a bus's policy: who may send events to it, or make rules on it."""

    source = BUSES.each(statements_of("Policy", "Arn"))

    bus: AWSEventBridgeEventBus = by("POLICY_STATEMENT", "^Arn")


def set_off(rule: Record) -> list[str]:
    """The ARNs of what the rule sets off."""
    return [each["Arn"] for each in rule.reply(TARGETS).get("Targets") or ()]


class EventBridgeRule(Resource):
    """A rule: which events, or when, and what they set off, with whose permissions."""

    also = ("AWSEventBridgeRule",)
    source = RULES

    id: str = at("Arn")
    arn: str = at("Arn", index=True)
    name: str = at("Name", index=True)
    state: str = at("State")
    description: str = at("Description")
    event_pattern: str = at("EventPattern")
    schedule_expression: str = at("ScheduleExpression")
    role_arn: str = at("RoleArn")
    managed_by: str = at("ManagedBy", doc="The AWS service that made it, if one did")
    event_bus_name: str = at("EventBusName")
    target_arns: list[str] = at(set_off, of=TARGETS, doc="All that it sets off, also what is not in the graph")

    role: AWSRole = to("ASSOCIATED_WITH", "RoleArn", on="arn")
    bus: AWSEventBridgeEventBus = to("PART_OF_EVENT_BUS", "^Arn")
    triggers: list[
        AWSBatchJobQueue | AWSEventBridgeEventBus | AWSLambda | CloudWatchLogGroup | ECSCluster | SNSTopic | SQSQueue
    ] = about("TRIGGERS", set_off, of=TARGETS)
    tagged: list[AWSTag] = tagged_by_arn(RULES, "Arn")


class EventBridgeTarget(Resource):
    """What a rule sets off, as the rule names it: the role that it is called with, and where failures go."""

    also = ("AWSEventBridgeTarget",)
    source = TARGETS

    id: str = at("{^Arn}/target/{Id}")
    arn: str = at("Arn", index=True)
    target_id: str = at("Id")
    rule_arn: str = at("^Arn")
    role_arn: str = at("RoleArn")
    dead_letter_arn: str = at("DeadLetterConfig.Arn")

    rule: EventBridgeRule = to("LINKED_TO_RULE", "^Arn")
    role: AWSRole = to("ASSOCIATED_WITH", "RoleArn", on="arn")
    dead_letters: SQSQueue = to("HAS_DEADLETTER_QUEUE", "DeadLetterConfig.Arn")
