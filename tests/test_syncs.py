from __future__ import annotations

from skysweep import catalogue
from skysweep.syncs import syncs

# Cartography sweeps none of these services: their types are selected by label.
NEVER_SYNCED = {
    "AWSAccessAnalyzer",
    "AWSAccessAnalyzerFinding",
    "AWSBatchComputeEnvironment",
    "AWSBatchJob",
    "AWSBatchJobDefinition",
    "AWSBatchJobQueue",
    "AWSRoute53Domain",
    "AWSTransferServer",
    "AWSTransferUser",
    "AWSWAFCloudFrontACL",
    "AWSWAFRegionalACL",
    "AWSWorkspace",
    "AWSWorkspacesBundle",
}


def test_all_of_cartographys_sync_names_are_known() -> None:
    names = list(syncs())
    assert len(names) == 68
    assert (names[0], names[-1]) == ("iam", "ec2:load_balancer_v2:expose")


def test_the_sync_names_stand_for_every_type_of_their_services_and_for_nothing_else() -> None:
    named = {label for labels in syncs().values() for label in labels}
    assert {type_.label for type_ in catalogue.load().types} == named | NEVER_SYNCED
    assert not named & NEVER_SYNCED


def test_a_sync_name_selects_its_types_and_what_their_edges_need_one_step_further() -> None:
    assert syncs()["ec2:subnet"] == ("EC2Subnet",)
    selected = {type_.name: type_ for type_ in catalogue.load(["ec2:subnet"]).types}
    whole = {type_.name: type_ for type_ in catalogue.load().types}
    assert {type_.label for type_ in selected.values()} == {"EC2Subnet", "AWSVpc", "AWSTag"}
    assert selected["EC2Subnet"].edges == whole["EC2Subnet"].edges


def test_what_an_edge_needs_has_its_own_edges_only_among_what_is_there() -> None:
    selected = catalogue.load(["s3"])
    there = {type_.label for type_ in selected.types}
    assert {"S3Bucket", "S3PolicyStatement", "SNSTopic", "KMSKey"} <= there
    drawn = {edge.target.label for type_ in selected.types for edge in type_.edges if edge.target}
    assert drawn <= there
    assert "sns:ListTopics" in selected.permissions(), "the permissions keep step"
    assert "SNSTopic" not in {type_.label for type_ in catalogue.load(["KMSKey"]).types}


def test_all_declarations_of_a_label_come_together() -> None:
    whole, selected = catalogue.load().types, catalogue.load(["ec2:instance"]).types
    there = {type_.label for type_ in selected}
    assert {type_.name for type_ in selected if not type_.teller} == {
        type_.name for type_ in whole if type_.label in there and not type_.teller
    }


def test_tags_come_with_what_bears_them_and_are_no_reason_to_ask_for_more() -> None:
    selected = catalogue.load(["ec2:subnet"])
    assert {each.teller.name for each in selected.types if each.teller} == {"EC2Subnet", "AWSVpc"}
    both = catalogue.load(["ec2:subnet", "resourcegroupstaggingapi"])
    assert [type_.name for type_ in both.types] == [type_.name for type_ in selected.types]
    alone = {type_.label for type_ in catalogue.load(["resourcegroupstaggingapi"]).types}
    assert {"AWSTag", "EC2Subnet", "EC2Instance", "AWSUser"} <= alone


def test_what_a_finding_may_be_about_is_linked_to_and_not_swept_for_its_sake() -> None:
    def about(*names: str) -> set[str]:
        [found] = [type_ for type_ in catalogue.load(names).types if type_.name == "AWSSecurityHubFinding"]
        return {edge.target.label for edge in found.edges if edge.arns and edge.target}

    assert "S3Bucket" not in {type_.label for type_ in catalogue.load(["securityhub"]).types}
    assert not about("securityhub") & {"S3Bucket", "EC2Instance"}
    assert "S3Bucket" in about("securityhub", "s3")
    assert {"S3Bucket", "EC2Instance"} <= about()
