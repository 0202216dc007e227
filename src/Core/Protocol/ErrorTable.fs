namespace LibKafka.Protocol

open System.Runtime.CompilerServices

/// Kafka's name for an error code, whether the same request may succeed later, and what the error means.
[<Struct; NoEquality; NoComparison>]
type internal ErrorRow = { Code: int16; Name: string; IsRetriable: bool; Description: string }

/// The table of Kafka's errors. Source: Kafka documentation, section "Error Codes".
[<RequireQualifiedAccess>]
module internal ErrorTable =

    // Not inlined: with this code in each row, the JIT compiler would take twice as long for the table.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    let private retriable code name description = { Code = code; Name = name; IsRetriable = true; Description = description }

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    let private definite code name description = { Code = code; Name = name; IsRetriable = false; Description = description }

    /// Without gaps, in the order of the codes.
    let private rows =
        [| definite -1s "UNKNOWN_SERVER_ERROR" "The broker failed in a way for which there is no code. Its log says more."
           definite 0s "NONE" "No error."
           definite
               1s
               "OFFSET_OUT_OF_RANGE"
               "The offset is before the log start offset or after the log end offset. Ask ListOffsets for a valid one."
           retriable
               2s
               "CORRUPT_MESSAGE"
               "A record batch has a wrong checksum or size, or is otherwise corrupt. Try again: it may have been damaged on its way."
           retriable 3s "UNKNOWN_TOPIC_OR_PARTITION" "The broker does not have the topic or the partition. Refresh the metadata."
           definite 4s "INVALID_FETCH_SIZE" "The fetch asks for an invalid number of bytes. Correct its limits."
           retriable 5s "LEADER_NOT_AVAILABLE" "The partition has no leader yet. Refresh the metadata and try again."
           retriable 6s "NOT_LEADER_OR_FOLLOWER" "The broker neither leads nor follows the partition. Refresh the metadata."
           retriable 7s "REQUEST_TIMED_OUT" "The broker did not finish within the request's timeout. The request may still take effect."
           definite 8s "BROKER_NOT_AVAILABLE" "The broker is down or not ready. Ask another one."
           retriable 9s "REPLICA_NOT_AVAILABLE" "The broker's replica of the partition is not available. Try again, or ask the leader."
           definite 10s "MESSAGE_TOO_LARGE" "A record batch is larger than the topic allows (max.message.bytes). Send smaller ones."
           definite 11s "STALE_CONTROLLER_EPOCH" "Between brokers: the request comes from a controller that has been replaced."
           definite
               12s
               "OFFSET_METADATA_TOO_LARGE"
               "The metadata of a committed offset is longer than allowed (offset.metadata.max.bytes). Commit shorter metadata."
           retriable
               13s
               "NETWORK_EXCEPTION"
               "The connection broke before a response arrived. It is unknown whether the request took effect."
           retriable 14s "COORDINATOR_LOAD_IN_PROGRESS" "The coordinator is still loading its state. Try again shortly."
           retriable 15s "COORDINATOR_NOT_AVAILABLE" "The coordinator is not available. Ask FindCoordinator again."
           retriable 16s "NOT_COORDINATOR" "The broker is not the coordinator. Ask FindCoordinator which broker is."
           definite 17s "INVALID_TOPIC_EXCEPTION" "The topic name is invalid, or the topic is internal and does not allow the request."
           definite 18s "RECORD_LIST_TOO_LARGE" "The record batches together exceed the size of a log segment. Send less at once."
           retriable 19s "NOT_ENOUGH_REPLICAS" "Fewer replicas are in sync than acks = all requires. Nothing was written. Try again."
           retriable
               20s
               "NOT_ENOUGH_REPLICAS_AFTER_APPEND"
               "The batch was written, but fewer replicas are in sync than acks = all requires. Sending it again may duplicate it."
           definite 21s "INVALID_REQUIRED_ACKS" "The acks of the produce request are not 0, 1 or -1."
           definite 22s "ILLEGAL_GENERATION" "The group has moved on to another generation. Join it again."
           definite
               23s
               "INCONSISTENT_GROUP_PROTOCOL"
               "The member shares no protocol type or no assignment strategy with the rest of the group. Add the assignor of the other members."
           definite 24s "INVALID_GROUP_ID" "The group id is empty or otherwise invalid. Set a valid one."
           definite 25s "UNKNOWN_MEMBER_ID" "The group has no such member, for example because its session timed out. Join as a new member."
           definite
               26s
               "INVALID_SESSION_TIMEOUT"
               "The session timeout is outside the broker's limits (group.*.session.timeout.ms). Set one within them."
           definite 27s "REBALANCE_IN_PROGRESS" "The group is rebalancing. Join it again."
           definite 28s "INVALID_COMMIT_OFFSET_SIZE" "An offset with its metadata is too large to be stored. Commit shorter metadata."
           definite
               29s
               "TOPIC_AUTHORIZATION_FAILED"
               "The principal is not authorized for this operation on the topic. An ACL must allow it."
           definite
               30s
               "GROUP_AUTHORIZATION_FAILED"
               "The principal is not authorized for this operation on the group. An ACL must allow it."
           definite
               31s
               "CLUSTER_AUTHORIZATION_FAILED"
               "The principal is not authorized for this operation on the cluster. An ACL must allow it."
           definite
               32s
               "INVALID_TIMESTAMP"
               "The timestamp of a record differs from the broker's clock by more than the topic allows (message.timestamp.before.max.ms and message.timestamp.after.max.ms)."
           definite
               33s
               "UNSUPPORTED_SASL_MECHANISM"
               "The broker does not support the SASL mechanism. Its response lists those that it supports."
           definite 34s "ILLEGAL_SASL_STATE" "The request is invalid in the current state of the authentication."
           definite
               35s
               "UNSUPPORTED_VERSION"
               "The broker does not support this version of the API. Ask ApiVersions for those that it supports."
           definite 36s "TOPIC_ALREADY_EXISTS" "A topic with this name already exists."
           definite 37s "INVALID_PARTITIONS" "The number of partitions is less than one, or not more than the topic already has."
           definite 38s "INVALID_REPLICATION_FACTOR" "The replication factor is less than one or greater than the number of brokers."
           definite 39s "INVALID_REPLICA_ASSIGNMENT" "The given replicas of a partition are unknown, repeated or incomplete."
           definite 40s "INVALID_CONFIG" "A config has an unknown name or an invalid value."
           retriable 41s "NOT_CONTROLLER" "The broker is not the active controller. Look it up in the metadata and ask it."
           definite
               42s
               "INVALID_REQUEST"
               "The request breaks a rule of its API or contradicts itself. The broker's message or its log says how."
           definite 43s "UNSUPPORTED_FOR_MESSAGE_FORMAT" "The log's record format (message.format.version) is too old for the request."
           definite 44s "POLICY_VIOLATION" "A policy of the cluster forbids the request. The broker's message says why."
           definite
               45s
               "OUT_OF_ORDER_SEQUENCE_NUMBER"
               "The batch does not follow the last one that the broker has from this producer. Continue with a new producer epoch or id."
           definite
               46s
               "DUPLICATE_SEQUENCE_NUMBER"
               "The broker already has the batch, but no longer knows its offset. The batch counts as written."
           definite
               47s
               "INVALID_PRODUCER_EPOCH"
               "The producer's epoch is older than the broker's: another producer with its id was started. Stop, or ask InitProducerId for a new epoch."
           definite
               48s
               "INVALID_TXN_STATE"
               "The state of the transaction does not allow the request. Abort the transaction, or ask InitProducerId for a new epoch."
           definite
               49s
               "INVALID_PRODUCER_ID_MAPPING"
               "The producer id does not belong to the transactional id. Ask InitProducerId for the one that does."
           definite
               50s
               "INVALID_TRANSACTION_TIMEOUT"
               "The transaction timeout is longer than allowed (transaction.max.timeout.ms). Set a shorter one."
           retriable 51s "CONCURRENT_TRANSACTIONS" "The previous change to the transaction is still in progress. Try again shortly."
           definite
               52s
               "TRANSACTION_COORDINATOR_FENCED"
               "Between brokers: the marker comes from a transaction coordinator that has been replaced."
           definite
               53s
               "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"
               "The principal is not authorized for this operation on the transactional id. An ACL must allow it."
           definite
               54s
               "SECURITY_DISABLED"
               "The security feature is disabled on the cluster. ACLs need an authorizer (authorizer.class.name)."
           definite 55s "OPERATION_NOT_ATTEMPTED" "This part of the request was not attempted because another part failed."
           retriable
               56s
               "KAFKA_STORAGE_ERROR"
               "The disk of the log failed. Another broker may soon lead the partition: refresh the metadata."
           definite 57s "LOG_DIR_NOT_FOUND" "The broker does not have the log directory."
           definite 58s "SASL_AUTHENTICATION_FAILED" "The broker did not accept the credentials. Check the user and password, or the token."
           definite
               59s
               "UNKNOWN_PRODUCER_ID"
               "The broker no longer knows the producer, because none of its records remain in the log. Continue with a new producer epoch or id."
           definite
               60s
               "REASSIGNMENT_IN_PROGRESS"
               "A reassignment of the partition is already in progress. Wait until it ends, or cancel it."
           definite 61s "DELEGATION_TOKEN_AUTH_DISABLED" "Delegation tokens are disabled on the cluster (delegation.token.secret.key)."
           definite 62s "DELEGATION_TOKEN_NOT_FOUND" "The cluster does not have the delegation token."
           definite 63s "DELEGATION_TOKEN_OWNER_MISMATCH" "The principal is neither the owner nor a renewer of the delegation token."
           definite
               64s
               "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED"
               "Delegation tokens can be requested only on a connection that authenticated without one."
           definite
               65s
               "DELEGATION_TOKEN_AUTHORIZATION_FAILED"
               "The principal is not authorized for this operation on the delegation token."
           definite 66s "DELEGATION_TOKEN_EXPIRED" "The delegation token has expired. Request a new one."
           definite 67s "INVALID_PRINCIPAL_TYPE" "The cluster does not support the type of the principal."
           definite 68s "NON_EMPTY_GROUP" "The group still has members. Stop them first."
           definite 69s "GROUP_ID_NOT_FOUND" "The group does not exist."
           retriable 70s "FETCH_SESSION_ID_NOT_FOUND" "The broker has dropped the fetch session. Start a new one with a full fetch."
           retriable
               71s
               "INVALID_FETCH_SESSION_EPOCH"
               "The epoch of the fetch session is not the expected one. Start a new session with a full fetch."
           retriable
               72s
               "LISTENER_NOT_FOUND"
               "The leader has no listener that matches the one the client is connected to. Configure it on all brokers."
           definite 73s "TOPIC_DELETION_DISABLED" "Topic deletion is disabled on the cluster (delete.topic.enable)."
           retriable 74s "FENCED_LEADER_EPOCH" "The leader epoch is older than the broker's. Refresh the metadata."
           retriable
               75s
               "UNKNOWN_LEADER_EPOCH"
               "The leader epoch is newer than the broker's, which has yet to learn of it. Try again shortly."
           definite
               76s
               "UNSUPPORTED_COMPRESSION_TYPE"
               "The batch's compression type is too new for the version of the request or the log. Use another codec."
           definite 77s "STALE_BROKER_EPOCH" "Between brokers and controller: the broker has registered again since."
           retriable 78s "OFFSET_NOT_AVAILABLE" "The new leader does not know its high watermark yet. Try again shortly."
           definite 79s "MEMBER_ID_REQUIRED" "The first response to a new member. Join again with the member id in it."
           retriable 80s "PREFERRED_LEADER_NOT_AVAILABLE" "The preferred leader is offline or out of sync."
           definite 81s "GROUP_MAX_SIZE_REACHED" "The group already has the maximum number of members (group.max.size)."
           definite 82s "FENCED_INSTANCE_ID" "Another member has taken over the group instance id. Stop."
           retriable 83s "ELIGIBLE_LEADERS_NOT_AVAILABLE" "No eligible leader of the partition is available."
           retriable 84s "ELECTION_NOT_NEEDED" "The partition already has the leader that the election would choose."
           definite 85s "NO_REASSIGNMENT_IN_PROGRESS" "No reassignment of the partition is in progress."
           definite 86s "GROUP_SUBSCRIBED_TO_TOPIC" "The group is subscribed to the topic, so its offsets cannot be deleted."
           definite
               87s
               "INVALID_RECORD"
               "The broker rejects a record, such as one without a key for a compacted topic. The response names the records."
           retriable 88s "UNSTABLE_OFFSET_COMMIT" "The offset depends on an open transaction. Try again after it has ended."
           retriable
               89s
               "THROTTLING_QUOTA_EXCEEDED"
               "Topics or partitions are changed faster than the quota allows. Wait for the throttle time."
           definite 90s "PRODUCER_FENCED" "A newer producer has taken over the transactional id. This one must stop."
           definite 91s "RESOURCE_NOT_FOUND" "The resource does not exist, such as the credential of a user."
           definite 92s "DUPLICATE_RESOURCE" "The request names the same resource twice."
           definite 93s "UNACCEPTABLE_CREDENTIAL" "The user name, mechanism, iterations or salt of a credential is not acceptable."
           definite 94s "INCONSISTENT_VOTER_SET" "In the metadata quorum: the sender or the receiver is not among the expected voters."
           definite
               95s
               "INVALID_UPDATE_VERSION"
               "The feature level is not supported by every node, or cannot be reached by this kind of update."
           definite 96s "FEATURE_UPDATE_FAILED" "The cluster failed to update its feature levels."
           definite 97s "PRINCIPAL_DESERIALIZATION_FAILURE" "The controller cannot read the principal of a forwarded request."
           definite 98s "SNAPSHOT_NOT_FOUND" "The snapshot of the metadata log does not exist."
           definite 99s "POSITION_OUT_OF_RANGE" "The position is outside the snapshot."
           retriable 100s "UNKNOWN_TOPIC_ID" "The broker does not have a topic with this id. Refresh the metadata."
           definite 101s "DUPLICATE_BROKER_REGISTRATION" "Another running broker is registered with this id."
           definite 102s "BROKER_ID_NOT_REGISTERED" "No broker is registered with this id."
           retriable 103s "INCONSISTENT_TOPIC_ID" "The log belongs to a topic with another id. Refresh the metadata."
           definite 104s "INCONSISTENT_CLUSTER_ID" "The request is for another cluster."
           definite 105s "TRANSACTIONAL_ID_NOT_FOUND" "The coordinator does not have the transactional id."
           retriable
               106s
               "FETCH_SESSION_TOPIC_ID_ERROR"
               "The fetch session mixes topic names and topic ids. Start a new one with a full fetch."
           definite 107s "INELIGIBLE_REPLICA" "Between leader and controller: a replica in the new in-sync set is not eligible."
           definite 108s "NEW_LEADER_ELECTED" "Between leader and controller: the change was made and a new leader was elected."
           definite 109s "OFFSET_MOVED_TO_TIERED_STORAGE" "Between replicas: the records at this offset are only in tiered storage."
           definite 110s "FENCED_MEMBER_EPOCH" "The coordinator has fenced the member's epoch. Give up all partitions and join again."
           definite 111s "UNRELEASED_INSTANCE_ID" "Another member still uses the group instance id and must leave first."
           definite
               112s
               "UNSUPPORTED_ASSIGNOR"
               "The coordinator does not have the requested assignor. Name one of group.consumer.assignors."
           definite
               113s
               "STALE_MEMBER_EPOCH"
               "The member's epoch is older than the group's. Try again with the epoch of the next heartbeat."
           definite 114s "MISMATCHED_ENDPOINT_TYPE" "A broker received a request for controllers, or a controller one for brokers."
           definite 115s "UNSUPPORTED_ENDPOINT_TYPE" "The type of endpoint is not supported for this request."
           definite 116s "UNKNOWN_CONTROLLER_ID" "The cluster has no controller with this id."
           definite 117s "UNKNOWN_SUBSCRIPTION_ID" "The telemetry subscription has changed. Ask GetTelemetrySubscriptions again."
           definite 118s "TELEMETRY_TOO_LARGE" "The metrics are larger than the broker accepts in one request (telemetry.max.bytes)."
           definite 119s "INVALID_REGISTRATION" "The controller rejects the registration as invalid."
           definite 120s "TRANSACTION_ABORTABLE" "The transaction cannot be completed. Abort it, then the producer can continue."
           definite
               121s
               "INVALID_RECORD_STATE"
               "The member cannot acknowledge the records, for example because its acquisition lock has expired."
           retriable 122s "SHARE_SESSION_NOT_FOUND" "The broker has dropped the share session. Start a new one."
           retriable 123s "INVALID_SHARE_SESSION_EPOCH" "The epoch of the share session is not the expected one. Start a new session."
           definite 124s "FENCED_STATE_EPOCH" "Between brokers: the state epoch of the share partition is older than the coordinator's."
           definite 125s "INVALID_VOTER_KEY" "In the metadata quorum: the request is for a voter with another directory id."
           definite 126s "DUPLICATE_VOTER" "The node is already a voter of the metadata quorum."
           definite 127s "VOTER_NOT_FOUND" "The node is not a voter of the metadata quorum."
           definite
               128s
               "INVALID_REGULAR_EXPRESSION"
               "The regular expression of the subscription is invalid. Brokers read the syntax of RE2/J."
           definite 129s "REBOOTSTRAP_REQUIRED" "The client's metadata is too old. Start again from the bootstrap brokers."
           definite 130s "STREAMS_INVALID_TOPOLOGY" "The Streams topology is invalid."
           definite 131s "STREAMS_INVALID_TOPOLOGY_EPOCH" "The epoch of the Streams topology is invalid for the group."
           definite 132s "STREAMS_TOPOLOGY_FENCED" "The epoch of the Streams topology is older than the group's."
           retriable 133s "SHARE_SESSION_LIMIT_REACHED" "The broker has the maximum number of share sessions. Try again later."
           definite 134s "GROUP_DELETION_FAILED" "The group could not be deleted completely."
           definite 135s "STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED" "The broker failed to update the description of the Streams topology."
           definite 136s "CONTROLLER_ID_NOT_REGISTERED" "No controller is registered with this id." |]

    let private unknown = definite 0s "" ""

    /// The row of a code. Its name and description are empty if the code is not known.
    let find (code: int16) : ErrorRow =
        let index = int code - int rows[0].Code
        if index >= 0 && index < rows.Length then rows[index] else unknown
