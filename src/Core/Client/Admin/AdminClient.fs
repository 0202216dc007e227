namespace LibKafka.Client

open System
open LibKafka.Wire
open LibKafka.Protocol

/// Administrative calls. Each asks the brokers whose task it is: the controller, the leaders of partitions, the coordinators of groups, or any
/// broker. Connections are kept for the next call. There are no retries. A call in which a broker may wait has a time-out of `CallTimeout`, or
/// of its own `timeout` and 5 seconds if that is longer. Two threads must not use a client at the same time: the second
/// one gets an InvalidOperationException, and nothing is sent.
[<Sealed>]
type AdminClient(settings: ClientSettings, bootstrap: Bootstrap) =
    let brokers = AdminBrokers(settings, bootstrap)

    let beginning (call: CallOptions option) settings = Operation.Begin(settings, call)
    let beginningToWait (call: CallOptions option) (wait: TimeSpan) settings = Operation.BeginWaiting(settings, call, wait)

    let run changes start (work: Operation -> ('Item * Result<'Value, AdminFault>) list) =
        let exchanges, result = brokers.Run(start, work)
        AdminReply<'Item, 'Value>(changes, exchanges, result)

    let runOne changes start (work: Operation -> Result<'Value, AdminFault>) =
        let exchanges, result = brokers.Run(start, work)
        AdminAnswer<'Value>(changes, exchanges, result)

    // A call about several items that changes nothing.
    let reply call work = run false (beginning call) work

    // A call about several items that changes something.
    let change call work = run true (beginning call) work

    // The same, in which brokers may wait.
    let waiting call wait work = run true (beginningToWait call wait) work

    // A call without items that changes nothing.
    let answer call work = runOne false (beginning call) work

    // A call without items that changes something.
    let changeOne call work = runOne true (beginning call) work

    // ---- topics ----

    /// Creates topics, for which the caller may say which brokers have which partitions. The controller may take up to `timeout` until they
    /// exist. With `validateOnly` it only checks the request. A topic that leaves its number of partitions or replicas to brokers before Kafka
    /// 2.4, which have no defaults for them, is not sent: `ClientFault.BrokerTooOld`.
    member _.CreateTopics
        (topics: CreateTopics.Topic list, timeout: TimeSpan, ?validateOnly: bool, ?call: CallOptions)
        : AdminReply<string, CreateTopics.TopicResult> =
        waiting call timeout (TopicAdmin.create brokers topics timeout (defaultArg validateOnly false))

    /// Creates topics whose replicas the controller places. It may take up to `timeout` until they exist.
    member this.CreateTopics(topics: NewTopic list, timeout: TimeSpan, ?call: CallOptions) : AdminReply<string, CreateTopics.TopicResult> =
        this.CreateTopics(List.map NewTopic.toRequest topics, timeout, false, ?call = call)

    /// Deletes topics and all their records. The controller may take up to `timeout` until they are gone.
    member _.DeleteTopics(names: string list, timeout: TimeSpan, ?call: CallOptions) : AdminReply<string, DeleteTopics.TopicResult> =
        waiting call timeout (TopicAdmin.delete brokers names timeout)

    /// Adds partitions to topics. The controller may take up to `timeout` until they exist. With `validateOnly` it only checks the request.
    member _.CreatePartitions
        (topics: CreatePartitions.Topic list, timeout: TimeSpan, ?validateOnly: bool, ?call: CallOptions)
        : AdminReply<string, unit> =
        waiting call timeout (TopicAdmin.createPartitions brokers topics timeout (defaultArg validateOnly false))

    /// Topics with their partitions, leaders and replicas.
    member _.DescribeTopics(names: string list, ?call: CallOptions) : AdminReply<string, Metadata.Topic> =
        reply call (TopicAdmin.describe brokers names)

    /// All topics that the client may see.
    member _.ListTopics(?call: CallOptions) : AdminAnswer<Metadata.Topic list> = answer call (TopicAdmin.list brokers)

    // ---- configs ----

    /// The configs of topics, brokers, groups and others. With `synonyms`, also the other sources of each value (Kafka 1.1); with
    /// `documentation`, its description (Kafka 2.6). An older broker is not asked: `ClientFault.BrokerTooOld`.
    member _.DescribeConfigs
        (resources: DescribeConfigs.Resource list, ?synonyms: bool, ?documentation: bool, ?call: CallOptions)
        : AdminReply<ConfigResource, DescribeConfigs.Config list> =
        reply call (ConfigAdmin.describe brokers resources (defaultArg synonyms false) (defaultArg documentation false))

    /// Changes single configs (KIP-339, Kafka 2.3): those of one resource all together or not at all. With `validateOnly` the broker only
    /// checks the request.
    member _.AlterConfigs
        (resources: IncrementalAlterConfigs.Resource list, ?validateOnly: bool, ?call: CallOptions)
        : AdminReply<ConfigResource, unit> =
        change call (ConfigAdmin.alter brokers resources (defaultArg validateOnly false))

    /// The resources of some types that can have configs (KIP-1142, Kafka 4.1); of all types if none is given. Kafka 3.7 to 4.0 list only the client
    /// metrics subscriptions (KIP-714): for other types, `ClientFault.BrokerTooOld`.
    member _.ListConfigResources(types: ConfigResourceType list, ?call: CallOptions) : AdminAnswer<ConfigResource list> =
        answer call (ConfigAdmin.listResources brokers types)

    // ---- records and offsets ----

    /// Deletes the records before an offset, or all records with -1. The value is the first offset that is left. Leaders may wait up to
    /// `timeout` for their followers.
    member _.DeleteRecords
        (before: (TopicPartition * int64) list, timeout: TimeSpan, ?call: CallOptions)
        : AdminReply<TopicPartition, int64> =
        waiting call timeout (OffsetAdmin.deleteRecords brokers before timeout)

    /// Finds offsets by their place or by a timestamp. With `ReadCommitted` the latest offset is the last stable offset, else the high
    /// watermark. A broker that does not know the place, such as the ends of tiered storage, is not asked: `ClientFault.NoCommonVersion`.
    member _.ListOffsets
        (wanted: (TopicPartition * OffsetSpec) list, ?isolation: IsolationLevel, ?call: CallOptions)
        : AdminReply<TopicPartition, ListOffsets.PartitionResponse> =
        let isolation = defaultArg isolation IsolationLevel.ReadUncommitted
        reply call (OffsetAdmin.list brokers wanted isolation settings.CallTimeout)

    // ---- replicas ----

    /// Elects leaders of partitions (KIP-183, Kafka 2.2). The controller may take up to `timeout`. ELECTION_NOT_NEEDED if the leader is already the
    /// one that an election would choose. `ElectionType.Unclean` (KIP-460, Kafka 2.4) may lose acknowledged records.
    member _.ElectLeaders
        (kind: ElectionType, partitions: TopicPartition list, timeout: TimeSpan, ?call: CallOptions)
        : AdminReply<TopicPartition, unit> =
        waiting call timeout (ReplicaAdmin.elect brokers kind partitions timeout)

    /// Elects leaders of all partitions of the cluster. The result has the partitions that needed an election.
    member _.ElectAllLeaders
        (kind: ElectionType, timeout: TimeSpan, ?call: CallOptions)
        : AdminAnswer<(TopicPartition * Result<unit, AdminFault>) list> =
        runOne true (beginningToWait call timeout) (ReplicaAdmin.electAll brokers kind timeout)

    /// Begins to move partitions to other brokers, the preferred leader first (KIP-455, Kafka 2.4); without brokers, cancels the move of a partition.
    /// It ends some time later: see `ListReassignments`. The number of replicas may change unless `mayChangeFactor` is false, which needs Kafka
    /// 4.1 (KIP-860).
    member _.AlterReassignments
        (moves: (TopicPartition * int32 list option) list, timeout: TimeSpan, ?mayChangeFactor: bool, ?call: CallOptions)
        : AdminReply<TopicPartition, unit> =
        waiting call timeout (ReplicaAdmin.reassign brokers moves timeout (defaultArg mayChangeFactor true))

    /// The moves in progress of some partitions, or of all if `partitions` is none (KIP-455, Kafka 2.4). A partition that is not being moved is not in
    /// the result.
    member _.ListReassignments
        (partitions: TopicPartition list option, timeout: TimeSpan, ?call: CallOptions)
        : AdminAnswer<(TopicPartition * ListPartitionReassignments.Partition) list> =
        runOne false (beginningToWait call timeout) (ReplicaAdmin.listReassignments brokers partitions timeout)

    /// The log directories of brokers, by their ids, with the replicas in them: all, or those of some partitions (KIP-113). A directory has an error
    /// code if its disk has failed.
    member _.DescribeLogDirs
        (brokerIds: int32 list, ?partitions: TopicPartition list, ?call: CallOptions)
        : AdminReply<int32, DescribeLogDirs.LogDir list> =
        reply call (ReplicaAdmin.describeLogDirs brokers brokerIds partitions)

    /// Begins to move replicas to other log directories of their brokers (KIP-113). `DescribeLogDirs` shows a replica that is being moved in both. A
    /// replica that is not on its broker yet will be made there; the result is then REPLICA_NOT_AVAILABLE.
    member _.AlterReplicaLogDirs
        (moves: (TopicPartitionReplica * string) list, ?call: CallOptions)
        : AdminReply<TopicPartitionReplica, unit> =
        change call (ReplicaAdmin.alterLogDirs brokers moves)

    // ---- groups ----

    /// The groups of each broker that could be asked: all, or only those in some states (KIP-518, Kafka 2.6) or of some types (KIP-848, Kafka
    /// 3.8).
    member _.ListGroups
        (?states: GroupState list, ?types: GroupType list, ?call: CallOptions)
        : AdminAnswer<(BrokerAddress * Result<ListGroups.Group list, AdminFault>) list> =
        answer call (GroupAdmin.list brokers (defaultArg states []) (defaultArg types []))

    /// Classic groups with their members.
    member _.DescribeGroups(groups: string list, ?call: CallOptions) : AdminReply<string, DescribeGroups.Group> =
        reply call (GroupAdmin.describe brokers groups)

    /// Groups of the new protocol (KIP-848) with their members.
    member _.DescribeConsumerGroups(groups: string list, ?call: CallOptions) : AdminReply<string, ConsumerGroupDescribe.Group> =
        reply call (GroupAdmin.describeConsumers brokers groups)

    /// Deletes groups without members, and their offsets.
    member _.DeleteGroups(groups: string list, ?call: CallOptions) : AdminReply<string, unit> =
        change call (GroupAdmin.delete brokers groups)

    /// The offsets that groups have committed: of some partitions, or of all for which there is one. With `requireStable` a partition has
    /// UNSTABLE_OFFSET_COMMIT while a transaction with an offset of it is open (KIP-447, Kafka 2.5).
    member _.ListGroupOffsets
        (groups: (string * TopicPartition list option) list, ?requireStable: bool, ?call: CallOptions)
        : AdminReply<string, FetchedOffset list> =
        reply call (GroupAdmin.listOffsets brokers groups (defaultArg requireStable false))

    /// Sets offsets of a group without members.
    member _.AlterGroupOffsets
        (group: string, offsets: (TopicPartition * CommittedOffset) list, ?call: CallOptions)
        : AdminReply<TopicPartition, unit> =
        change call (GroupAdmin.alterOffsets brokers group offsets)

    /// Deletes offsets of a group (KIP-496, Kafka 2.4). GROUP_SUBSCRIBED_TO_TOPIC if a member subscribes to the topic.
    member _.DeleteGroupOffsets(group: string, partitions: TopicPartition list, ?call: CallOptions) : AdminReply<TopicPartition, unit> =
        change call (GroupAdmin.deleteOffsets brokers group partitions)

    // ---- transactions ----

    /// The transactions of each broker that could be asked (KIP-664, Kafka 3.0). States that a broker does not know are in its response.
    member _.ListTransactions
        (?filter: TransactionListFilter, ?call: CallOptions)
        : AdminAnswer<(BrokerAddress * Result<ListTransactions.Response, AdminFault>) list> =
        answer call (TransactionAdmin.list brokers (defaultArg filter TransactionListFilter.all))

    /// The transactions of transactional ids, with their partitions (KIP-664, Kafka 3.0).
    member _.DescribeTransactions(ids: string list, ?call: CallOptions) : AdminReply<string, DescribeTransactions.Transaction> =
        reply call (TransactionAdmin.describe brokers ids)

    /// Fences the producers of transactional ids, as a new producer with the id does: the coordinator raises the epoch of the id, and aborts the
    /// transaction that is open. The value is the identity with the new epoch. While that transaction is being aborted, the result is
    /// CONCURRENT_TRANSACTIONS, which is transient. An id that the cluster does not know is no error: it gets a producer id.
    member _.FenceProducers(ids: string list, ?call: CallOptions) : AdminReply<string, ProducerIdentity> =
        change call (TransactionAdmin.fence brokers ids)

    /// The producers that partitions remember, and since which offset each has an open transaction (KIP-664, Kafka 2.8): according to the leaders,
    /// or to one broker that has replicas.
    member _.DescribeProducers
        (partitions: TopicPartition list, ?brokerId: int32, ?call: CallOptions)
        : AdminReply<TopicPartition, DescribeProducers.Producer list> =
        reply call (TransactionAdmin.describeProducers brokers partitions brokerId)

    /// Aborts transactions in partitions whose coordinator does not end them, by writing the markers itself (KIP-664): see `HangingTransaction`. It
    /// needs the permission ClusterAction.
    member _.AbortTransactions(transactions: HangingTransaction list, ?call: CallOptions) : AdminReply<HangingTransaction, unit> =
        change call (TransactionAdmin.abort brokers transactions)

    // ---- ACLs ----

    /// The ACLs that match a filter.
    member _.DescribeAcls(filter: AclFilter, ?call: CallOptions) : AdminAnswer<DescribeAcls.Resource list> =
        answer call (AclAdmin.describe brokers filter)

    /// Creates ACLs. One that already exists is no error.
    member _.CreateAcls(acls: CreateAcls.Acl list, ?call: CallOptions) : AdminReply<CreateAcls.Acl, unit> =
        change call (AclAdmin.create brokers acls)

    /// Deletes the ACLs that match filters. The value is what each filter matched: an ACL with an error still exists.
    member _.DeleteAcls(filters: AclFilter list, ?call: CallOptions) : AdminReply<AclFilter, DeleteAcls.Acl list> =
        change call (AclAdmin.delete brokers filters)

    // ---- quotas, users and tokens ----

    /// The quotas of the entities that a filter matches (KIP-546, Kafka 2.6).
    member _.DescribeClientQuotas(filter: ClientQuotaFilter, ?call: CallOptions) : AdminAnswer<ClientQuotas list> =
        answer call (QuotaAdmin.describe brokers filter)

    /// Sets and removes quotas (KIP-546, Kafka 2.6): those of one entity all together or not at all. With `validateOnly` the broker only checks the
    /// request.
    member _.AlterClientQuotas
        (changes: ClientQuotaChange list, ?validateOnly: bool, ?call: CallOptions)
        : AdminReply<ClientQuotaEntity, unit> =
        change call (QuotaAdmin.alter brokers changes (defaultArg validateOnly false))

    /// The SCRAM credentials of users, without their secrets (KIP-554, Kafka 2.7). RESOURCE_NOT_FOUND for a user without any.
    member _.DescribeScramUsers(users: string list, ?call: CallOptions) : AdminReply<string, DescribeUserScramCredentials.Credential list> =
        reply call (ScramAdmin.describe brokers users)

    /// All users with SCRAM credentials, without their secrets (KIP-554, Kafka 2.7).
    member _.ListScramUsers
        (?call: CallOptions)
        : AdminAnswer<(string * Result<DescribeUserScramCredentials.Credential list, AdminFault>) list> =
        answer call (ScramAdmin.list brokers)

    /// Sets and deletes SCRAM credentials of users (KIP-554, Kafka 2.7): those of one user all together or not at all. Each result is about the
    /// user of the change.
    member _.AlterScramUsers(changes: ScramChange list, ?call: CallOptions) : AdminReply<string, unit> =
        change call (ScramAdmin.alter brokers changes)

    /// Creates a delegation token (KIP-48, Kafka 1.1), which authenticates as its owner until it expires.
    member _.CreateDelegationToken(token: NewDelegationToken, ?call: CallOptions) : AdminAnswer<DelegationToken> =
        changeOne call (TokenAdmin.create brokers token)

    /// Makes a delegation token expire `period` from now, at most at its latest time; without a period, after the broker's own
    /// (`delegation.token.expiry.time.ms`). The value is the time at which it expires.
    member _.RenewDelegationToken(hmac: Bytes, ?period: TimeSpan, ?call: CallOptions) : AdminAnswer<DateTimeOffset> =
        changeOne call (TokenAdmin.renew brokers hmac period)

    /// Makes a delegation token expire `period` from now; without a period, deletes it at once. The value is the time at which it expires.
    member _.ExpireDelegationToken(hmac: Bytes, ?period: TimeSpan, ?call: CallOptions) : AdminAnswer<DateTimeOffset> =
        changeOne call (TokenAdmin.expire brokers hmac period)

    /// The delegation tokens of some owners, or of all if `owners` is none, that the caller may see.
    member _.DescribeDelegationTokens
        (owners: DelegationTokenPrincipal list option, ?call: CallOptions)
        : AdminAnswer<DelegationToken list> =
        answer call (TokenAdmin.describe brokers owners)

    // ---- the cluster ----

    /// The cluster's id, controller and brokers. Brokers before Kafka 2.8 report them as metadata.
    member _.DescribeCluster(?call: CallOptions) : AdminAnswer<DescribeCluster.Response> = answer call (ClusterAdmin.describe brokers)

    /// Removes a broker that has stopped for good from the cluster's metadata (Kafka 3.3 with KRaft).
    member _.UnregisterBroker(brokerId: int32, ?call: CallOptions) : AdminAnswer<unit> =
        changeOne call (ClusterAdmin.unregisterBroker brokers brokerId)

    /// The features that a broker supports, and their levels in the cluster (KIP-584). Brokers before Kafka 2.7 report none.
    member _.DescribeFeatures(?call: CallOptions) : AdminAnswer<ClusterFeatures> = answer call (ClusterAdmin.describeFeatures brokers)

    /// Changes the levels of features (KIP-584). The controller may take up to `timeout`. With `validateOnly` (KIP-778, Kafka 3.3) it only checks the
    /// request. Since Kafka 4.0 all levels are changed or none (KIP-1022).
    member _.UpdateFeatures
        (levels: FeatureLevel list, timeout: TimeSpan, ?validateOnly: bool, ?call: CallOptions)
        : AdminReply<string, unit> =
        waiting call timeout (ClusterAdmin.updateFeatures brokers levels timeout (defaultArg validateOnly false))

    /// The quorum of controllers (KIP-595, KIP-836): its leader, its voters and how far each has read. It needs KRaft.
    member _.DescribeQuorum(?call: CallOptions) : AdminAnswer<Quorum> = answer call (ClusterAdmin.describeQuorum brokers)

    /// Makes a controller that follows the metadata log a voter (KIP-853, Kafka 3.9). The leader may take up to `timeout`. With `clusterId` a
    /// cluster with another id refuses.
    member _.AddQuorumVoter
        (voter: QuorumVoter, listeners: VoterListener list, timeout: TimeSpan, ?clusterId: string, ?call: CallOptions)
        : AdminAnswer<unit> =
        runOne true (beginningToWait call timeout) (ClusterAdmin.addVoter brokers voter listeners clusterId timeout)

    /// Removes a voter from the quorum (KIP-853, Kafka 3.9). With `clusterId` a cluster with another id refuses.
    member _.RemoveQuorumVoter(voter: QuorumVoter, ?clusterId: string, ?call: CallOptions) : AdminAnswer<unit> =
        changeOne call (ClusterAdmin.removeVoter brokers voter clusterId)

    /// Closes the connections. A later call makes new ones.
    member _.Close() = brokers.Close()

    interface IDisposable with
        member _.Dispose() = brokers.Close()
