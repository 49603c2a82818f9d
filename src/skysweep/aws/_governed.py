"""What the controls of Security Hub and the rules of AWS Config are about, and both name by an ARN."""

from __future__ import annotations

from skysweep.aws.acl import EC2NetworkAcl
from skysweep.aws.acm import ACMCertificate
from skysweep.aws.apigateway import APIGatewayRestAPI, APIGatewayStage
from skysweep.aws.apigatewayv2 import APIGatewayV2API
from skysweep.aws.autoscaling import AutoScalingGroup, LaunchConfiguration
from skysweep.aws.cloudformation import CloudFormationStack
from skysweep.aws.cloudfront import CloudFrontDistribution
from skysweep.aws.cloudtrail import CloudTrailTrail
from skysweep.aws.cloudwatch import CloudWatchMetricAlarm
from skysweep.aws.dynamodb import DynamoDBTable
from skysweep.aws.ebs import EBSSnapshot, EBSVolume
from skysweep.aws.ec2 import EC2Instance
from skysweep.aws.ecr import ECRRepository
from skysweep.aws.ecs import ECSCluster, ECSService
from skysweep.aws.ecs_definitions import ECSTaskDefinition
from skysweep.aws.efs import EfsAccessPoint, EfsFileSystem
from skysweep.aws.eks import EKSCluster
from skysweep.aws.elasticache import AWSElasticacheReplicationGroup, ElasticacheCluster
from skysweep.aws.elb import AWSLoadBalancer
from skysweep.aws.elbv2 import ELBV2Listener, ELBV2TargetGroup, LoadBalancerV2
from skysweep.aws.events import AWSEventBridgeEventBus
from skysweep.aws.gateways import (
    AWSInternetGateway,
    AWSNatGateway,
    AWSPeeringConnection,
    AWSVpnGateway,
    ElasticIPAddress,
)
from skysweep.aws.guardduty import GuardDutyDetector
from skysweep.aws.iam import AWSGroup
from skysweep.aws.iam_policies import AWSManagedPolicy
from skysweep.aws.kms import KMSKey
from skysweep.aws.lambda_ import AWSLambda
from skysweep.aws.launchtemplates import LaunchTemplate
from skysweep.aws.logs import CloudWatchLogGroup
from skysweep.aws.network import AWSNetworkInterface
from skysweep.aws.opensearch import ESDomain
from skysweep.aws.rds import DBSubnetGroup, RDSCluster
from skysweep.aws.rdssnapshots import AWSRDSClusterSnapshot, RDSSnapshot
from skysweep.aws.redshift import RedshiftCluster
from skysweep.aws.route53 import AWSDNSZone
from skysweep.aws.routes import AWSVpcEndpoint, EC2RouteTable
from skysweep.aws.s3 import S3Bucket
from skysweep.aws.securitygroups import EC2SecurityGroup
from skysweep.aws.sns import SNSTopic
from skysweep.aws.sqs import SQSQueue
from skysweep.aws.transfer import AWSTransferServer
from skysweep.aws.vpc import AWSVpc, EC2Subnet
from skysweep.aws.wafv2 import AWSWAFCloudFrontACL, AWSWAFRegionalACL
from skysweep.aws.workspaces import AWSWorkspace

Governed = (
    ACMCertificate
    | APIGatewayRestAPI
    | APIGatewayStage
    | APIGatewayV2API
    | AWSDNSZone
    | AWSElasticacheReplicationGroup
    | AWSEventBridgeEventBus
    | AWSGroup
    | AWSInternetGateway
    | AWSLambda
    | AWSLoadBalancer
    | AWSManagedPolicy
    | AWSNatGateway
    | AWSNetworkInterface
    | AWSPeeringConnection
    | AWSRDSClusterSnapshot
    | AWSTransferServer
    | AWSVpc
    | AWSVpcEndpoint
    | AWSVpnGateway
    | AWSWAFCloudFrontACL
    | AWSWAFRegionalACL
    | AWSWorkspace
    | AutoScalingGroup
    | CloudFormationStack
    | CloudFrontDistribution
    | CloudTrailTrail
    | CloudWatchLogGroup
    | CloudWatchMetricAlarm
    | DBSubnetGroup
    | DynamoDBTable
    | EBSSnapshot
    | EBSVolume
    | EC2Instance
    | EC2NetworkAcl
    | EC2RouteTable
    | EC2SecurityGroup
    | EC2Subnet
    | ECRRepository
    | ECSCluster
    | ECSService
    | ECSTaskDefinition
    | EKSCluster
    | ELBV2Listener
    | ELBV2TargetGroup
    | ESDomain
    | EfsAccessPoint
    | EfsFileSystem
    | ElasticIPAddress
    | ElasticacheCluster
    | GuardDutyDetector
    | KMSKey
    | LaunchConfiguration
    | LaunchTemplate
    | LoadBalancerV2
    | RDSCluster
    | RDSSnapshot
    | RedshiftCluster
    | S3Bucket
    | SNSTopic
    | SQSQueue
)
