"""What Cartography has and the catalogue has no type for yet, so that the oracle says so: one of each service."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wide.ground import Ground


def build_beyond(ground: Ground) -> None:
    """A build project, an EMR cluster, a Glue job and connection, a secret, a notebook, a sender, a transit gateway."""
    ground.client("codebuild").create_project(
        name="wide",
        source={"type": "S3", "location": f"{ground.bucket}/source.zip"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=ground.role,
    )
    ground.client("emr").run_job_flow(
        Name="wide",
        Instances={"InstanceCount": 1, "MasterInstanceType": "m5.xlarge", "KeepJobFlowAliveWhenNoSteps": True},
        JobFlowRole="workload",
        ServiceRole="workload",
        ReleaseLabel="emr-7.0.0",
    )
    glue = ground.client("glue")
    glue.create_job(
        Name="wide", Role=ground.role, Command={"Name": "glueetl", "ScriptLocation": f"s3://{ground.bucket}/job.py"}
    )
    glue.create_connection(
        ConnectionInput={
            "Name": "wide",
            "ConnectionType": "JDBC",
            "ConnectionProperties": {"JDBC_CONNECTION_URL": "jdbc:postgresql://db.example.com/wide"},
        }
    )
    ground.client("secretsmanager").create_secret(Name="wide", SecretString="nothing")
    ground.client("sagemaker").create_notebook_instance(
        NotebookInstanceName="wide", InstanceType="ml.t3.medium", RoleArn=ground.role
    )
    ground.client("ses").verify_email_identity(EmailAddress="wide@example.com")
    ground.client("ec2").create_transit_gateway(Description="wide")
