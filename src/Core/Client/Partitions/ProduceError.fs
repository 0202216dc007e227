namespace LibKafka.Client

open System.Collections.Generic
open LibKafka.Protocol

/// What an error code in a response to Produce means for the batch.
type ProduceErrorMeaning =
    /// The batch is not in the log: the broker found the error before it appended anything.
    | Rejected = 0
    /// The batch is not in the log, unless an offset comes with the code. Then the leader appended it, and lost the partition while it waited
    /// for its followers: the batch may be in the log or not.
    | RejectedUnlessAppended = 1
    /// The batch may be in the log or not.
    | Unknown = 2
    /// The batch is in the log, from an earlier attempt. The broker does not know its offset any more.
    | Duplicate = 3
    /// The batch is not in the log, and the broker accepts no more batches from this identity, or has lost track of its sequences. A batch that
    /// was sent before with an unknown result may still be in the log from then.
    | Fenced = 4

/// The error codes that Produce can have.
[<RequireQualifiedAccess>]
module ProduceError =

    /// What each code means. Brokers and proxies that report an offset along with an error mean it only with `RejectedUnlessAppended`.
    let table: (ErrorCode * ProduceErrorMeaning) list =
        [ // It may have failed before or after the append.
          ErrorCode.UnknownServerError, ProduceErrorMeaning.Unknown
          // The leader appended it, and could not confirm in time that its followers have it.
          ErrorCode.RequestTimedOut, ProduceErrorMeaning.Unknown
          ErrorCode.NotEnoughReplicasAfterAppend, ProduceErrorMeaning.Unknown

          // The broker checks this first, and again while it waits for the followers.
          ErrorCode.UnknownTopicOrPartition, ProduceErrorMeaning.RejectedUnlessAppended
          ErrorCode.UnknownTopicId, ProduceErrorMeaning.RejectedUnlessAppended
          ErrorCode.InconsistentTopicId, ProduceErrorMeaning.RejectedUnlessAppended
          ErrorCode.LeaderNotAvailable, ProduceErrorMeaning.RejectedUnlessAppended
          ErrorCode.NotLeaderOrFollower, ProduceErrorMeaning.RejectedUnlessAppended
          ErrorCode.ReplicaNotAvailable, ProduceErrorMeaning.RejectedUnlessAppended
          ErrorCode.KafkaStorageError, ProduceErrorMeaning.RejectedUnlessAppended

          ErrorCode.DuplicateSequenceNumber, ProduceErrorMeaning.Duplicate

          // Acknowledged batches, or the broker's memory of them, are gone from the log.
          ErrorCode.OutOfOrderSequenceNumber, ProduceErrorMeaning.Fenced
          ErrorCode.UnknownProducerId, ProduceErrorMeaning.Fenced
          // Another producer has the identity, or a newer epoch of it.
          ErrorCode.InvalidProducerEpoch, ProduceErrorMeaning.Fenced
          ErrorCode.ProducerFenced, ProduceErrorMeaning.Fenced
          ErrorCode.InvalidProducerIdMapping, ProduceErrorMeaning.Fenced

          // The batch itself.
          ErrorCode.CorruptMessage, ProduceErrorMeaning.Rejected
          ErrorCode.MessageTooLarge, ProduceErrorMeaning.Rejected
          ErrorCode.RecordListTooLarge, ProduceErrorMeaning.Rejected
          ErrorCode.InvalidRecord, ProduceErrorMeaning.Rejected
          ErrorCode.InvalidTimestamp, ProduceErrorMeaning.Rejected
          ErrorCode.UnsupportedCompressionType, ProduceErrorMeaning.Rejected
          ErrorCode.UnsupportedForMessageFormat, ProduceErrorMeaning.Rejected
          // The request.
          ErrorCode.InvalidTopicException, ProduceErrorMeaning.Rejected
          ErrorCode.InvalidRequiredAcks, ProduceErrorMeaning.Rejected
          ErrorCode.InvalidRequest, ProduceErrorMeaning.Rejected
          ErrorCode.UnsupportedVersion, ProduceErrorMeaning.Rejected
          ErrorCode.PolicyViolation, ProduceErrorMeaning.Rejected
          ErrorCode.ThrottlingQuotaExceeded, ProduceErrorMeaning.Rejected
          // Permissions.
          ErrorCode.TopicAuthorizationFailed, ProduceErrorMeaning.Rejected
          ErrorCode.ClusterAuthorizationFailed, ProduceErrorMeaning.Rejected
          ErrorCode.TransactionalIdAuthorizationFailed, ProduceErrorMeaning.Rejected
          // Too few replicas are in sync, which the leader checks before it appends.
          ErrorCode.NotEnoughReplicas, ProduceErrorMeaning.Rejected
          // The transaction, which the leader verifies with the coordinator before it appends.
          ErrorCode.InvalidTxnState, ProduceErrorMeaning.Rejected
          ErrorCode.TransactionAbortable, ProduceErrorMeaning.Rejected
          ErrorCode.ConcurrentTransactions, ProduceErrorMeaning.Rejected
          ErrorCode.CoordinatorLoadInProgress, ProduceErrorMeaning.Rejected
          ErrorCode.CoordinatorNotAvailable, ProduceErrorMeaning.Rejected
          ErrorCode.NotCoordinator, ProduceErrorMeaning.Rejected
          ErrorCode.NetworkException, ProduceErrorMeaning.Rejected ]

    // By number: a key of a struct type would be boxed for each comparison.
    let private meanings =
        Dictionary<int16, ProduceErrorMeaning>(table |> List.map (fun (code, meaning) -> KeyValuePair(code.Code, meaning)))

    /// What a code means. A code of another API is a rejection. One that is not known here says nothing about the batch.
    let meaning (code: ErrorCode) : ProduceErrorMeaning =
        match meanings.TryGetValue code.Code with
        | true, meaning -> meaning
        | _ when code.Name = "" -> ProduceErrorMeaning.Unknown
        | _ -> ProduceErrorMeaning.Rejected

    /// Whether the batch may be in the log in spite of the error that the answer has.
    let internal isUnsure (answer: Produce.PartitionResponse) : bool =
        match meaning answer.Error with
        | ProduceErrorMeaning.Unknown -> true
        | ProduceErrorMeaning.RejectedUnlessAppended -> answer.BaseOffset >= 0L
        | _ -> false
