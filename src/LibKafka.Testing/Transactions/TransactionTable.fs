namespace LibKafka.Testing

open LibKafka.Wire

/// How far a transactional id is in its life.
[<RequireQualifiedAccess>]
type TransactionStage =
    /// No transaction since the producer was initialized.
    | Empty
    | Ongoing
    /// The transaction is committed or aborted, but not all markers are written yet. They are at `due`.
    | Ending of commit: bool * due: Moment
    | Ended of commit: bool

    override this.ToString() =
        match this with
        | Empty -> "Empty"
        | Ongoing -> "Ongoing"
        | Ending(true, due) -> "committing until " + string due
        | Ending(false, due) -> "aborting until " + string due
        | Ended true -> "committed"
        | Ended false -> "aborted"

/// A transactional id, as its coordinator knows it.
type Transaction =
    {
        ProducerId: int64
        /// -1 before the first InitProducerId has succeeded.
        Epoch: int16
        /// The epoch before `Epoch` if the producer itself asked for the new one, or -1. A repeated request names it.
        LastEpoch: int16
        /// The producer id before `ProducerId`, whose epochs were exhausted; -1 if there was none.
        PreviousProducerId: int64
        /// The producer id from the end of this transaction on, if the epochs of the present one are exhausted.
        NextProducerId: int64 voption
        /// transaction.timeout.ms
        TimeoutMs: int32
        /// When the last transaction began; -1 before the first.
        Started: Moment
        Stage: TransactionStage
        /// The topic partitions of the transaction that have no marker yet. Those of __consumer_offsets are there for groups.
        Partitions: Set<string * int32>
        /// Whether an abort by the coordinator raises the epoch once more, as for clients of transaction.version 2 (KIP-890).
        RaisesEpoch: bool
        /// Whether an unsupported request left the transactional id unusable, as it does on transaction.version 0.
        IsStuck: bool
    }

    override this.ToString() =
        FieldText.show
            [ "ProducerId", box this.ProducerId
              "Epoch", box this.Epoch
              "LastEpoch", box this.LastEpoch
              "PreviousProducerId", box this.PreviousProducerId
              "NextProducerId", FieldText.voptional this.NextProducerId
              "TimeoutMs", box this.TimeoutMs
              "Started", box this.Started
              "Stage", box this.Stage
              "Partitions", box this.Partitions
              "RaisesEpoch", box this.RaisesEpoch
              "IsStuck", box this.IsStuck ]

/// The transactions and the producer ids of the cluster.
type TransactionTable =
    {
        /// The producer id that the next producer gets.
        NextProducerId: int64
        /// By transactional id.
        ById: Map<string, Transaction>
        /// How long it takes from the end of a transaction until its markers are written. Requests meanwhile get CONCURRENT_TRANSACTIONS.
        MarkerDelayMs: int32
        /// transaction.max.timeout.ms
        MaxTimeoutMs: int32
    }

    override this.ToString() =
        FieldText.show
            [ "NextProducerId", box this.NextProducerId
              "ById", box this.ById
              "MarkerDelayMs", box this.MarkerDelayMs
              "MaxTimeoutMs", box this.MaxTimeoutMs ]

[<RequireQualifiedAccess>]
module TransactionTable =

    let empty: TransactionTable = { NextProducerId = 0L; ById = Map.empty; MarkerDelayMs = 2; MaxTimeoutMs = 900_000 }
