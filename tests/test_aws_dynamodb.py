from __future__ import annotations

from skysweep import catalogue
from skysweep.aws import dynamodb
from skysweep.model import Context, Record
from skysweep.records import Maker

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/orders"


def test_an_index_is_known_by_its_table_and_name_where_aws_does_not_tell_its_arn() -> None:
    context = Context("123456789012", "us-east-1")
    type_ = next(each for each in catalogue.read([dynamodb]) if each.cls is dynamodb.DynamoDBGlobalSecondaryIndex)
    index = Record({"IndexName": "by-customer"}, context, up=Record({"TableArn": TABLE}, context))

    row = Maker(type_).row(index)

    assert row["id"] == row["props"]["arn"] == f"{TABLE}/index/by-customer"
