"""The saved questions: Cypher that a security engineer asks of every estate, under a name."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Question:
    """A name for the command line, a sentence for people, the columns of the answer (scalars, lists) and Cypher."""

    name: str
    sentence: str
    columns: tuple[str, ...]
    cypher: str


_README = (
    Question(
        "rds_instances",
        "What RDS instances are installed in my AWS accounts?",
        ("account", "id"),
        """MATCH (aws:AWSAccount)-[:RESOURCE]->(rds:RDSInstance)
RETURN aws.name AS account, rds.id AS id
ORDER BY account, id""",
    ),
    Question(
        "unencrypted_rds_instances",
        "Which RDS instances have encryption turned off?",
        ("account", "id"),
        """MATCH (aws:AWSAccount)-[:RESOURCE]->(rds:RDSInstance {storage_encrypted: false})
RETURN aws.name AS account, rds.id AS id
ORDER BY account, id""",
    ),
    Question(
        "exposed_instances",
        "Which EC2 instances are exposed to the internet, directly or behind a load balancer?",
        ("instanceid", "publicdnsname", "exposure"),
        """MATCH (instance:EC2Instance {exposed_internet: true})
RETURN instance.instanceid AS instanceid, instance.publicdnsname AS publicdnsname,
       instance.exposed_internet_type AS exposure
ORDER BY instanceid""",
    ),
    Question(
        "internet_facing_elbs",
        "Which classic load balancers does the internet reach, and on which ports?",
        ("dnsname", "port"),
        """MATCH (elb:AWSLoadBalancer {exposed_internet: true})-[:ELB_LISTENER]->(listener:ELBListener)
RETURN elb.dnsname AS dnsname, listener.port AS port
ORDER BY dnsname, port""",
    ),
    Question(
        "internet_facing_elbv2s",
        "Which application and network load balancers does the internet reach, and on which ports?",
        ("dnsname", "port"),
        """MATCH (elbv2:LoadBalancerV2 {exposed_internet: true})-[:ELBV2_LISTENER]->(listener:ELBV2Listener)
RETURN elbv2.dnsname AS dnsname, listener.port AS port
ORDER BY dnsname, port""",
    ),
    Question(
        "anonymous_buckets",
        "Which S3 buckets are open to everyone, and for what?",
        ("bucket", "anonymous_actions"),
        """MATCH (s:S3Bucket)
WHERE s.anonymous_access = true
RETURN s.name AS bucket, s.anonymous_actions AS anonymous_actions
ORDER BY bucket""",
    ),
    Question(
        "unencrypted_rds_per_account",
        "How many unencrypted RDS instances are in each of my accounts?",
        ("account", "instances"),
        """MATCH (aws:AWSAccount)-[:RESOURCE]->(rds:RDSInstance)
WHERE rds.storage_encrypted = false
RETURN aws.name AS account, count(rds) AS instances
ORDER BY account""",
    ),
)

_MORE = (
    Question(
        "public_rds_instances",
        "Which RDS instances have a public address, and which port do they listen on?",
        ("account", "id", "port"),
        """MATCH (aws:AWSAccount)-[:RESOURCE]->(rds:RDSInstance {publicly_accessible: true})
RETURN aws.name AS account, rds.id AS id, rds.endpoint_port AS port
ORDER BY account, id""",
    ),
    Question(
        "open_admin_ports",
        "Which security groups let half of the internet or more in on SSH (22) or RDP (3389)?",
        ("account", "groupid", "name", "range"),
        """MATCH (aws:AWSAccount)-[:RESOURCE]->(g:EC2SecurityGroup)
MATCH (g)<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(rule:AWSIpPermissionInbound)<-[:MEMBER_OF_IP_RULE]-(source)
UNWIND coalesce(source.cidrs, [source.range]) AS range
WITH aws, g, rule, range
WHERE (range ENDS WITH '/0' OR range ENDS WITH '/1')
  AND (rule.protocol = '-1' OR rule.protocol = 'tcp' AND (
       (rule.fromport <= 22 AND rule.toport >= 22) OR (rule.fromport <= 3389 AND rule.toport >= 3389)))
RETURN DISTINCT aws.name AS account, g.groupid AS groupid, g.name AS name, range
ORDER BY account, groupid, range""",
    ),
    Question(
        "roles_trusting_outsiders",
        "Which roles may somebody assume who is in no account of mine, and on which condition?",
        ("account", "role", "trusted", "condition"),
        """MATCH (aws:AWSAccount)-[:RESOURCE]->(role:AWSRole)
MATCH (role)-[trust:TRUSTS_AWS_PRINCIPAL|ALLOWS_ACCESS_FROM]->(principal)
WHERE NOT principal:AWSServicePrincipal
OPTIONAL MATCH (known:AWSAccount {id: split(principal.id, ':')[4]})
WHERE known.inscope = true OR known.org_id IS NOT NULL
WITH aws, role, principal, trust, count(known) AS ours
WHERE ours = 0
RETURN aws.name AS account, role.arn AS role, principal.id AS trusted, trust.condition AS condition
ORDER BY account, role, trusted""",
    ),
    Question(
        "keys_without_mfa",
        "Which users have an active access key but no MFA device?",
        ("account", "user", "keys"),
        """MATCH (aws:AWSAccount)-[:RESOURCE]->(user:AWSUser {mfa_devices: 0})
MATCH (user)-[:AWS_ACCESS_KEY]->(key {status: 'Active'})
RETURN aws.name AS account, user.name AS user, count(DISTINCT key) AS keys
ORDER BY account, user""",
    ),
    Question(
        "unencrypted_volumes",
        "Which EBS volumes are not encrypted?",
        ("account", "id", "state"),
        """MATCH (aws:AWSAccount)-[:RESOURCE]->(volume:EBSVolume {encrypted: false})
RETURN aws.name AS account, volume.id AS id, volume.state AS state
ORDER BY account, id""",
    ),
    Question(
        "public_snapshots",
        "Which EBS and RDS snapshots can anybody restore?",
        ("account", "id"),
        """MATCH (aws:AWSAccount)-[:RESOURCE]->(snapshot:Snapshot {ispublic: true})
RETURN aws.name AS account, snapshot.id AS id
ORDER BY account, id""",
    ),
    Question(
        "exposed_roles",
        "Which roles could somebody hold who takes over an instance that the internet reaches?",
        ("instanceid", "exposure", "role"),
        """MATCH (instance:EC2Instance {exposed_internet: true})-[:INSTANCE_PROFILE]->(:AWSInstanceProfile)
      -[:ASSOCIATED_WITH]->(role:AWSRole)
RETURN instance.instanceid AS instanceid, instance.exposed_internet_type AS exposure, role.arn AS role
ORDER BY instanceid, role""",
    ),
)

_FOUND = (
    Question(
        "critical_findings_exposed",
        "Which critical findings of GuardDuty, Inspector and Security Hub are about something that the internet "
        "reaches?",
        ("account", "resource", "finding"),
        """MATCH (finding:Risk)-[:AFFECTS]->(resource {exposed_internet: true})<-[:RESOURCE]-(aws:AWSAccount)
WHERE coalesce(finding.severity_label, finding.severity) IN ['CRITICAL', 'critical']
  AND coalesce(finding.status, 'ACTIVE') <> 'SUPPRESSED'
RETURN DISTINCT aws.name AS account, resource.id AS resource, coalesce(finding.title, finding.name) AS finding
ORDER BY account, resource, finding""",
    ),
    Question(
        "vulnerable_images_running",
        "Which ECS services run images with critical vulnerabilities, and how many does each image have?",
        ("account", "service", "image", "findings"),
        """MATCH (aws:AWSAccount)-[:RESOURCE]->(service:ECSService)-[:HAS_TASK]->(:ECSTask)
      -[:HAS_CONTAINER]->(container:ECSContainer)-[:HAS_IMAGE]->(image:ECRImage)
MATCH (image)<-[:AFFECTS]-(finding {severity: 'CRITICAL'})
RETURN aws.name AS account, service.name AS service, container.image AS image, count(DISTINCT finding) AS findings
ORDER BY account, service, image""",
    ),
    Question(
        "open_policies",
        "What else than buckets does a policy of its own open to everyone: repositories, file systems, queues, topics, "
        "keys, functions, APIs, search domains?",
        ("account", "resource", "actions"),
        """MATCH (aws:AWSAccount)-[:RESOURCE]->(resource {anonymous_access: true})
WHERE NOT resource:S3Bucket
RETURN aws.name AS account, coalesce(resource.arn, resource.id) AS resource, resource.anonymous_actions AS actions
ORDER BY account, resource""",
    ),
    Question(
        "expiring_certificates",
        "Which certificates that are in use expire within 30 days, and which of them does AWS not renew?",
        ("account", "domain", "expires", "renewal"),
        """MATCH (aws:AWSAccount)-[:RESOURCE]->(certificate:ACMCertificate {in_use: true})
WHERE certificate.not_after < datetime() + duration('P30D')
RETURN aws.name AS account, certificate.domainname AS domain, certificate.not_after AS expires,
       certificate.renewal_eligibility AS renewal
ORDER BY expires, account, domain""",
    ),
    Question(
        "open_api_methods",
        "Which methods of REST APIs that the internet reaches ask nobody who is calling?",
        ("account", "api", "path", "method"),
        """MATCH (aws:AWSAccount)-[:RESOURCE]->(api:APIGatewayRestAPI {exposed_internet: true})
MATCH (api)-[:RESOURCE]->(part:APIGatewayResource)-[:HAS_METHOD]->(call:APIGatewayMethod {authorization_type: 'NONE'})
WHERE (api.policy IS NULL OR api.anonymous_access = true)
  AND call.httpmethod <> 'OPTIONS' AND coalesce(call.api_key_required, false) = false
RETURN aws.name AS account, api.name AS api, part.path AS path, call.httpmethod AS method
ORDER BY account, api, path, method""",
    ),
    Question(
        "people_in_several_accounts",
        "Who has IAM users in more than one account?",
        ("person", "account", "user"),
        """MATCH (person:User)-[:HAS_ACCOUNT]->(:AWSUser)<-[:RESOURCE]-(aws:AWSAccount)
WITH person, count(DISTINCT aws) AS accounts
WHERE accounts > 1
MATCH (person)-[:HAS_ACCOUNT]->(user:AWSUser)<-[:RESOURCE]-(aws:AWSAccount)
RETURN person.email AS person, aws.name AS account, user.arn AS user
ORDER BY person, account, user""",
    ),
)

QUESTIONS: Mapping[str, Question] = MappingProxyType(
    {question.name: question for question in (*_README, *_MORE, *_FOUND)}
)
