from __future__ import annotations

from skysweep import catalogue
from skysweep.syncs import syncs


def test_all_of_cartographys_sync_names_are_known() -> None:
    names = list(syncs())
    assert len(names) == 68
    assert (names[0], names[-1]) == ("iam", "ec2:load_balancer_v2:expose")


def test_every_type_is_reached_by_a_sync_name() -> None:
    reached = {label for labels in syncs().values() for label in labels}
    assert {type_.label for type_ in catalogue.load().types} <= reached


def test_a_sync_name_selects_its_types_only() -> None:
    labels = syncs()["ec2:subnet"]
    assert labels
    assert {type_.label for type_ in catalogue.load(["ec2:subnet"]).types} == set(labels)
