"""Lambda: code without a server, the roles it runs as, and what sets it off."""

from __future__ import annotations

from datetime import datetime

from skysweep.aws._common import function_arn
from skysweep.aws.iam import AWSRole
from skysweep.aws.kms import KMSKey
from skysweep.aws.resourcepolicies import PolicyStatement, statements_of
from skysweep.aws.securitygroups import EC2SecurityGroup
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.aws.vpc import AWSVpc, EC2Subnet
from skysweep.model import Record, Resource, at, by, call, detail, to

FUNCTIONS = call("lambda", "ListFunctions", "Functions[]")
POLICY = detail("lambda", "GetPolicy", on=FUNCTIONS, missing="ResourceNotFoundException", FunctionName="FunctionName")
ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}


class AWSLambda(Resource):
    """A function: who may invoke it gets what its role may do."""

    also = ("Function",)
    source = FUNCTIONS

    id: str = at("FunctionArn")
    arn: str = at("FunctionArn", index=True)
    name: str = at("FunctionName", index=True)
    description: str = at("Description")
    runtime: str = at("Runtime")
    handler: str = at("Handler")
    version: str = at("Version")
    role: str = at("Role")
    modifieddate: str = at("LastModified")
    timeout: int = at("Timeout")
    memory: int = at("MemorySize")
    codesize: int = at("CodeSize")
    codesha256: str = at("CodeSha256")
    packagetype: str = at("PackageType", doc="Zip or Image")
    architectures: list[str] = at("Architectures")
    architecture_normalized: str = at("Architectures[0]", then=ARCHITECTURES.get)
    state: str = at("State")
    statereason: str = at("StateReason")
    statereasoncode: str = at("StateReasonCode")
    lastupdatestatus: str = at("LastUpdateStatus")
    lastupdatestatusreason: str = at("LastUpdateStatusReason")
    lastupdatestatusreasoncode: str = at("LastUpdateStatusReasonCode")
    tracingconfigmode: str = at("TracingConfig.Mode")
    revisionid: str = at("RevisionId")
    masterarn: str = at("MasterArn")
    signingprofileversionarn: str = at("SigningProfileVersionArn")
    signingjobarn: str = at("SigningJobArn")
    kmskeyarn: str = at("KMSKeyArn", doc="Null where AWS's own key encrypts the environment")
    deadletterarn: str = at("DeadLetterConfig.TargetArn")
    log_group: str = at("LoggingConfig.LogGroup")
    environment_names: list[str] = at(
        "Environment.Variables", then=sorted, doc="Names only: the values hold secrets too often"
    )
    vpc_id: str = at("VpcConfig.VpcId")
    policy: str = at("Policy", of=POLICY, doc="Who else may invoke it, as JSON")

    assumes: AWSRole = to("ASSUMES", "Role")
    runs_as: AWSRole = to("STS_ASSUMEROLE_ALLOW", "Role")
    vpc: AWSVpc = to("MEMBER_OF_AWS_VPC", "VpcConfig.VpcId")
    subnets: list[EC2Subnet] = to("PART_OF_SUBNET", "VpcConfig.SubnetIds")
    groups: list[EC2SecurityGroup] = to("MEMBER_OF_EC2_SECURITY_GROUP", "VpcConfig.SecurityGroupIds")
    key: KMSKey = to("ENCRYPTED_BY", "KMSKeyArn", on="arn")
    tagged: list[AWSTag] = tagged_by_arn(FUNCTIONS, "FunctionArn")


class LambdaPolicyStatement(PolicyStatement):
    """One statement of a function's policy: who may invoke it, mostly a service for a thing of ours."""

    source = POLICY.each(statements_of("Policy", "^FunctionArn"))

    function: AWSLambda = by("POLICY_STATEMENT", "^^FunctionArn")


class AWSLambdaFunctionVersion(Resource):
    """A published version of a function: its code and its role as they were then, still there to be invoked."""

    # One listing of all versions instead of a call for each function; $LATEST is the function itself.
    source = call("lambda", "ListFunctions", "Functions[]", FunctionVersion="ALL").each(
        lambda function: [] if function["Version"] == "$LATEST" else [function.item]
    )

    id: str = at("FunctionArn")
    arn: str = at("FunctionArn", index=True)
    version: str = at("Version")
    description: str = at("Description")
    runtime: str = at("Runtime")
    role: str = at("Role")
    modifieddate: str = at("LastModified")
    codesha256: str = at("CodeSha256")
    functionarn: str = at("FunctionArn", then=function_arn)

    function: AWSLambda = by("VERSION", lambda version: function_arn(version["FunctionArn"]))
    assumes: AWSRole = to("ASSUMES", "Role")


class AWSLambdaFunctionAlias(Resource):
    """A name that points to a version of a function: callers follow it wherever it is moved."""

    source = detail("lambda", "ListAliases", "Aliases[]", on=FUNCTIONS, FunctionName="FunctionName")

    id: str = at("AliasArn")
    arn: str = at("AliasArn", index=True)
    aliasname: str = at("Name")
    functionversion: str = at("FunctionVersion")
    description: str = at("Description")
    revisionid: str = at("RevisionId")
    functionarn: str = at("^FunctionArn")

    function: AWSLambda = by("KNOWN_AS", "^FunctionArn")
    version: AWSLambdaFunctionVersion = to("POINTS_TO", "{^FunctionArn}:{FunctionVersion}")


class AWSLambdaLayer(Resource):
    """A version of a layer that functions load: code of whoever published it, run with the function's role."""

    source = FUNCTIONS["Functions[].Layers[]"]
    shared = True

    id: str = at("Arn")
    arn: str = at("Arn", index=True)
    codesize: int = at("CodeSize")
    signingprofileversionarn: str = at("SigningProfileVersionArn")
    signingjobarn: str = at("SigningJobArn")
    functionarn: str = at("^FunctionArn", doc="One of the functions that load it; HAS names them all")

    function: AWSLambda = by("HAS", "^FunctionArn")


def _function(mapping: Record) -> str | None:
    name = mapping["FunctionArn"]
    return function_arn(name) if name else None


class AWSLambdaEventSourceMapping(Resource):
    """A queue or stream that Lambda reads for a function: whoever writes there sets the function off."""

    source = call("lambda", "ListEventSourceMappings", "EventSourceMappings[]")

    id: str = at("UUID")
    arn: str = at("EventSourceMappingArn")
    functionarn: str = at("FunctionArn", doc="As the mapping names it: with a version or an alias, or without")
    eventsourcearn: str = at("EventSourceArn", index=True)
    state: str = at("State")
    batchsize: int = at("BatchSize")
    startingposition: str = at("StartingPosition")
    startingpositiontimestamp: datetime = at("StartingPositionTimestamp")
    parallelizationfactor: int = at("ParallelizationFactor")
    maximumbatchingwindowinseconds: int = at("MaximumBatchingWindowInSeconds")
    lastmodified: datetime = at("LastModified")
    lastprocessingresult: str = at("LastProcessingResult")
    maximumrecordage: int = at("MaximumRecordAgeInSeconds")
    bisectbatchonfunctionerror: bool = at("BisectBatchOnFunctionError")
    maximumretryattempts: int = at("MaximumRetryAttempts")
    tumblingwindowinseconds: int = at("TumblingWindowInSeconds")
    kmskeyarn: str = at("KMSKeyArn")

    function: AWSLambda = by("RESOURCE", _function)
