namespace LibKafka.Protocol

open System.Globalization

/// The text of codes.
[<RequireQualifiedAccess>]
module internal Code =

    /// `IsolationLevel 7`
    let unnamed (kind: string) (code: int64) = kind + " " + code.ToString CultureInfo.InvariantCulture

    /// The name, or `IsolationLevel 7` if there is none.
    let text (kind: string) (name: string) (code: int64) = if name = "" then unnamed kind code else name

namespace LibKafka

open System
open System.Globalization
open LibKafka.Wire
open LibKafka.Protocol

/// The error of a request or of a part of it. An error code is data and is never thrown. `Description` says what each one means. A code
/// that is not known here is kept as it is.
[<Struct>]
type ErrorCode(code: int16) =

    /// The number on the wire.
    member _.Code = code

    /// The broker failed in a way for which there is no code. Its log says more.
    static member UnknownServerError = ErrorCode(-1s)

    /// No error.
    static member None = ErrorCode 0s

    /// The offset is before the log start offset or after the log end offset. Ask ListOffsets for a valid one.
    static member OffsetOutOfRange = ErrorCode 1s

    /// A record batch has a wrong checksum or size, or is otherwise corrupt. Try again: it may have been damaged on its way.
    static member CorruptMessage = ErrorCode 2s

    /// The broker does not have the topic or the partition. Refresh the metadata.
    static member UnknownTopicOrPartition = ErrorCode 3s

    /// The fetch asks for an invalid number of bytes. Correct its limits.
    static member InvalidFetchSize = ErrorCode 4s

    /// The partition has no leader yet. Refresh the metadata and try again.
    static member LeaderNotAvailable = ErrorCode 5s

    /// The broker neither leads nor follows the partition. Refresh the metadata.
    static member NotLeaderOrFollower = ErrorCode 6s

    /// The broker did not finish within the request's timeout. The request may still take effect.
    static member RequestTimedOut = ErrorCode 7s

    /// The broker is down or not ready. Ask another one.
    static member BrokerNotAvailable = ErrorCode 8s

    /// The broker's replica of the partition is not available. Try again, or ask the leader.
    static member ReplicaNotAvailable = ErrorCode 9s

    /// A record batch is larger than the topic allows (max.message.bytes). Send smaller ones.
    static member MessageTooLarge = ErrorCode 10s

    /// Between brokers: the request comes from a controller that has been replaced.
    static member StaleControllerEpoch = ErrorCode 11s

    /// The metadata of a committed offset is longer than allowed (offset.metadata.max.bytes). Commit shorter metadata.
    static member OffsetMetadataTooLarge = ErrorCode 12s

    /// The connection broke before a response arrived. It is unknown whether the request took effect.
    static member NetworkException = ErrorCode 13s

    /// The coordinator is still loading its state. Try again shortly.
    static member CoordinatorLoadInProgress = ErrorCode 14s

    /// The coordinator is not available. Ask FindCoordinator again.
    static member CoordinatorNotAvailable = ErrorCode 15s

    /// The broker is not the coordinator. Ask FindCoordinator which broker is.
    static member NotCoordinator = ErrorCode 16s

    /// The topic name is invalid, or the topic is internal and does not allow the request.
    static member InvalidTopicException = ErrorCode 17s

    /// The record batches together exceed the size of a log segment. Send less at once.
    static member RecordListTooLarge = ErrorCode 18s

    /// Fewer replicas are in sync than acks = all requires. Nothing was written. Try again.
    static member NotEnoughReplicas = ErrorCode 19s

    /// The batch was written, but fewer replicas are in sync than acks = all requires. Sending it again may duplicate it.
    static member NotEnoughReplicasAfterAppend = ErrorCode 20s

    /// The acks of the produce request are not 0, 1 or -1.
    static member InvalidRequiredAcks = ErrorCode 21s

    /// The group has moved on to another generation. Join it again.
    static member IllegalGeneration = ErrorCode 22s

    /// The member shares no protocol type or no assignment strategy with the rest of the group. Add the assignor of the other members.
    static member InconsistentGroupProtocol = ErrorCode 23s

    /// The group id is empty or otherwise invalid. Set a valid one.
    static member InvalidGroupId = ErrorCode 24s

    /// The group has no such member, for example because its session timed out. Join as a new member.
    static member UnknownMemberId = ErrorCode 25s

    /// The session timeout is outside the broker's limits (group.*.session.timeout.ms). Set one within them.
    static member InvalidSessionTimeout = ErrorCode 26s

    /// The group is rebalancing. Join it again.
    static member RebalanceInProgress = ErrorCode 27s

    /// An offset with its metadata is too large to be stored. Commit shorter metadata.
    static member InvalidCommitOffsetSize = ErrorCode 28s

    /// The principal is not authorized for this operation on the topic. An ACL must allow it.
    static member TopicAuthorizationFailed = ErrorCode 29s

    /// The principal is not authorized for this operation on the group. An ACL must allow it.
    static member GroupAuthorizationFailed = ErrorCode 30s

    /// The principal is not authorized for this operation on the cluster. An ACL must allow it.
    static member ClusterAuthorizationFailed = ErrorCode 31s

    /// The timestamp of a record differs from the broker's clock by more than the topic allows (message.timestamp.before.max.ms and
    /// message.timestamp.after.max.ms).
    static member InvalidTimestamp = ErrorCode 32s

    /// The broker does not support the SASL mechanism. Its response lists those that it supports.
    static member UnsupportedSaslMechanism = ErrorCode 33s

    /// The request is invalid in the current state of the authentication.
    static member IllegalSaslState = ErrorCode 34s

    /// The broker does not support this version of the API. Ask ApiVersions for those that it supports.
    static member UnsupportedVersion = ErrorCode 35s

    /// A topic with this name already exists.
    static member TopicAlreadyExists = ErrorCode 36s

    /// The number of partitions is less than one, or not more than the topic already has.
    static member InvalidPartitions = ErrorCode 37s

    /// The replication factor is less than one or greater than the number of brokers.
    static member InvalidReplicationFactor = ErrorCode 38s

    /// The given replicas of a partition are unknown, repeated or incomplete.
    static member InvalidReplicaAssignment = ErrorCode 39s

    /// A config has an unknown name or an invalid value.
    static member InvalidConfig = ErrorCode 40s

    /// The broker is not the active controller. Look it up in the metadata and ask it.
    static member NotController = ErrorCode 41s

    /// The request breaks a rule of its API or contradicts itself. The broker's message or its log says how.
    static member InvalidRequest = ErrorCode 42s

    /// The log's record format (message.format.version) is too old for the request.
    static member UnsupportedForMessageFormat = ErrorCode 43s

    /// A policy of the cluster forbids the request. The broker's message says why.
    static member PolicyViolation = ErrorCode 44s

    /// The batch does not follow the last one that the broker has from this producer. Continue with a new producer epoch or id.
    static member OutOfOrderSequenceNumber = ErrorCode 45s

    /// The broker already has the batch, but no longer knows its offset. The batch counts as written.
    static member DuplicateSequenceNumber = ErrorCode 46s

    /// The producer's epoch is older than the broker's: another producer with its id was started. Stop, or ask InitProducerId for a new
    /// epoch.
    static member InvalidProducerEpoch = ErrorCode 47s

    /// The state of the transaction does not allow the request. Abort the transaction, or ask InitProducerId for a new epoch.
    static member InvalidTxnState = ErrorCode 48s

    /// The producer id does not belong to the transactional id. Ask InitProducerId for the one that does.
    static member InvalidProducerIdMapping = ErrorCode 49s

    /// The transaction timeout is longer than allowed (transaction.max.timeout.ms). Set a shorter one.
    static member InvalidTransactionTimeout = ErrorCode 50s

    /// The previous change to the transaction is still in progress. Try again shortly.
    static member ConcurrentTransactions = ErrorCode 51s

    /// Between brokers: the marker comes from a transaction coordinator that has been replaced.
    static member TransactionCoordinatorFenced = ErrorCode 52s

    /// The principal is not authorized for this operation on the transactional id. An ACL must allow it.
    static member TransactionalIdAuthorizationFailed = ErrorCode 53s

    /// The security feature is disabled on the cluster. ACLs need an authorizer (authorizer.class.name).
    static member SecurityDisabled = ErrorCode 54s

    /// This part of the request was not attempted because another part failed.
    static member OperationNotAttempted = ErrorCode 55s

    /// The disk of the log failed. Another broker may soon lead the partition: refresh the metadata.
    static member KafkaStorageError = ErrorCode 56s

    /// The broker does not have the log directory.
    static member LogDirNotFound = ErrorCode 57s

    /// The broker did not accept the credentials. Check the user and password, or the token.
    static member SaslAuthenticationFailed = ErrorCode 58s

    /// The broker no longer knows the producer, because none of its records remain in the log. Continue with a new producer epoch or id.
    static member UnknownProducerId = ErrorCode 59s

    /// A reassignment of the partition is already in progress. Wait until it ends, or cancel it.
    static member ReassignmentInProgress = ErrorCode 60s

    /// Delegation tokens are disabled on the cluster (delegation.token.secret.key).
    static member DelegationTokenAuthDisabled = ErrorCode 61s

    /// The cluster does not have the delegation token.
    static member DelegationTokenNotFound = ErrorCode 62s

    /// The principal is neither the owner nor a renewer of the delegation token.
    static member DelegationTokenOwnerMismatch = ErrorCode 63s

    /// Delegation tokens can be requested only on a connection that authenticated without one.
    static member DelegationTokenRequestNotAllowed = ErrorCode 64s

    /// The principal is not authorized for this operation on the delegation token.
    static member DelegationTokenAuthorizationFailed = ErrorCode 65s

    /// The delegation token has expired. Request a new one.
    static member DelegationTokenExpired = ErrorCode 66s

    /// The cluster does not support the type of the principal.
    static member InvalidPrincipalType = ErrorCode 67s

    /// The group still has members. Stop them first.
    static member NonEmptyGroup = ErrorCode 68s

    /// The group does not exist.
    static member GroupIdNotFound = ErrorCode 69s

    /// The broker has dropped the fetch session. Start a new one with a full fetch.
    static member FetchSessionIdNotFound = ErrorCode 70s

    /// The epoch of the fetch session is not the expected one. Start a new session with a full fetch.
    static member InvalidFetchSessionEpoch = ErrorCode 71s

    /// The leader has no listener that matches the one the client is connected to. Configure it on all brokers.
    static member ListenerNotFound = ErrorCode 72s

    /// Topic deletion is disabled on the cluster (delete.topic.enable).
    static member TopicDeletionDisabled = ErrorCode 73s

    /// The leader epoch is older than the broker's. Refresh the metadata.
    static member FencedLeaderEpoch = ErrorCode 74s

    /// The leader epoch is newer than the broker's, which has yet to learn of it. Try again shortly.
    static member UnknownLeaderEpoch = ErrorCode 75s

    /// The batch's compression type is too new for the version of the request or the log. Use another codec.
    static member UnsupportedCompressionType = ErrorCode 76s

    /// Between brokers and controller: the broker has registered again since.
    static member StaleBrokerEpoch = ErrorCode 77s

    /// The new leader does not know its high watermark yet. Try again shortly.
    static member OffsetNotAvailable = ErrorCode 78s

    /// The first response to a new member. Join again with the member id in it.
    static member MemberIdRequired = ErrorCode 79s

    /// The preferred leader is offline or out of sync.
    static member PreferredLeaderNotAvailable = ErrorCode 80s

    /// The group already has the maximum number of members (group.max.size).
    static member GroupMaxSizeReached = ErrorCode 81s

    /// Another member has taken over the group instance id. Stop.
    static member FencedInstanceId = ErrorCode 82s

    /// No eligible leader of the partition is available.
    static member EligibleLeadersNotAvailable = ErrorCode 83s

    /// The partition already has the leader that the election would choose.
    static member ElectionNotNeeded = ErrorCode 84s

    /// No reassignment of the partition is in progress.
    static member NoReassignmentInProgress = ErrorCode 85s

    /// The group is subscribed to the topic, so its offsets cannot be deleted.
    static member GroupSubscribedToTopic = ErrorCode 86s

    /// The broker rejects a record, such as one without a key for a compacted topic. The response names the records.
    static member InvalidRecord = ErrorCode 87s

    /// The offset depends on an open transaction. Try again after it has ended.
    static member UnstableOffsetCommit = ErrorCode 88s

    /// Topics or partitions are changed faster than the quota allows. Wait for the throttle time.
    static member ThrottlingQuotaExceeded = ErrorCode 89s

    /// A newer producer has taken over the transactional id. This one must stop.
    static member ProducerFenced = ErrorCode 90s

    /// The resource does not exist, such as the credential of a user.
    static member ResourceNotFound = ErrorCode 91s

    /// The request names the same resource twice.
    static member DuplicateResource = ErrorCode 92s

    /// The user name, mechanism, iterations or salt of a credential is not acceptable.
    static member UnacceptableCredential = ErrorCode 93s

    /// In the metadata quorum: the sender or the receiver is not among the expected voters.
    static member InconsistentVoterSet = ErrorCode 94s

    /// The feature level is not supported by every node, or cannot be reached by this kind of update.
    static member InvalidUpdateVersion = ErrorCode 95s

    /// The cluster failed to update its feature levels.
    static member FeatureUpdateFailed = ErrorCode 96s

    /// The controller cannot read the principal of a forwarded request.
    static member PrincipalDeserializationFailure = ErrorCode 97s

    /// The snapshot of the metadata log does not exist.
    static member SnapshotNotFound = ErrorCode 98s

    /// The position is outside the snapshot.
    static member PositionOutOfRange = ErrorCode 99s

    /// The broker does not have a topic with this id. Refresh the metadata.
    static member UnknownTopicId = ErrorCode 100s

    /// Another running broker is registered with this id.
    static member DuplicateBrokerRegistration = ErrorCode 101s

    /// No broker is registered with this id.
    static member BrokerIdNotRegistered = ErrorCode 102s

    /// The log belongs to a topic with another id. Refresh the metadata.
    static member InconsistentTopicId = ErrorCode 103s

    /// The request is for another cluster.
    static member InconsistentClusterId = ErrorCode 104s

    /// The coordinator does not have the transactional id.
    static member TransactionalIdNotFound = ErrorCode 105s

    /// The fetch session mixes topic names and topic ids. Start a new one with a full fetch.
    static member FetchSessionTopicIdError = ErrorCode 106s

    /// Between leader and controller: a replica in the new in-sync set is not eligible.
    static member IneligibleReplica = ErrorCode 107s

    /// Between leader and controller: the change was made and a new leader was elected.
    static member NewLeaderElected = ErrorCode 108s

    /// Between replicas: the records at this offset are only in tiered storage.
    static member OffsetMovedToTieredStorage = ErrorCode 109s

    /// The coordinator has fenced the member's epoch. Give up all partitions and join again.
    static member FencedMemberEpoch = ErrorCode 110s

    /// Another member still uses the group instance id and must leave first.
    static member UnreleasedInstanceId = ErrorCode 111s

    /// The coordinator does not have the requested assignor. Name one of group.consumer.assignors.
    static member UnsupportedAssignor = ErrorCode 112s

    /// The member's epoch is older than the group's. Try again with the epoch of the next heartbeat.
    static member StaleMemberEpoch = ErrorCode 113s

    /// A broker received a request for controllers, or a controller one for brokers.
    static member MismatchedEndpointType = ErrorCode 114s

    /// The type of endpoint is not supported for this request.
    static member UnsupportedEndpointType = ErrorCode 115s

    /// The cluster has no controller with this id.
    static member UnknownControllerId = ErrorCode 116s

    /// The telemetry subscription has changed. Ask GetTelemetrySubscriptions again.
    static member UnknownSubscriptionId = ErrorCode 117s

    /// The metrics are larger than the broker accepts in one request (telemetry.max.bytes).
    static member TelemetryTooLarge = ErrorCode 118s

    /// The controller rejects the registration as invalid.
    static member InvalidRegistration = ErrorCode 119s

    /// The transaction cannot be completed. Abort it, then the producer can continue.
    static member TransactionAbortable = ErrorCode 120s

    /// The member cannot acknowledge the records, for example because its acquisition lock has expired.
    static member InvalidRecordState = ErrorCode 121s

    /// The broker has dropped the share session. Start a new one.
    static member ShareSessionNotFound = ErrorCode 122s

    /// The epoch of the share session is not the expected one. Start a new session.
    static member InvalidShareSessionEpoch = ErrorCode 123s

    /// Between brokers: the state epoch of the share partition is older than the coordinator's.
    static member FencedStateEpoch = ErrorCode 124s

    /// In the metadata quorum: the request is for a voter with another directory id.
    static member InvalidVoterKey = ErrorCode 125s

    /// The node is already a voter of the metadata quorum.
    static member DuplicateVoter = ErrorCode 126s

    /// The node is not a voter of the metadata quorum.
    static member VoterNotFound = ErrorCode 127s

    /// The regular expression of the subscription is invalid. Brokers read the syntax of RE2/J.
    static member InvalidRegularExpression = ErrorCode 128s

    /// The client's metadata is too old. Start again from the bootstrap brokers.
    static member RebootstrapRequired = ErrorCode 129s

    /// The Streams topology is invalid.
    static member StreamsInvalidTopology = ErrorCode 130s

    /// The epoch of the Streams topology is invalid for the group.
    static member StreamsInvalidTopologyEpoch = ErrorCode 131s

    /// The epoch of the Streams topology is older than the group's.
    static member StreamsTopologyFenced = ErrorCode 132s

    /// The broker has the maximum number of share sessions. Try again later.
    static member ShareSessionLimitReached = ErrorCode 133s

    /// The group could not be deleted completely.
    static member GroupDeletionFailed = ErrorCode 134s

    /// The broker failed to update the description of the Streams topology.
    static member StreamsTopologyDescriptionUpdateFailed = ErrorCode 135s

    /// No controller is registered with this id.
    static member ControllerIdNotRegistered = ErrorCode 136s

    /// The name in Kafka's documentation, such as `NOT_LEADER_OR_FOLLOWER`. It is empty if the code is not known.
    member _.Name = (ErrorTable.find code).Name

    /// Whether Kafka says that the same request may succeed later, possibly after a refresh of the metadata or on another broker. False if
    /// the code is not known.
    member _.IsRetriable = (ErrorTable.find code).IsRetriable

    /// What the error means and what to do, in a sentence or two. It is empty if the code is not known.
    member _.Description = (ErrorTable.find code).Description

    /// The code with the broker's own message or, without one, with its description, in one line.
    member this.Explain(message: string | null) : string =
        let reason = if String.IsNullOrEmpty message then this.Description else nonNull message
        if reason = "" then this.ToString() else OneLine.ofText (this.ToString() + ": " + reason)

    /// True for every code except `None`.
    member _.IsError = code <> 0s

    /// The name and the number: `NOT_LEADER_OR_FOLLOWER (6)`. Without a name: `ErrorCode 999`.
    override this.ToString() =
        match this.Name with
        | "" -> Code.unnamed "ErrorCode" (int64 code)
        | name -> name + " (" + code.ToString CultureInfo.InvariantCulture + ")"

    static member op_Equality(a: ErrorCode, b: ErrorCode) = a.Code = b.Code
    static member op_Inequality(a: ErrorCode, b: ErrorCode) = a.Code <> b.Code
