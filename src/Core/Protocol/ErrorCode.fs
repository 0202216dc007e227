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

open System.Globalization
open LibKafka.Protocol

/// The error of a request or of a part of it. An error code is data and is never thrown. `Description` says what each one means. A code
/// that is not known here is kept as it is.
[<Struct>]
type ErrorCode(code: int16) =

    /// The number on the wire.
    member _.Code = code

    static member UnknownServerError = ErrorCode(-1s)
    static member None = ErrorCode 0s
    static member OffsetOutOfRange = ErrorCode 1s
    static member CorruptMessage = ErrorCode 2s
    static member UnknownTopicOrPartition = ErrorCode 3s
    static member InvalidFetchSize = ErrorCode 4s
    static member LeaderNotAvailable = ErrorCode 5s
    static member NotLeaderOrFollower = ErrorCode 6s
    static member RequestTimedOut = ErrorCode 7s
    static member BrokerNotAvailable = ErrorCode 8s
    static member ReplicaNotAvailable = ErrorCode 9s
    static member MessageTooLarge = ErrorCode 10s
    static member StaleControllerEpoch = ErrorCode 11s
    static member OffsetMetadataTooLarge = ErrorCode 12s
    static member NetworkException = ErrorCode 13s
    static member CoordinatorLoadInProgress = ErrorCode 14s
    static member CoordinatorNotAvailable = ErrorCode 15s
    static member NotCoordinator = ErrorCode 16s
    static member InvalidTopicException = ErrorCode 17s
    static member RecordListTooLarge = ErrorCode 18s
    static member NotEnoughReplicas = ErrorCode 19s
    static member NotEnoughReplicasAfterAppend = ErrorCode 20s
    static member InvalidRequiredAcks = ErrorCode 21s
    static member IllegalGeneration = ErrorCode 22s
    static member InconsistentGroupProtocol = ErrorCode 23s
    static member InvalidGroupId = ErrorCode 24s
    static member UnknownMemberId = ErrorCode 25s
    static member InvalidSessionTimeout = ErrorCode 26s
    static member RebalanceInProgress = ErrorCode 27s
    static member InvalidCommitOffsetSize = ErrorCode 28s
    static member TopicAuthorizationFailed = ErrorCode 29s
    static member GroupAuthorizationFailed = ErrorCode 30s
    static member ClusterAuthorizationFailed = ErrorCode 31s
    static member InvalidTimestamp = ErrorCode 32s
    static member UnsupportedSaslMechanism = ErrorCode 33s
    static member IllegalSaslState = ErrorCode 34s
    static member UnsupportedVersion = ErrorCode 35s
    static member TopicAlreadyExists = ErrorCode 36s
    static member InvalidPartitions = ErrorCode 37s
    static member InvalidReplicationFactor = ErrorCode 38s
    static member InvalidReplicaAssignment = ErrorCode 39s
    static member InvalidConfig = ErrorCode 40s
    static member NotController = ErrorCode 41s
    static member InvalidRequest = ErrorCode 42s
    static member UnsupportedForMessageFormat = ErrorCode 43s
    static member PolicyViolation = ErrorCode 44s
    static member OutOfOrderSequenceNumber = ErrorCode 45s
    static member DuplicateSequenceNumber = ErrorCode 46s
    static member InvalidProducerEpoch = ErrorCode 47s
    static member InvalidTxnState = ErrorCode 48s
    static member InvalidProducerIdMapping = ErrorCode 49s
    static member InvalidTransactionTimeout = ErrorCode 50s
    static member ConcurrentTransactions = ErrorCode 51s
    static member TransactionCoordinatorFenced = ErrorCode 52s
    static member TransactionalIdAuthorizationFailed = ErrorCode 53s
    static member SecurityDisabled = ErrorCode 54s
    static member OperationNotAttempted = ErrorCode 55s
    static member KafkaStorageError = ErrorCode 56s
    static member LogDirNotFound = ErrorCode 57s
    static member SaslAuthenticationFailed = ErrorCode 58s
    static member UnknownProducerId = ErrorCode 59s
    static member ReassignmentInProgress = ErrorCode 60s
    static member DelegationTokenAuthDisabled = ErrorCode 61s
    static member DelegationTokenNotFound = ErrorCode 62s
    static member DelegationTokenOwnerMismatch = ErrorCode 63s
    static member DelegationTokenRequestNotAllowed = ErrorCode 64s
    static member DelegationTokenAuthorizationFailed = ErrorCode 65s
    static member DelegationTokenExpired = ErrorCode 66s
    static member InvalidPrincipalType = ErrorCode 67s
    static member NonEmptyGroup = ErrorCode 68s
    static member GroupIdNotFound = ErrorCode 69s
    static member FetchSessionIdNotFound = ErrorCode 70s
    static member InvalidFetchSessionEpoch = ErrorCode 71s
    static member ListenerNotFound = ErrorCode 72s
    static member TopicDeletionDisabled = ErrorCode 73s
    static member FencedLeaderEpoch = ErrorCode 74s
    static member UnknownLeaderEpoch = ErrorCode 75s
    static member UnsupportedCompressionType = ErrorCode 76s
    static member StaleBrokerEpoch = ErrorCode 77s
    static member OffsetNotAvailable = ErrorCode 78s
    static member MemberIdRequired = ErrorCode 79s
    static member PreferredLeaderNotAvailable = ErrorCode 80s
    static member GroupMaxSizeReached = ErrorCode 81s
    static member FencedInstanceId = ErrorCode 82s
    static member EligibleLeadersNotAvailable = ErrorCode 83s
    static member ElectionNotNeeded = ErrorCode 84s
    static member NoReassignmentInProgress = ErrorCode 85s
    static member GroupSubscribedToTopic = ErrorCode 86s
    static member InvalidRecord = ErrorCode 87s
    static member UnstableOffsetCommit = ErrorCode 88s
    static member ThrottlingQuotaExceeded = ErrorCode 89s
    static member ProducerFenced = ErrorCode 90s
    static member ResourceNotFound = ErrorCode 91s
    static member DuplicateResource = ErrorCode 92s
    static member UnacceptableCredential = ErrorCode 93s
    static member InconsistentVoterSet = ErrorCode 94s
    static member InvalidUpdateVersion = ErrorCode 95s
    static member FeatureUpdateFailed = ErrorCode 96s
    static member PrincipalDeserializationFailure = ErrorCode 97s
    static member SnapshotNotFound = ErrorCode 98s
    static member PositionOutOfRange = ErrorCode 99s
    static member UnknownTopicId = ErrorCode 100s
    static member DuplicateBrokerRegistration = ErrorCode 101s
    static member BrokerIdNotRegistered = ErrorCode 102s
    static member InconsistentTopicId = ErrorCode 103s
    static member InconsistentClusterId = ErrorCode 104s
    static member TransactionalIdNotFound = ErrorCode 105s
    static member FetchSessionTopicIdError = ErrorCode 106s
    static member IneligibleReplica = ErrorCode 107s
    static member NewLeaderElected = ErrorCode 108s
    static member OffsetMovedToTieredStorage = ErrorCode 109s
    static member FencedMemberEpoch = ErrorCode 110s
    static member UnreleasedInstanceId = ErrorCode 111s
    static member UnsupportedAssignor = ErrorCode 112s
    static member StaleMemberEpoch = ErrorCode 113s
    static member MismatchedEndpointType = ErrorCode 114s
    static member UnsupportedEndpointType = ErrorCode 115s
    static member UnknownControllerId = ErrorCode 116s
    static member UnknownSubscriptionId = ErrorCode 117s
    static member TelemetryTooLarge = ErrorCode 118s
    static member InvalidRegistration = ErrorCode 119s
    static member TransactionAbortable = ErrorCode 120s
    static member InvalidRecordState = ErrorCode 121s
    static member ShareSessionNotFound = ErrorCode 122s
    static member InvalidShareSessionEpoch = ErrorCode 123s
    static member FencedStateEpoch = ErrorCode 124s
    static member InvalidVoterKey = ErrorCode 125s
    static member DuplicateVoter = ErrorCode 126s
    static member VoterNotFound = ErrorCode 127s
    static member InvalidRegularExpression = ErrorCode 128s
    static member RebootstrapRequired = ErrorCode 129s
    static member StreamsInvalidTopology = ErrorCode 130s
    static member StreamsInvalidTopologyEpoch = ErrorCode 131s
    static member StreamsTopologyFenced = ErrorCode 132s
    static member ShareSessionLimitReached = ErrorCode 133s
    static member GroupDeletionFailed = ErrorCode 134s
    static member StreamsTopologyDescriptionUpdateFailed = ErrorCode 135s
    static member ControllerIdNotRegistered = ErrorCode 136s

    /// The name in Kafka's documentation, such as `NOT_LEADER_OR_FOLLOWER`. It is empty if the code is not known.
    member _.Name = (ErrorTable.find code).Name

    /// Whether Kafka says that the same request may succeed later, possibly after a refresh of the metadata or on another broker. False if
    /// the code is not known.
    member _.IsRetriable = (ErrorTable.find code).IsRetriable

    /// What the error means and what to do, in a sentence or two. It is empty if the code is not known.
    member _.Description = (ErrorTable.find code).Description

    /// True for every code except `None`.
    member _.IsError = code <> 0s

    /// The name and the number: `NOT_LEADER_OR_FOLLOWER (6)`. Without a name: `ErrorCode 999`.
    override this.ToString() =
        match this.Name with
        | "" -> Code.unnamed "ErrorCode" (int64 code)
        | name -> name + " (" + code.ToString CultureInfo.InvariantCulture + ")"

    static member op_Equality(a: ErrorCode, b: ErrorCode) = a.Code = b.Code
    static member op_Inequality(a: ErrorCode, b: ErrorCode) = a.Code <> b.Code
