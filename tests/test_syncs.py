from __future__ import annotations

from skysweep import catalogue
from skysweep.syncs import syncs


def test_all_of_cartographys_sync_names_are_known() -> None:
    names = list(syncs())
    assert len(names) == 68
    assert (names[0], names[-1]) == ("iam", "ec2:load_balancer_v2:expose")


def test_the_sync_names_stand_for_every_type_and_for_nothing_else() -> None:
    named = {label for labels in syncs().values() for label in labels}
    assert {type_.label for type_ in catalogue.load().types} == named


def test_a_sync_name_selects_its_types_only() -> None:
    labels = syncs()["ec2:subnet"]
    assert labels
    assert {type_.label for type_ in catalogue.load(["ec2:subnet"]).types} == set(labels)
