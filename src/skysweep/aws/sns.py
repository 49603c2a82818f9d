"""SNS: topics and who gets what is published to them."""

from __future__ import annotations

from skysweep.aws._common import is_true, last_part
from skysweep.aws.resourcepolicies import PolicyStatement, statements_of
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.model import Record, Resource, at, by, call, detail, to

TOPICS = call("sns", "ListTopics", "Topics[]")
ATTRIBUTES = detail("sns", "GetTopicAttributes", on=TOPICS, TopicArn="TopicArn")


class SNSTopic(Resource):
    """A channel that messages are published to; its policy says who may publish and who may listen."""

    also = ("AWSSNSTopic",)
    source = TOPICS

    id: str = at("TopicArn")
    arn: str = at("TopicArn", index=True)
    name: str = at("TopicArn", then=last_part, index=True)
    displayname: str = at("Attributes.DisplayName", of=ATTRIBUTES)
    owner: str = at("Attributes.Owner", of=ATTRIBUTES)
    subscriptionspending: int = at("Attributes.SubscriptionsPending", of=ATTRIBUTES, then=int)
    subscriptionsconfirmed: int = at("Attributes.SubscriptionsConfirmed", of=ATTRIBUTES, then=int)
    subscriptionsdeleted: int = at("Attributes.SubscriptionsDeleted", of=ATTRIBUTES, then=int)
    deliverypolicy: str = at("Attributes.DeliveryPolicy", of=ATTRIBUTES)
    effectivedeliverypolicy: str = at("Attributes.EffectiveDeliveryPolicy", of=ATTRIBUTES)
    kmsmasterkeyid: str = at("Attributes.KmsMasterKeyId", of=ATTRIBUTES, doc="Null: not encrypted by KMS")
    policy: str = at("Attributes.Policy", of=ATTRIBUTES, doc="The topic's access policy, as JSON")
    fifotopic: bool = at("Attributes.FifoTopic", of=ATTRIBUTES, then=is_true)

    tagged: list[AWSTag] = tagged_by_arn(TOPICS, "TopicArn")


class SNSPolicyStatement(PolicyStatement):
    """One statement of a topic's policy: who may publish to it, or listen."""

    source = ATTRIBUTES.each(statements_of("Attributes.Policy", "^TopicArn"))

    topic: SNSTopic = by("POLICY_STATEMENT", "^^TopicArn")


def subscription_id(subscription: Record) -> str:
    """The subscription's ARN; one not confirmed has none, and is known by what it asks for."""
    return subscription_arn(subscription) or "/".join(
        str(subscription[name]) for name in ("TopicArn", "Protocol", "Endpoint")
    )


def subscription_arn(subscription: Record) -> str | None:
    """The ARN, where AWS does not say PendingConfirmation or Deleted in its place."""
    told = str(subscription["SubscriptionArn"])
    return told if told.startswith("arn:") else None


class SNSTopicSubscription(Resource):
    """Somebody who listens to a topic: a queue, a function, an address outside."""

    also = ("AWSSNSTopicSubscription",)
    source = call("sns", "ListSubscriptions", "Subscriptions[]")

    id: str = at(subscription_id)
    arn: str = at(subscription_arn, index=True, doc="Null until the subscription is confirmed")
    topic_arn: str = at("TopicArn", index=True)
    endpoint: str = at("Endpoint")
    owner: str = at("Owner", doc="The subscriber's account")
    protocol: str = at("Protocol")

    topic: SNSTopic = to("HAS_SUBSCRIPTION", "TopicArn")
