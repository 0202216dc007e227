namespace LibKafka.Protocol

open System.Globalization
open System.Runtime.CompilerServices

/// What a code says of itself where its name is not known.
[<RequireQualifiedAccess>]
module internal Code =

    /// `IsolationLevel 7`
    let unnamed (meaning: string) (code: int64) = meaning + " " + code.ToString CultureInfo.InvariantCulture

    /// The name, or where it is not known `IsolationLevel 7`.
    let text (meaning: string) (name: string) (code: int64) = if name = "" then unnamed meaning code else name

/// What Kafka calls an error, whether trying the same again may help, and what the error means.
[<Struct; NoEquality; NoComparison>]
type private ErrorRow = { Name: string; IsRetriable: bool; Description: string }

/// The one place that says it.
module private Errors =

    // Not inlined: with this code in each row, the JIT compiler would take twice as long for the table.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    let private retriable name description = { Name = name; IsRetriable = true; Description = description }

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    let private definite name description = { Name = name; IsRetriable = false; Description = description }

    let row (code: int16) =
        match code with
        | -1s -> definite "UNKNOWN_SERVER_ERROR" "The broker failed in a way that it has no code for; its log says more."
        | 0s -> definite "NONE" "No error."
        | 1s -> definite "OFFSET_OUT_OF_RANGE" "The offset is before the log's start or after its end; ask ListOffsets for a valid one."
        | 2s -> retriable "CORRUPT_MESSAGE" "A record batch has a wrong checksum or size, or is otherwise damaged."
        | 3s -> retriable "UNKNOWN_TOPIC_OR_PARTITION" "The broker has no such topic or partition; refresh the metadata."
        | 4s -> definite "INVALID_FETCH_SIZE" "The fetch asks for an impossible number of bytes."
        | 5s -> retriable "LEADER_NOT_AVAILABLE" "The partition has no leader while one is elected; refresh the metadata and try again."
        | 6s -> retriable "NOT_LEADER_OR_FOLLOWER" "The broker asked does not lead or follow the partition; refresh the metadata."
        | 7s -> retriable "REQUEST_TIMED_OUT" "The broker did not finish within the request's time; it may still have had its effect."
        | 8s -> definite "BROKER_NOT_AVAILABLE" "The broker is down or does not serve requests yet."
        | 9s -> retriable "REPLICA_NOT_AVAILABLE" "The broker should have a replica of the partition and does not have it ready."
        | 10s -> definite "MESSAGE_TOO_LARGE" "A record batch is larger than the topic accepts (max.message.bytes); send smaller ones."
        | 11s -> definite "STALE_CONTROLLER_EPOCH" "Between brokers: the request comes from a controller that has been replaced."
        | 12s -> definite "OFFSET_METADATA_TOO_LARGE" "The note with a committed offset is longer than allowed (offset.metadata.max.bytes)."
        | 13s ->
            retriable "NETWORK_EXCEPTION" "The connection broke before an answer came; whether the request had its effect is not known."
        | 14s -> retriable "COORDINATOR_LOAD_IN_PROGRESS" "The coordinator is still reading its state from the log; try again shortly."
        | 15s ->
            retriable "COORDINATOR_NOT_AVAILABLE" "No coordinator is ready for this group or transactional id; ask FindCoordinator again."
        | 16s -> retriable "NOT_COORDINATOR" "The broker asked is not the coordinator; ask FindCoordinator which one is."
        | 17s ->
            definite "INVALID_TOPIC_EXCEPTION" "The topic's name is not allowed, or the topic is internal and not open to this request."
        | 18s -> definite "RECORD_LIST_TOO_LARGE" "The batches are together larger than a log segment may be; send less at once."
        | 19s -> retriable "NOT_ENOUGH_REPLICAS" "Fewer replicas are in sync than acks = all needs; nothing was written, try again."
        | 20s ->
            retriable "NOT_ENOUGH_REPLICAS_AFTER_APPEND" "Written, but to fewer in-sync replicas than needed; sending again may duplicate."
        | 21s -> definite "INVALID_REQUIRED_ACKS" "The acks of a produce request are none of 0, 1 and -1."
        | 22s -> definite "ILLEGAL_GENERATION" "The group has moved on to another generation; join it again."
        | 23s ->
            definite "INCONSISTENT_GROUP_PROTOCOL" "The member shares no protocol type or assignment strategy with the rest of the group."
        | 24s -> definite "INVALID_GROUP_ID" "The group id is empty or otherwise not allowed."
        | 25s -> definite "UNKNOWN_MEMBER_ID" "The group has no such member, perhaps since its heartbeats stopped; join as a new one."
        | 26s ->
            definite "INVALID_SESSION_TIMEOUT" "The session timeout is outside the limits set on the broker (group.*.session.timeout.ms)."
        | 27s -> definite "REBALANCE_IN_PROGRESS" "The group is dividing its partitions anew; join it again."
        | 28s -> definite "INVALID_COMMIT_OFFSET_SIZE" "An offset with its metadata is too large to be stored."
        | 29s -> definite "TOPIC_AUTHORIZATION_FAILED" "The client's principal may not do this to the topic."
        | 30s -> definite "GROUP_AUTHORIZATION_FAILED" "The client's principal may not do this to the group."
        | 31s -> definite "CLUSTER_AUTHORIZATION_FAILED" "The client's principal may not do this to the cluster."
        | 32s -> definite "INVALID_TIMESTAMP" "A record's timestamp is further from the broker's clock than the topic allows."
        | 33s -> definite "UNSUPPORTED_SASL_MECHANISM" "The broker does not offer this SASL mechanism; its answer lists those it does."
        | 34s -> definite "ILLEGAL_SASL_STATE" "The request does not fit the point that authentication has reached."
        | 35s -> definite "UNSUPPORTED_VERSION" "The broker does not know this version of the API; ask ApiVersions for those it knows."
        | 36s -> definite "TOPIC_ALREADY_EXISTS" "A topic of this name exists already."
        | 37s -> definite "INVALID_PARTITIONS" "The number of partitions is below one, or not above what the topic has already."
        | 38s -> definite "INVALID_REPLICATION_FACTOR" "The replication factor is below one or above the number of brokers."
        | 39s -> definite "INVALID_REPLICA_ASSIGNMENT" "The replicas given for the partitions are unknown, repeated or incomplete."
        | 40s -> definite "INVALID_CONFIG" "A configuration has an unknown name or a value that is not allowed."
        | 41s -> retriable "NOT_CONTROLLER" "The broker asked is not the active controller; look it up in the metadata and ask it."
        | 42s -> definite "INVALID_REQUEST" "The request breaks a rule of its API or contradicts itself."
        | 43s -> definite "UNSUPPORTED_FOR_MESSAGE_FORMAT" "The log is in a record format too old for what is asked."
        | 44s -> definite "POLICY_VIOLATION" "A policy set by those who run the cluster forbids it."
        | 45s -> definite "OUT_OF_ORDER_SEQUENCE_NUMBER" "The batch does not follow the last one that the broker has from this producer."
        | 46s ->
            definite "DUPLICATE_SEQUENCE_NUMBER" "The broker has the batch already, too far back to tell its offset; it counts as written."
        | 47s -> definite "INVALID_PRODUCER_EPOCH" "The producer's epoch is older than the broker's: another one with its id was started."
        | 48s -> definite "INVALID_TXN_STATE" "The transaction's state does not allow the request."
        | 49s -> definite "INVALID_PRODUCER_ID_MAPPING" "The producer id is not the one that belongs to the transactional id."
        | 50s -> definite "INVALID_TRANSACTION_TIMEOUT" "The transaction timeout is longer than allowed (transaction.max.timeout.ms)."
        | 51s -> retriable "CONCURRENT_TRANSACTIONS" "The transactional id is still busy with its last change; try again shortly."
        | 52s -> definite "TRANSACTION_COORDINATOR_FENCED" "Between brokers: the marker comes from a coordinator that has been replaced."
        | 53s -> definite "TRANSACTIONAL_ID_AUTHORIZATION_FAILED" "The client's principal may not use the transactional id."
        | 54s -> definite "SECURITY_DISABLED" "The cluster runs without the security feature asked for."
        | 55s -> definite "OPERATION_NOT_ATTEMPTED" "This part of the request was not tried, since another part failed."
        | 56s -> retriable "KAFKA_STORAGE_ERROR" "The disk with the log is unusable; another broker may lead soon, refresh the metadata."
        | 57s -> definite "LOG_DIR_NOT_FOUND" "The broker has no such log directory."
        | 58s -> definite "SASL_AUTHENTICATION_FAILED" "The broker did not accept the credentials."
        | 59s -> definite "UNKNOWN_PRODUCER_ID" "The broker has forgotten the producer, as none of its records remain in the log."
        | 60s -> definite "REASSIGNMENT_IN_PROGRESS" "The partition is already on its way to other brokers."
        | 61s -> definite "DELEGATION_TOKEN_AUTH_DISABLED" "The cluster is not set up for delegation tokens."
        | 62s -> definite "DELEGATION_TOKEN_NOT_FOUND" "The cluster has no such delegation token."
        | 63s -> definite "DELEGATION_TOKEN_OWNER_MISMATCH" "The client's principal is neither owner nor renewer of the delegation token."
        | 64s -> definite "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED" "Only a connection that authenticated without a token may ask for one."
        | 65s -> definite "DELEGATION_TOKEN_AUTHORIZATION_FAILED" "The client's principal may not do this to the delegation token."
        | 66s -> definite "DELEGATION_TOKEN_EXPIRED" "The delegation token has expired; ask for a new one."
        | 67s -> definite "INVALID_PRINCIPAL_TYPE" "The type of a principal is not one that the cluster supports."
        | 68s -> definite "NON_EMPTY_GROUP" "The group still has members."
        | 69s -> definite "GROUP_ID_NOT_FOUND" "The cluster has no such group."
        | 70s -> retriable "FETCH_SESSION_ID_NOT_FOUND" "The broker has dropped the fetch session; begin a new one with a full fetch."
        | 71s -> retriable "INVALID_FETCH_SESSION_EPOCH" "The fetch session's epoch is not the one due; begin a new one with a full fetch."
        | 72s -> retriable "LISTENER_NOT_FOUND" "The leader has no listener like the one that the client is connected to."
        | 73s -> definite "TOPIC_DELETION_DISABLED" "Topics may not be deleted on this cluster (delete.topic.enable)."
        | 74s -> retriable "FENCED_LEADER_EPOCH" "The leader epoch is older than the broker's; refresh the metadata."
        | 75s -> retriable "UNKNOWN_LEADER_EPOCH" "The leader epoch is newer than the broker's, which will hear of it; try again shortly."
        | 76s -> definite "UNSUPPORTED_COMPRESSION_TYPE" "The batch's codec is too new for the version of the request or the log."
        | 77s -> definite "STALE_BROKER_EPOCH" "Between brokers and controller: the sender has registered anew since."
        | 78s -> retriable "OFFSET_NOT_AVAILABLE" "The new leader does not know yet how far its log is committed; try again shortly."
        | 79s -> definite "MEMBER_ID_REQUIRED" "The first answer to a new member; join again with the member id in it."
        | 80s -> retriable "PREFERRED_LEADER_NOT_AVAILABLE" "The replica that should lead by preference is offline or out of sync."
        | 81s -> definite "GROUP_MAX_SIZE_REACHED" "The group has as many members as it may (group.max.size)."
        | 82s -> definite "FENCED_INSTANCE_ID" "Another member has taken over this group instance id; stop."
        | 83s -> retriable "ELIGIBLE_LEADERS_NOT_AVAILABLE" "None of the replicas that may lead the partition is available."
        | 84s -> retriable "ELECTION_NOT_NEEDED" "The partition has the leader already that an election would give it."
        | 85s -> definite "NO_REASSIGNMENT_IN_PROGRESS" "The partition is not on its way to other brokers."
        | 86s -> definite "GROUP_SUBSCRIBED_TO_TOPIC" "The group is subscribed to the topic, so these offsets stay."
        | 87s -> definite "INVALID_RECORD" "The broker refuses a record, such as one with no key for a compacted topic."
        | 88s -> retriable "UNSTABLE_OFFSET_COMMIT" "A transaction has yet to decide the offset; try again when it has ended."
        | 89s ->
            retriable "THROTTLING_QUOTA_EXCEEDED" "Topics or partitions change faster than the quota allows; wait for the throttle time."
        | 90s -> definite "PRODUCER_FENCED" "A newer producer has taken over the transactional id; this one must stop."
        | 91s -> definite "RESOURCE_NOT_FOUND" "What the request names does not exist, such as a user's credential."
        | 92s -> definite "DUPLICATE_RESOURCE" "The request names the same thing twice."
        | 93s -> definite "UNACCEPTABLE_CREDENTIAL" "The user name, mechanism, iterations or salt of a credential is not allowed."
        | 94s -> definite "INCONSISTENT_VOTER_SET" "In the metadata quorum: sender or receiver is not among the voters the other expects."
        | 95s -> definite "INVALID_UPDATE_VERSION" "The feature level is one that not every node supports, or may not be reached like this."
        | 96s -> definite "FEATURE_UPDATE_FAILED" "The cluster could not change its feature levels."
        | 97s -> definite "PRINCIPAL_DESERIALIZATION_FAILURE" "The controller cannot read whom a forwarded request is from."
        | 98s -> definite "SNAPSHOT_NOT_FOUND" "There is no such snapshot of the metadata log."
        | 99s -> definite "POSITION_OUT_OF_RANGE" "The position is outside the snapshot."
        | 100s -> retriable "UNKNOWN_TOPIC_ID" "The broker has no topic with this id; refresh the metadata."
        | 101s -> definite "DUPLICATE_BROKER_REGISTRATION" "Another running broker is registered with this id."
        | 102s -> definite "BROKER_ID_NOT_REGISTERED" "No broker is registered with this id."
        | 103s -> retriable "INCONSISTENT_TOPIC_ID" "The log belongs to a topic with another id; refresh the metadata."
        | 104s -> definite "INCONSISTENT_CLUSTER_ID" "The request is meant for another cluster."
        | 105s -> definite "TRANSACTIONAL_ID_NOT_FOUND" "The coordinator has no such transactional id."
        | 106s ->
            retriable "FETCH_SESSION_TOPIC_ID_ERROR" "The fetch session mixes topic names and topic ids; begin a new one with a full fetch."
        | 107s -> definite "INELIGIBLE_REPLICA" "Between leader and controller: a replica that may not be in sync is said to be."
        | 108s -> definite "NEW_LEADER_ELECTED" "Between leader and controller: the change is made, and the leader is now another."
        | 109s -> definite "OFFSET_MOVED_TO_TIERED_STORAGE" "Between replicas: the records at this offset are in tiered storage only."
        | 110s -> definite "FENCED_MEMBER_EPOCH" "The coordinator refuses the member's epoch; give up all partitions and join again."
        | 111s -> definite "UNRELEASED_INSTANCE_ID" "Another member uses the group instance id and has to leave first."
        | 112s -> definite "UNSUPPORTED_ASSIGNOR" "The coordinator does not have the assignor that the member asks for."
        | 113s -> definite "STALE_MEMBER_EPOCH" "The member's epoch is behind the group's; try again with the next heartbeat's."
        | 114s -> definite "MISMATCHED_ENDPOINT_TYPE" "A broker was asked what only a controller answers, or the other way round."
        | 115s -> definite "UNSUPPORTED_ENDPOINT_TYPE" "This type of endpoint cannot be asked for here."
        | 116s -> definite "UNKNOWN_CONTROLLER_ID" "The cluster has no controller with this id."
        | 117s -> definite "UNKNOWN_SUBSCRIPTION_ID" "The telemetry subscription has changed; ask GetTelemetrySubscriptions again."
        | 118s -> definite "TELEMETRY_TOO_LARGE" "The metrics pushed are more than the broker accepts at once."
        | 119s -> definite "INVALID_REGISTRATION" "The controller refuses the registration, as what it says cannot be right."
        | 120s -> definite "TRANSACTION_ABORTABLE" "The transaction cannot be completed; abort it, and the producer can go on."
        | 121s -> definite "INVALID_RECORD_STATE" "The records are not the member's to acknowledge, perhaps since its lock on them ran out."
        | 122s -> retriable "SHARE_SESSION_NOT_FOUND" "The broker has dropped the share session; begin a new one."
        | 123s -> retriable "INVALID_SHARE_SESSION_EPOCH" "The share session's epoch is not the one due; begin a new one."
        | 124s -> definite "FENCED_STATE_EPOCH" "Between brokers: the share partition's state epoch is older than the coordinator's."
        | 125s -> definite "INVALID_VOTER_KEY" "In the metadata quorum: the request is meant for a voter with another directory id."
        | 126s -> definite "DUPLICATE_VOTER" "The node is among the voters of the metadata quorum already."
        | 127s -> definite "VOTER_NOT_FOUND" "The node is not among the voters of the metadata quorum."
        | 128s -> definite "INVALID_REGULAR_EXPRESSION" "The regular expression of the subscription cannot be understood."
        | 129s -> definite "REBOOTSTRAP_REQUIRED" "What the client knows of the cluster is too old; start anew from the bootstrap brokers."
        | 130s -> definite "STREAMS_INVALID_TOPOLOGY" "The Streams topology cannot be run as it was sent."
        | 131s -> definite "STREAMS_INVALID_TOPOLOGY_EPOCH" "The epoch of the Streams topology is not one that the group can take."
        | 132s -> definite "STREAMS_TOPOLOGY_FENCED" "The epoch of the Streams topology is older than the group's."
        | 133s -> retriable "SHARE_SESSION_LIMIT_REACHED" "The broker has as many share sessions as it may; try again later."
        | 134s -> definite "GROUP_DELETION_FAILED" "The group could not be deleted with all that belongs to it."
        | 135s ->
            definite "STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED" "The broker did not take over the description of the Streams topology."
        | 136s -> definite "CONTROLLER_ID_NOT_REGISTERED" "No controller is registered with this id."
        | _ -> definite "" ""

/// What a broker says of a request, or of a part of it: zero where all went well. An error is data like any other and never thrown;
/// a code that is not known here stays itself.
[<Struct>]
type ErrorCode(code: int16) =
    /// The number on the wire.
    member _.Code = code
    /// The broker failed in a way that it has no code for; its log says more.
    static member UnknownServerError = ErrorCode(-1s)
    /// No error.
    static member None = ErrorCode 0s
    /// The offset is before the log's start or after its end; ask ListOffsets for a valid one.
    static member OffsetOutOfRange = ErrorCode 1s
    /// A record batch has a wrong checksum or size, or is otherwise damaged.
    static member CorruptMessage = ErrorCode 2s
    /// The broker has no such topic or partition; refresh the metadata.
    static member UnknownTopicOrPartition = ErrorCode 3s
    /// The fetch asks for an impossible number of bytes.
    static member InvalidFetchSize = ErrorCode 4s
    /// The partition has no leader while one is elected; refresh the metadata and try again.
    static member LeaderNotAvailable = ErrorCode 5s
    /// The broker asked does not lead or follow the partition; refresh the metadata.
    static member NotLeaderOrFollower = ErrorCode 6s
    /// The broker did not finish within the request's time; it may still have had its effect.
    static member RequestTimedOut = ErrorCode 7s
    /// The broker is down or does not serve requests yet.
    static member BrokerNotAvailable = ErrorCode 8s
    /// The broker should have a replica of the partition and does not have it ready.
    static member ReplicaNotAvailable = ErrorCode 9s
    /// A record batch is larger than the topic accepts (max.message.bytes); send smaller ones.
    static member MessageTooLarge = ErrorCode 10s
    /// Between brokers: the request comes from a controller that has been replaced.
    static member StaleControllerEpoch = ErrorCode 11s
    /// The note with a committed offset is longer than allowed (offset.metadata.max.bytes).
    static member OffsetMetadataTooLarge = ErrorCode 12s
    /// The connection broke before an answer came; whether the request had its effect is not known.
    static member NetworkException = ErrorCode 13s
    /// The coordinator is still reading its state from the log; try again shortly.
    static member CoordinatorLoadInProgress = ErrorCode 14s
    /// No coordinator is ready for this group or transactional id; ask FindCoordinator again.
    static member CoordinatorNotAvailable = ErrorCode 15s
    /// The broker asked is not the coordinator; ask FindCoordinator which one is.
    static member NotCoordinator = ErrorCode 16s
    /// The topic's name is not allowed, or the topic is internal and not open to this request.
    static member InvalidTopicException = ErrorCode 17s
    /// The batches are together larger than a log segment may be; send less at once.
    static member RecordListTooLarge = ErrorCode 18s
    /// Fewer replicas are in sync than acks = all needs; nothing was written, try again.
    static member NotEnoughReplicas = ErrorCode 19s
    /// Written, but to fewer in-sync replicas than needed; sending again may duplicate.
    static member NotEnoughReplicasAfterAppend = ErrorCode 20s
    /// The acks of a produce request are none of 0, 1 and -1.
    static member InvalidRequiredAcks = ErrorCode 21s
    /// The group has moved on to another generation; join it again.
    static member IllegalGeneration = ErrorCode 22s
    /// The member shares no protocol type or assignment strategy with the rest of the group.
    static member InconsistentGroupProtocol = ErrorCode 23s
    /// The group id is empty or otherwise not allowed.
    static member InvalidGroupId = ErrorCode 24s
    /// The group has no such member, perhaps since its heartbeats stopped; join as a new one.
    static member UnknownMemberId = ErrorCode 25s
    /// The session timeout is outside the limits set on the broker (group.*.session.timeout.ms).
    static member InvalidSessionTimeout = ErrorCode 26s
    /// The group is dividing its partitions anew; join it again.
    static member RebalanceInProgress = ErrorCode 27s
    /// An offset with its metadata is too large to be stored.
    static member InvalidCommitOffsetSize = ErrorCode 28s
    /// The client's principal may not do this to the topic.
    static member TopicAuthorizationFailed = ErrorCode 29s
    /// The client's principal may not do this to the group.
    static member GroupAuthorizationFailed = ErrorCode 30s
    /// The client's principal may not do this to the cluster.
    static member ClusterAuthorizationFailed = ErrorCode 31s
    /// A record's timestamp is further from the broker's clock than the topic allows.
    static member InvalidTimestamp = ErrorCode 32s
    /// The broker does not offer this SASL mechanism; its answer lists those it does.
    static member UnsupportedSaslMechanism = ErrorCode 33s
    /// The request does not fit the point that authentication has reached.
    static member IllegalSaslState = ErrorCode 34s
    /// The broker does not know this version of the API; ask ApiVersions for those it knows.
    static member UnsupportedVersion = ErrorCode 35s
    /// A topic of this name exists already.
    static member TopicAlreadyExists = ErrorCode 36s
    /// The number of partitions is below one, or not above what the topic has already.
    static member InvalidPartitions = ErrorCode 37s
    /// The replication factor is below one or above the number of brokers.
    static member InvalidReplicationFactor = ErrorCode 38s
    /// The replicas given for the partitions are unknown, repeated or incomplete.
    static member InvalidReplicaAssignment = ErrorCode 39s
    /// A configuration has an unknown name or a value that is not allowed.
    static member InvalidConfig = ErrorCode 40s
    /// The broker asked is not the active controller; look it up in the metadata and ask it.
    static member NotController = ErrorCode 41s
    /// The request breaks a rule of its API or contradicts itself.
    static member InvalidRequest = ErrorCode 42s
    /// The log is in a record format too old for what is asked.
    static member UnsupportedForMessageFormat = ErrorCode 43s
    /// A policy set by those who run the cluster forbids it.
    static member PolicyViolation = ErrorCode 44s
    /// The batch does not follow the last one that the broker has from this producer.
    static member OutOfOrderSequenceNumber = ErrorCode 45s
    /// The broker has the batch already, too far back to tell its offset; it counts as written.
    static member DuplicateSequenceNumber = ErrorCode 46s
    /// The producer's epoch is older than the broker's: another one with its id was started.
    static member InvalidProducerEpoch = ErrorCode 47s
    /// The transaction's state does not allow the request.
    static member InvalidTxnState = ErrorCode 48s
    /// The producer id is not the one that belongs to the transactional id.
    static member InvalidProducerIdMapping = ErrorCode 49s
    /// The transaction timeout is longer than allowed (transaction.max.timeout.ms).
    static member InvalidTransactionTimeout = ErrorCode 50s
    /// The transactional id is still busy with its last change; try again shortly.
    static member ConcurrentTransactions = ErrorCode 51s
    /// Between brokers: the marker comes from a coordinator that has been replaced.
    static member TransactionCoordinatorFenced = ErrorCode 52s
    /// The client's principal may not use the transactional id.
    static member TransactionalIdAuthorizationFailed = ErrorCode 53s
    /// The cluster runs without the security feature asked for.
    static member SecurityDisabled = ErrorCode 54s
    /// This part of the request was not tried, since another part failed.
    static member OperationNotAttempted = ErrorCode 55s
    /// The disk with the log is unusable; another broker may lead soon, refresh the metadata.
    static member KafkaStorageError = ErrorCode 56s
    /// The broker has no such log directory.
    static member LogDirNotFound = ErrorCode 57s
    /// The broker did not accept the credentials.
    static member SaslAuthenticationFailed = ErrorCode 58s
    /// The broker has forgotten the producer, as none of its records remain in the log.
    static member UnknownProducerId = ErrorCode 59s
    /// The partition is already on its way to other brokers.
    static member ReassignmentInProgress = ErrorCode 60s
    /// The cluster is not set up for delegation tokens.
    static member DelegationTokenAuthDisabled = ErrorCode 61s
    /// The cluster has no such delegation token.
    static member DelegationTokenNotFound = ErrorCode 62s
    /// The client's principal is neither owner nor renewer of the delegation token.
    static member DelegationTokenOwnerMismatch = ErrorCode 63s
    /// Only a connection that authenticated without a token may ask for one.
    static member DelegationTokenRequestNotAllowed = ErrorCode 64s
    /// The client's principal may not do this to the delegation token.
    static member DelegationTokenAuthorizationFailed = ErrorCode 65s
    /// The delegation token has expired; ask for a new one.
    static member DelegationTokenExpired = ErrorCode 66s
    /// The type of a principal is not one that the cluster supports.
    static member InvalidPrincipalType = ErrorCode 67s
    /// The group still has members.
    static member NonEmptyGroup = ErrorCode 68s
    /// The cluster has no such group.
    static member GroupIdNotFound = ErrorCode 69s
    /// The broker has dropped the fetch session; begin a new one with a full fetch.
    static member FetchSessionIdNotFound = ErrorCode 70s
    /// The fetch session's epoch is not the one due; begin a new one with a full fetch.
    static member InvalidFetchSessionEpoch = ErrorCode 71s
    /// The leader has no listener like the one that the client is connected to.
    static member ListenerNotFound = ErrorCode 72s
    /// Topics may not be deleted on this cluster (delete.topic.enable).
    static member TopicDeletionDisabled = ErrorCode 73s
    /// The leader epoch is older than the broker's; refresh the metadata.
    static member FencedLeaderEpoch = ErrorCode 74s
    /// The leader epoch is newer than the broker's, which will hear of it; try again shortly.
    static member UnknownLeaderEpoch = ErrorCode 75s
    /// The batch's codec is too new for the version of the request or the log.
    static member UnsupportedCompressionType = ErrorCode 76s
    /// Between brokers and controller: the sender has registered anew since.
    static member StaleBrokerEpoch = ErrorCode 77s
    /// The new leader does not know yet how far its log is committed; try again shortly.
    static member OffsetNotAvailable = ErrorCode 78s
    /// The first answer to a new member; join again with the member id in it.
    static member MemberIdRequired = ErrorCode 79s
    /// The replica that should lead by preference is offline or out of sync.
    static member PreferredLeaderNotAvailable = ErrorCode 80s
    /// The group has as many members as it may (group.max.size).
    static member GroupMaxSizeReached = ErrorCode 81s
    /// Another member has taken over this group instance id; stop.
    static member FencedInstanceId = ErrorCode 82s
    /// None of the replicas that may lead the partition is available.
    static member EligibleLeadersNotAvailable = ErrorCode 83s
    /// The partition has the leader already that an election would give it.
    static member ElectionNotNeeded = ErrorCode 84s
    /// The partition is not on its way to other brokers.
    static member NoReassignmentInProgress = ErrorCode 85s
    /// The group is subscribed to the topic, so these offsets stay.
    static member GroupSubscribedToTopic = ErrorCode 86s
    /// The broker refuses a record, such as one with no key for a compacted topic.
    static member InvalidRecord = ErrorCode 87s
    /// A transaction has yet to decide the offset; try again when it has ended.
    static member UnstableOffsetCommit = ErrorCode 88s
    /// Topics or partitions change faster than the quota allows; wait for the throttle time.
    static member ThrottlingQuotaExceeded = ErrorCode 89s
    /// A newer producer has taken over the transactional id; this one must stop.
    static member ProducerFenced = ErrorCode 90s
    /// What the request names does not exist, such as a user's credential.
    static member ResourceNotFound = ErrorCode 91s
    /// The request names the same thing twice.
    static member DuplicateResource = ErrorCode 92s
    /// The user name, mechanism, iterations or salt of a credential is not allowed.
    static member UnacceptableCredential = ErrorCode 93s
    /// In the metadata quorum: sender or receiver is not among the voters the other expects.
    static member InconsistentVoterSet = ErrorCode 94s
    /// The feature level is one that not every node supports, or may not be reached like this.
    static member InvalidUpdateVersion = ErrorCode 95s
    /// The cluster could not change its feature levels.
    static member FeatureUpdateFailed = ErrorCode 96s
    /// The controller cannot read whom a forwarded request is from.
    static member PrincipalDeserializationFailure = ErrorCode 97s
    /// There is no such snapshot of the metadata log.
    static member SnapshotNotFound = ErrorCode 98s
    /// The position is outside the snapshot.
    static member PositionOutOfRange = ErrorCode 99s
    /// The broker has no topic with this id; refresh the metadata.
    static member UnknownTopicId = ErrorCode 100s
    /// Another running broker is registered with this id.
    static member DuplicateBrokerRegistration = ErrorCode 101s
    /// No broker is registered with this id.
    static member BrokerIdNotRegistered = ErrorCode 102s
    /// The log belongs to a topic with another id; refresh the metadata.
    static member InconsistentTopicId = ErrorCode 103s
    /// The request is meant for another cluster.
    static member InconsistentClusterId = ErrorCode 104s
    /// The coordinator has no such transactional id.
    static member TransactionalIdNotFound = ErrorCode 105s
    /// The fetch session mixes topic names and topic ids; begin a new one with a full fetch.
    static member FetchSessionTopicIdError = ErrorCode 106s
    /// Between leader and controller: a replica that may not be in sync is said to be.
    static member IneligibleReplica = ErrorCode 107s
    /// Between leader and controller: the change is made, and the leader is now another.
    static member NewLeaderElected = ErrorCode 108s
    /// Between replicas: the records at this offset are in tiered storage only.
    static member OffsetMovedToTieredStorage = ErrorCode 109s
    /// The coordinator refuses the member's epoch; give up all partitions and join again.
    static member FencedMemberEpoch = ErrorCode 110s
    /// Another member uses the group instance id and has to leave first.
    static member UnreleasedInstanceId = ErrorCode 111s
    /// The coordinator does not have the assignor that the member asks for.
    static member UnsupportedAssignor = ErrorCode 112s
    /// The member's epoch is behind the group's; try again with the next heartbeat's.
    static member StaleMemberEpoch = ErrorCode 113s
    /// A broker was asked what only a controller answers, or the other way round.
    static member MismatchedEndpointType = ErrorCode 114s
    /// This type of endpoint cannot be asked for here.
    static member UnsupportedEndpointType = ErrorCode 115s
    /// The cluster has no controller with this id.
    static member UnknownControllerId = ErrorCode 116s
    /// The telemetry subscription has changed; ask GetTelemetrySubscriptions again.
    static member UnknownSubscriptionId = ErrorCode 117s
    /// The metrics pushed are more than the broker accepts at once.
    static member TelemetryTooLarge = ErrorCode 118s
    /// The controller refuses the registration, as what it says cannot be right.
    static member InvalidRegistration = ErrorCode 119s
    /// The transaction cannot be completed; abort it, and the producer can go on.
    static member TransactionAbortable = ErrorCode 120s
    /// The records are not the member's to acknowledge, perhaps since its lock on them ran out.
    static member InvalidRecordState = ErrorCode 121s
    /// The broker has dropped the share session; begin a new one.
    static member ShareSessionNotFound = ErrorCode 122s
    /// The share session's epoch is not the one due; begin a new one.
    static member InvalidShareSessionEpoch = ErrorCode 123s
    /// Between brokers: the share partition's state epoch is older than the coordinator's.
    static member FencedStateEpoch = ErrorCode 124s
    /// In the metadata quorum: the request is meant for a voter with another directory id.
    static member InvalidVoterKey = ErrorCode 125s
    /// The node is among the voters of the metadata quorum already.
    static member DuplicateVoter = ErrorCode 126s
    /// The node is not among the voters of the metadata quorum.
    static member VoterNotFound = ErrorCode 127s
    /// The regular expression of the subscription cannot be understood.
    static member InvalidRegularExpression = ErrorCode 128s
    /// What the client knows of the cluster is too old; start anew from the bootstrap brokers.
    static member RebootstrapRequired = ErrorCode 129s
    /// The Streams topology cannot be run as it was sent.
    static member StreamsInvalidTopology = ErrorCode 130s
    /// The epoch of the Streams topology is not one that the group can take.
    static member StreamsInvalidTopologyEpoch = ErrorCode 131s
    /// The epoch of the Streams topology is older than the group's.
    static member StreamsTopologyFenced = ErrorCode 132s
    /// The broker has as many share sessions as it may; try again later.
    static member ShareSessionLimitReached = ErrorCode 133s
    /// The group could not be deleted with all that belongs to it.
    static member GroupDeletionFailed = ErrorCode 134s
    /// The broker did not take over the description of the Streams topology.
    static member StreamsTopologyDescriptionUpdateFailed = ErrorCode 135s
    /// No controller is registered with this id.
    static member ControllerIdNotRegistered = ErrorCode 136s

    /// The name in Kafka's documentation, such as `NOT_LEADER_OR_FOLLOWER`; empty where the code is not known.
    member _.Name = (Errors.row code).Name

    /// Whether Kafka holds that the same request may succeed later, perhaps with fresh metadata or on another broker. Not for a code
    /// that is not known.
    member _.IsRetriable = (Errors.row code).IsRetriable

    /// What it means, in a line; empty where the code is not known.
    member _.Description = (Errors.row code).Description

    /// Whether it is an error at all: anything but `None`.
    member _.IsError = code <> 0s

    /// The name and the number: `NOT_LEADER_OR_FOLLOWER (6)`; without a name `ErrorCode 999`.
    override this.ToString() =
        match this.Name with
        | "" -> Code.unnamed "ErrorCode" (int64 code)
        | name -> name + " (" + code.ToString CultureInfo.InvariantCulture + ")"

    static member op_Equality(a: ErrorCode, b: ErrorCode) = a.Code = b.Code
    static member op_Inequality(a: ErrorCode, b: ErrorCode) = a.Code <> b.Code
