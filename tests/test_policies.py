from __future__ import annotations

import json
import math
from fnmatch import fnmatchcase
from itertools import groupby

import hcl2
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import managed_policies
from skysweep import catalogue, policies, rollout
from skysweep.errors import BadSettings
from skysweep.policies import ALWAYS, LIMIT, ORGANIZATION, Policy

NAMES = st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=20)
OPERATIONS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=4, max_size=60)


def allowed(document: Policy) -> list[str]:
    return [action for statement in document["Statement"] for action in statement["Action"]]


def service(action: str) -> str:
    return action.partition(":")[0]


def bare(actions: set[str]) -> int:
    """The characters that these actions cost at the least: each with its quotes and comma, a statement a service."""
    services = {service(action) for action in actions}
    return sum(policies.size(policies.policy(a for a in actions if service(a) == name)) - 40 for name in services)


@st.composite
def selections(draw: st.DrawFn) -> set[str]:
    """Up to 1,000 actions of services small and large."""
    services = draw(st.lists(NAMES, min_size=1, max_size=30, unique=True))
    counts = draw(st.lists(st.integers(1, 120), min_size=len(services), max_size=len(services)))
    operation = draw(OPERATIONS)
    every = [
        f"{name}:{operation}{number}" for name, count in zip(services, counts, strict=True) for number in range(count)
    ]
    return set(every[:1000])


@settings(max_examples=60, deadline=None)
@given(selections())
def test_policies_are_within_the_limit_and_allow_exactly_the_selection(actions: set[str]) -> None:
    made = policies.parts(actions)
    assert all(len("".join(json.dumps(each).split())) <= LIMIT for each in made)
    assert sorted(action for each in made for action in allowed(each)) == sorted(actions)
    assert len(made) <= math.ceil(bare(actions) / LIMIT) + 1


@settings(max_examples=60, deadline=None)
@given(selections(), st.integers(200, 2000))
def test_any_limit_that_an_action_fits_in_is_kept(actions: set[str], limit: int) -> None:
    few = set(sorted(actions)[:100])
    made = policies.parts(few, limit)
    assert sorted(action for each in made for action in allowed(each)) == sorted(few)
    assert max(policies.size(each) for each in made) <= limit


def test_a_service_is_kept_together_where_that_costs_no_policy() -> None:
    # Filled to the brim, the first policy would hold a part of iam.
    counts = {"ec2": 60, "iam": 100, "s3": 60}
    actions = {f"{name}:Describe{number:030}" for name, count in counts.items() for number in range(count)}
    made = policies.parts(actions)
    assert [sorted({service(action) for action in allowed(each)}) for each in made] == [["ec2", "s3"], ["iam"]]


def test_a_service_is_cut_where_that_saves_a_policy() -> None:
    actions = {f"svc{name}:Describe{number:030}" for name in range(6) for number in range(75)}
    one = policies.size(policies.policy(action for action in actions if service(action) == "svc0"))
    assert one * 2 > LIMIT  # no two of the six fit into one policy
    assert len(policies.parts(actions)) == math.ceil(one * 6 / LIMIT) < 6


def test_the_selection_of_today_is_two_policies_and_none_is_none() -> None:
    actions = {*ALWAYS, *catalogue.load().permissions()}
    made = policies.parts(actions)
    assert len(made) == 2
    assert sorted(action for each in made for action in allowed(each)) == sorted(actions)
    assert policies.parts([]) == []


def test_white_space_does_not_count() -> None:
    document = policies.policy(["s3:A"])
    assert policies.size(document) == len(json.dumps(document, separators=(",", ":")))


# What AWS's own policies lack


@pytest.mark.parametrize(
    ("pattern", "action", "meant"),
    [
        ("ec2:Describe*", "ec2:DescribeVpcs", True),
        ("EC2:describe*", "ec2:DescribeVpcs", True),
        ("ec2:Describe", "ec2:DescribeVpcs", False),
        ("ec2:DescribeVpc?", "ec2:DescribeVpcs", True),
        ("ec2:DescribeVpc?", "ec2:DescribeVpc", False),
        ("ec2:*Vpcs", "ec2:DescribeVpcs", True),
        ("*", "ec2:DescribeVpcs", True),
        ("ec2:Describe.*", "ec2:DescribeVpcs", False),
        ("xec2:Describe*", "ec2:DescribeVpcs", False),
    ],
)
def test_wildcards_mean_what_iam_means(pattern: str, action: str, meant: bool) -> None:
    assert (policies.pattern(["s3:ListAllMyBuckets", pattern]).fullmatch(action) is not None) == meant


@given(st.text("abA*?:", max_size=8), st.text("abA:", max_size=8))
def test_wildcards_are_those_of_an_independent_matcher(pattern: str, action: str) -> None:
    found = policies.pattern([pattern]).fullmatch(action) is not None
    assert found == fnmatchcase(action.lower(), pattern.lower())


def test_the_copies_of_awss_policies_are_those_of_the_pinned_moto() -> None:
    assert managed_policies.FILE.read_text() == managed_policies.text(), "run `python -m managed_policies` in tests/"


def test_what_only_some_resources_or_conditions_allow_is_lacking() -> None:
    limited = json.loads(managed_policies.FILE.read_text())["policies"]["SecurityAudit"]["limited"]
    assert limited == ["apigateway:GET"]
    assert policies.managed("SecurityAudit").lacks(limited) == {"apigateway:GET"}


def test_a_managed_policy_lacks_what_it_does_not_allow_and_nobody_lacks_what_needs_no_permission() -> None:
    audit = policies.managed("SecurityAudit")
    asked = {"sts:GetCallerIdentity", "ec2:DescribeRegions", "s3:GetObject", "iam:GetAccountAuthorizationDetails"}
    assert audit.lacks(asked) == {"s3:GetObject"}
    assert "iam:GetAccountAuthorizationDetails" in policies.managed("ViewOnlyAccess").lacks(asked)


def test_a_policy_of_which_there_is_no_copy_is_named() -> None:
    with pytest.raises(BadSettings, match=r"'SecurityAudits' here, only of SecurityAudit and ViewOnlyAccess"):
        policies.managed("SecurityAudits")


# Who lets whom in


def test_the_hub_may_find_every_account_and_enter_by_one_role_only() -> None:
    find, enter = policies.hub("audit/skysweep", "aws-cn")["Statement"]
    assert enter["Resource"] == "arn:aws-cn:iam::*:role/audit/skysweep"
    assert enter["Action"] == "sts:AssumeRole"
    assert {"ec2:DescribeRegions", *ORGANIZATION} <= set(find["Action"])
    assert "sts:AssumeRole" not in find["Action"]


def test_the_hub_may_ask_of_organizations_what_the_catalogue_asks() -> None:
    asked = {action for action in catalogue.load().permissions() if service(action) == "organizations"}
    assert asked
    assert asked <= set(ORGANIZATION)


def test_the_member_trusts_the_hub_alone_and_with_the_external_id_only() -> None:
    (statement,) = policies.trust("arn:aws:iam::111111111111:root", policies.only_with("abc"))["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::111111111111:root"}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "abc"}}
    assert "Condition" not in policies.trust("arn:aws:iam::111111111111:root")["Statement"][0]


@pytest.mark.parametrize(
    ("text", "partition", "arn"),
    [
        ("111111111111", None, "arn:aws:iam::111111111111:root"),
        ("111111111111", "aws-us-gov", "arn:aws-us-gov:iam::111111111111:root"),
        ("arn:aws-cn:iam::111111111111:role/ops/hub", None, "arn:aws-cn:iam::111111111111:role/ops/hub"),
        ("arn:aws:iam::111111111111:user/hub", "aws", "arn:aws:iam::111111111111:user/hub"),
    ],
)
def test_an_account_id_or_an_arn_names_the_hub(text: str, partition: str | None, arn: str) -> None:
    assert policies.principal(text, partition) == arn


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "1" * 11,
        "1" * 13,
        "\N{ARABIC-INDIC DIGIT ONE}" * 12,
        "111111111111\n",
        "arn:aws:iam::111111111111:role/",
        "arn:aws:iam::*:root",
        "arn:aws:sts::111111111111:assumed-role/hub/session",
        "arn:mars:iam::111111111111:root",
    ],
)
def test_nothing_else_names_a_hub(text: str) -> None:
    with pytest.raises(BadSettings, match="--trust"):
        policies.principal(text)


# Ready to roll out

PRINTED = st.characters(codec="ascii", min_codepoint=32, exclude_characters="\x7f")
TEXTS = st.text(PRINTED, max_size=12) | st.sampled_from(
    ["no", "Null", "2012-10-17", "a: b", "- x", "#", "1e3", "~", "a:", "${x}"]
)
TREES = st.recursive(
    TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=12
)


@given(st.dictionaries(TEXTS, TREES, max_size=4).filter(bool))
def test_yaml_reads_back_as_it_was(tree: dict[str, object]) -> None:
    assert yaml.safe_load(rollout.yaml(tree)) == tree


PLAIN = st.text("abcXYZ019:*-_./+=,@ ", max_size=12)
KEYS = st.text("abcXYZ", min_size=1, max_size=6).filter(lambda key: key not in {"for", "if", "in"})
OBJECTS = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=10
)


def unquoted(parsed: object) -> object:
    """What hcl2 reads, as the values that they are: it leaves the quotes on texts."""
    if isinstance(parsed, dict):
        return {key.strip('"'): unquoted(each) for key, each in parsed.items() if not key.startswith("__")}
    if isinstance(parsed, list):
        return [unquoted(each) for each in parsed]
    return json.loads(parsed) if isinstance(parsed, str) and parsed.startswith('"') else parsed


@settings(deadline=None, max_examples=50)
@given(OBJECTS)
def test_hcl_reads_back_as_it_was(tree: object) -> None:
    assert unquoted(hcl2.loads(f"x = {rollout.hcl(tree)}\n")) == {"x": tree}


def test_hcl_takes_a_text_for_what_it_is() -> None:
    assert rollout.hcl("${var.x} %{if}") == '"$${var.x} %%{if}"'


def test_hcl_is_laid_out_as_terraform_does() -> None:
    assert rollout.hcl({"Sid": "a", "Effect": "b", "Action": ["c"], "X": "d"}).splitlines() == [
        *("{", '  Sid    = "a"', '  Effect = "b"', "  Action = [", '    "c",', "  ]", '  X = "d"', "}")
    ]


def test_a_path_is_kept_apart_from_the_roles_name() -> None:
    role = rollout.Role([], name="audit/read/skysweep")
    assert (role.path, role.bare_name) == ("/audit/read/", "skysweep")
    assert (rollout.Role([]).path, rollout.Role([]).bare_name) == ("/", "skysweep")


def test_services_of_a_split_policy_stay_in_order() -> None:
    actions = {f"{name}:Describe{number:030}" for name in ("ec2", "iam", "s3") for number in range(70)}
    for each in policies.parts(actions):
        assert allowed(each) == sorted(allowed(each))
        assert len(each["Statement"]) == len(list(groupby(allowed(each), key=service)))
