"""What real items lack of what their shapes allow, so that replies have the size that AWS's have.

An EC2 instance has about 2.5-3 kB of XML there and 7.9 kB with every member. What a declaration reads stays, even where
few real items have it (an instance's platform, its IPv6 addresses): the rows and links that come of both are the same.
What such members add, others make up for that all new instances have (CpuOptions, MaintenanceOptions).
"""

from __future__ import annotations

from collections.abc import Mapping

_LACKING = {
    "ec2:DescribeInstances": """
        ElasticGpuAssociations ElasticInferenceAcceleratorAssociations OutpostArn CustomerOwnedIp CarrierIp
        Ipv4Prefixes Ipv6Prefixes Reservations.Groups AssociatedResource VolumeOwnerId SpotInstanceRequestId
        SriovNetSupport StateReason EnaSupport CapacityBlockId CapacityReservationId CapacityReservationTarget Licenses
        TpmSupport KernelId RamdiskId ProductCodes ConnectionTrackingConfiguration EnaQueueCount AmdSevSnp Affinity
        PartitionNumber HostId SpreadDomain Placement.GroupId AvailabilityZoneId Operator.Principal
        NetworkPerformanceOptions RebootMigration ClientToken
        NetworkInterfaces.Operator PrivateDnsNameOptions CapacityReservationSpecification UsageOperationUpdateTime
        UsageOperation CurrentInstanceBootMode MaintenanceOptions EnclaveOptions CpuOptions PlatformDetails
        Instances.Operator NetworkInterfaces.Association PrivateIpAddresses InterfaceType NetworkCardIndex
        IsPrimaryIpv6 StateTransitionReason NetworkInterfaces.PrivateDnsName NetworkInterfaces.OwnerId
        Placement.GroupName AmiLaunchIndex Instances.Ipv6Address Hypervisor
    """,
    "ec2:DescribeNetworkInterfaces": """
        OutpostArn CustomerOwnedIp CarrierIp Ipv4Prefixes Ipv6Prefixes ConnectionTrackingConfiguration
        EnaSrdSpecification EnaQueueCount PublicIpDnsNameOptions AssociatedSubnets DenyAllIgwTraffic Ipv6Native
        Operator.Principal PublicDnsName AvailabilityZoneId Attachment.InstanceOwnerId
    """,
    "ec2:DescribeVolumes": """
        AvailabilityZoneId SourceVolumeId SseType VolumeInitializationRate AssociatedResource
        InstanceOwningService Operator.Principal
    """,
    "ec2:DescribeSubnets": """
        OutpostArn CustomerOwnedIpv4Pool EnableLniAtDeviceIndex Type StatusMessage BlockPublicAccessStates
    """,
    "ec2:DescribeSnapshots": """
        OwnerAlias RestoreExpiryTime SseType AvailabilityZone TransferType CompletionDurationMinutes
    """,
    "ec2:DescribeImages": """
        OutpostArn StateReason ProductCodes NoDevice VirtualName SourceInstanceId LastLaunchedTime SourceImageId
        SourceImageRegion ImageAllowed FreeTierEligible VolumeInitializationRate AvailabilityZoneId TpmSupport
    """,
    "ec2:DescribeSecurityGroups": """
        UserIdGroupPairs.VpcId UserIdGroupPairs.GroupName VpcPeeringConnectionId PeeringStatus
        UserIdGroupPairs.Description
    """,
    "ec2:DescribeVpcs": """
        EncryptionControl BlockPublicAccessStates
    """,
    "ec2:DescribeRouteTables": """
        PublicIpv4Pool OdbNetworkArn IpAddress
    """,
    "ec2:DescribeVpcEndpoints": """
        LastError Ipv4Prefixes Ipv6Prefixes FailureReason ServiceNetworkArn ResourceConfigurationArn
    """,
    "lambda:ListFunctions": """
        FileSystemConfigs ImageConfigResponse RuntimeVersionConfig ApplicationLogLevel SystemLogLevel
        Environment.Error
    """,
    "lambda:ListEventSourceMappings": """
        SelfManagedEventSource SourceAccessConfigurations FilterCriteriaError AmazonManagedKafkaEventSourceConfig
        SelfManagedKafkaEventSourceConfig DocumentDBEventSourceConfig ProvisionedPollerConfig MetricsConfig
        ScalingConfig Topics Queues
    """,
    "rds:DescribeDBInstances": """
        PendingModifiedValues DBSecurityGroups CharacterSetName NcharCharacterSetName StatusInfos SubnetOutpost
        SupportedNetworkTypes ReadReplicaDBClusterIdentifiers ReplicaMode TdeCredentialArn DomainMemberships
        Timezone ProcessorFeatures AssociatedRoles ListenerEndpoint ResumeFullAutomationModeTime
        ActivityStreamKmsKeyId ActivityStreamMode ActivityStreamKinesisStreamName
        ActivityStreamEngineNativeAuditFieldsIncluded AutomationMode AwsBackupRecoveryPointArn
        DBInstanceAutomatedBackupsReplications AutomaticRestartTime CustomIamInstanceProfile
        ActivityStreamPolicyStatus DBSystemId ReadReplicaSourceDBClusterIdentifier PercentProgress
        SecondaryAvailabilityZone ReadReplicaDBInstanceIdentifiers
    """,
    "rds:DescribeDBClusters": """
        PendingModifiedValues PercentProgress CustomEndpoints StatusInfos DBClusterOptionGroupMemberships
        ReplicationSourceIdentifier ReadReplicaIdentifiers AssociatedRoles RdsCustomClusterConfiguration
        DBClusterInstanceClass DBSystemId IOOptimizedNextAllowedModificationTime ActivityStreamMode
        ActivityStreamStatus ActivityStreamKmsKeyId ActivityStreamKinesisStreamName DomainMemberships
        GlobalClusterIdentifier GlobalWriteForwardingStatus GlobalWriteForwardingRequested AutomaticRestartTime
        ServerlessV2ScalingConfiguration ServerlessV2PlatformVersion LocalWriteForwardingStatus
        AwsBackupRecoveryPointArn LimitlessDatabase ClusterScalabilityType CertificateDetails
        PerformanceInsightsKMSKeyId PerformanceInsightsRetentionPeriod
    """,
    "autoscaling:DescribeAutoScalingGroups": """
        PredictedCapacity SuspendedProcesses PlacementGroup EnabledMetrics WeightedCapacity WarmPoolConfiguration
        WarmPoolSize Context DesiredCapacityType DefaultInstanceWarmup InstanceMaintenancePolicy
        AvailabilityZoneImpairmentPolicy CapacityReservationTarget TrafficSources
    """,
    "elbv2:DescribeLoadBalancers": """
        Reason OutpostId SourceNatIpv6Prefixes CustomerOwnedIpv4Pool EnablePrefixForIpv6SourceNat IpamPools
    """,
}

LACKING: Mapping[str, tuple[str, ...]] = {listing: tuple(names.split()) for listing, names in _LACKING.items()}
"""By listing or operation: members, or ``Parent.Member``, as in `kinds.MEMBERS`."""
