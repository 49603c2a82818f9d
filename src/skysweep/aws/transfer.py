"""Transfer Family: SFTP, FTPS and FTP servers in front of buckets and file systems, and the users they let in."""

from __future__ import annotations

import re

from skysweep.aws._common import log_group_arn
from skysweep.aws.acm import ACMCertificate
from skysweep.aws.gateways import ElasticIPAddress
from skysweep.aws.iam import AWSRole
from skysweep.aws.lambda_ import AWSLambda
from skysweep.aws.logs import CloudWatchLogGroup
from skysweep.aws.routes import AWSVpcEndpoint
from skysweep.aws.s3 import S3Bucket
from skysweep.aws.securitygroups import EC2SecurityGroup
from skysweep.aws.tags import AWSTag, tagged
from skysweep.aws.vpc import AWSVpc, EC2Subnet
from skysweep.model import Record, Resource, at, by, call, detail, to
from skysweep.paths import reader

SERVERS = call("transfer", "ListServers", "Servers[]")
SERVER = detail("transfer", "DescribeServer", on=SERVERS, ServerId="ServerId")

_BUCKET = re.compile(r"/(?P<bucket>[a-z0-9][a-z0-9.\-]{2,62})(?:/.*)?\Z")


def host(server: Record) -> str | None:
    """The name that the internet knows a server by: a public one, or one in a VPC that has elastic IPs."""
    told = server.reply(SERVER).get("Server") or {}
    addresses = (told.get("EndpointDetails") or {}).get("AddressAllocationIds")
    if server["EndpointType"] != "PUBLIC" and not addresses:
        return None
    here = server.context
    suffix = "amazonaws.com.cn" if here.partition == "aws-cn" else "amazonaws.com"
    return f"{server['ServerId']}.server.transfer.{here.region}.{suffix}"


def server_roles(server: Record) -> list[str]:
    """The ARNs of the roles that a server takes: to log, to ask who a user is, to start workflows."""
    told = server.reply(SERVER).get("Server") or {}
    workflows = told.get("WorkflowDetails") or {}
    started = [*(workflows.get("OnUpload") or ()), *(workflows.get("OnPartialUpload") or ())]
    roles = [
        told.get("LoggingRole"),
        (told.get("IdentityProviderDetails") or {}).get("InvocationRole"),
        *(each.get("ExecutionRole") for each in started),
    ]
    return [role for role in roles if role]


def log_groups(server: Record) -> list[str]:
    """The ARNs of the log groups that it writes structured logs to."""
    told = (server.reply(SERVER).get("Server") or {}).get("StructuredLogDestinations") or ()
    return [log_group_arn(each, server.context) for each in told]


class AWSTransferServer(Resource):
    """A file server for people outside: where it can be reached, by which protocols, and who says who may log in."""

    source = SERVERS

    id: str = at("Arn")
    arn: str = at("Arn", index=True)
    server_id: str = at("ServerId", index=True)
    domain: str = at("Domain", doc="S3 or EFS: what its users' folders are in")
    state: str = at("State")
    user_count: int = at("UserCount", doc="Users that the service itself keeps")
    endpoint_type: str = at("EndpointType", doc="PUBLIC; VPC, with a public address where it has one; VPC_ENDPOINT")
    host: str = at(host, of=SERVER, index=True)
    protocols: list[str] = at("Server.Protocols", of=SERVER, doc="FTP is not encrypted")
    security_policy_name: str = at("Server.SecurityPolicyName", of=SERVER, doc="The ciphers that it accepts")
    certificate_arn: str = at("Server.Certificate", of=SERVER)
    host_key_fingerprint: str = at("Server.HostKeyFingerprint", of=SERVER)
    ip_address_type: str = at("Server.IpAddressType", of=SERVER)
    identity_provider_type: str = at("IdentityProviderType")
    identity_provider_url: str = at("Server.IdentityProviderDetails.Url", of=SERVER)
    identity_provider_directory_id: str = at("Server.IdentityProviderDetails.DirectoryId", of=SERVER)
    identity_provider_function: str = at("Server.IdentityProviderDetails.Function", of=SERVER)
    sftp_authentication_methods: str = at("Server.IdentityProviderDetails.SftpAuthenticationMethods", of=SERVER)
    logging_role: str = at("LoggingRole")
    structured_log_destinations: list[str] = at("Server.StructuredLogDestinations", of=SERVER)
    vpc_id: str = at("Server.EndpointDetails.VpcId", of=SERVER)
    vpc_endpoint_id: str = at("Server.EndpointDetails.VpcEndpointId", of=SERVER)
    address_allocation_ids: list[str] = at("Server.EndpointDetails.AddressAllocationIds", of=SERVER)
    workflow_ids: list[str] = at("Server.WorkflowDetails.OnUpload[].WorkflowId", of=SERVER)

    roles: list[AWSRole] = to("HAS_ROLE", server_roles, of=SERVER)
    logs: list[CloudWatchLogGroup] = to("LOGS_TO", log_groups, of=SERVER)
    vpc: AWSVpc = to("MEMBER_OF_AWS_VPC", "Server.EndpointDetails.VpcId", of=SERVER)
    subnets: list[EC2Subnet] = to("PART_OF_SUBNET", "Server.EndpointDetails.SubnetIds", of=SERVER)
    groups: list[EC2SecurityGroup] = to(
        "MEMBER_OF_EC2_SECURITY_GROUP", "Server.EndpointDetails.SecurityGroupIds", of=SERVER
    )
    endpoint: AWSVpcEndpoint = to("USES", "Server.EndpointDetails.VpcEndpointId", of=SERVER)
    addresses: list[ElasticIPAddress] = to(
        "ELASTIC_IP_ADDRESS", "Server.EndpointDetails.AddressAllocationIds", of=SERVER, on="allocation_id"
    )
    certificate: ACMCertificate = to("USES_CERTIFICATE", "Server.Certificate", of=SERVER)
    identity_provider: AWSLambda = to("USES", "Server.IdentityProviderDetails.Function", of=SERVER)
    tagged: list[AWSTag] = tagged("Server.Tags", of=SERVER)


def keeps_users(server: Record) -> bool:
    """Whether the users are the service's own: those of a directory or of one's own provider cannot be listed."""
    return bool(server["IdentityProviderType"] == "SERVICE_MANAGED")


USERS = detail("transfer", "ListUsers", "Users[]", on=SERVERS, when=keeps_users, ServerId="ServerId")
USER = detail("transfer", "DescribeUser", on=USERS, ServerId="^ServerId", UserName="UserName")


def folders(user: Record) -> list[str]:
    """The folders that a user is led to: those that logical ones stand for, else the home directory."""
    told = user.reply(USER).get("User") or {}
    if told.get("HomeDirectoryType") == "LOGICAL":
        return [each["Target"] for each in told.get("HomeDirectoryMappings") or ()]
    return [told["HomeDirectory"]] if told.get("HomeDirectory") else []


def buckets(user: Record) -> list[str]:
    """The names of the buckets that a user's folders are in; the folders of a server for EFS are in none."""
    if reader("^Domain")(user) == "EFS":
        return []
    found = (_BUCKET.match(folder) for folder in folders(user))
    return list(dict.fromkeys(match["bucket"] for match in found if match))


class AWSTransferUser(Resource):
    """A login of a file server, with SSH keys: who holds one acts as the user's role, within the user's folders."""

    source = USERS

    id: str = at("Arn")
    arn: str = at("Arn", index=True)
    user_name: str = at("UserName", index=True)
    server_id: str = at("^ServerId")
    role: str = at("Role")
    policy: str = at("User.Policy", of=USER, doc="What narrows the role to the user's folders, as JSON; null: nothing")
    home_directory: str = at("HomeDirectory")
    home_directory_type: str = at("HomeDirectoryType", doc="PATH, or LOGICAL: the user sees no more than the folders")
    folders: list[str] = at(folders, of=USER)
    ssh_public_key_count: int = at("SshPublicKeyCount")
    ssh_public_key_ids: list[str] = at("User.SshPublicKeys[].SshPublicKeyId", of=USER)
    posix_uid: int = at("User.PosixProfile.Uid", of=USER, doc="0 is root of the file system")
    posix_gid: int = at("User.PosixProfile.Gid", of=USER)

    server: AWSTransferServer = by("HAS_USER", "^Arn")
    acts_as: AWSRole = to("HAS_ROLE", "Role")
    buckets: list[S3Bucket] = by("ALLOWS", buckets, of=USER)
    tagged: list[AWSTag] = tagged("User.Tags", of=USER)
