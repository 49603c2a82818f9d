"""Web ACLs: the order of their rules, whose they are, and which stop nothing."""

from __future__ import annotations

from typing import Any

from skysweep.aws import wafv2
from skysweep.model import Context, Record

HERE = Context("123456789012", "us-east-1")


def rule(name: str, priority: int, kind: str = "GeoMatchStatement", **told: Any) -> dict[str, Any]:
    about = {
        "ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "Common"},
        "RuleGroupReferenceStatement": {"ARN": "arn:own"},
    }
    return {"Name": name, "Priority": priority, "Statement": {kind: about.get(kind, {})}, **told}


ACL = Record(
    {
        "DefaultAction": {"Block": {}},
        "Rules": [
            rule("managed", 3, "ManagedRuleGroupStatement", OverrideAction={"None": {}}),
            rule("own", 2, "RuleGroupReferenceStatement", OverrideAction={"Count": {}}),
            rule("stops", 1, Action={"Block": {}}),
            rule("counts", 0, Action={"Count": {}}),
        ],
    },
    HERE,
)
EMPTY = Record({"DefaultAction": {"Allow": {}}}, HERE)


def test_rules_are_in_the_order_in_which_they_are_tried() -> None:
    assert wafv2.rule_names(ACL) == ["counts", "stops", "own", "managed"]


def test_rules_that_only_count_stop_nothing_and_groups_overridden_to_count_neither() -> None:
    assert wafv2.counting_rules(ACL) == ["own", "counts"]


def test_groups_are_a_vendors_or_ones_own() -> None:
    assert wafv2.managed_rule_groups(ACL) == ["AWS/Common"]
    assert wafv2.rule_groups(ACL) == ["arn:own"]


def test_what_no_rule_takes_is_let_through_or_not() -> None:
    assert wafv2.default_action(ACL) == "Block"
    assert wafv2.default_action(EMPTY) == "Allow"
    assert wafv2.rule_names(EMPTY) == []


def test_what_firewall_manager_puts_around_the_rules_is_told() -> None:
    around = {
        "PreProcessFirewallManagerRuleGroups": [{"Name": "first"}],
        "PostProcessFirewallManagerRuleGroups": [{"Name": "last"}],
    }
    assert wafv2.firewall_manager_groups(Record(around, HERE)) == ["first", "last"]
    assert wafv2.firewall_manager_groups(EMPTY) == []
