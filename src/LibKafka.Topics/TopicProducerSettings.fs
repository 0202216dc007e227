namespace LibKafka.Topics

open System
open LibKafka.Wire
open System.Diagnostics
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client

/// What a topic producer guarantees.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type Guarantee =
    /// A batch is in the log once, however often it is sent (KIP-98). Requires `Acks.All`.
    | Idempotent
    /// A batch is sent again only if it is certain that it is not in the log.
    | Plain
    /// As `Idempotent`, and the batches are part of the client's open transaction. The producer adds each partition to the transaction before the first
    /// batch for it. The caller begins (`TransactionClient.InitProducerId`), and commits or aborts after `TopicProducer.Flush`.
    | InTransaction of TransactionClient

    /// A one-line description.
    override this.ToString() =
        match this with
        | Idempotent -> "idempotent"
        | Plain -> "plain"
        | InTransaction _ -> "in a transaction"

/// How a topic producer works.
[<NoEquality; NoComparison>]
type TopicProducerSettings =
    {
        /// How records are collected into batches and assigned to partitions.
        Batches: CollectorSettings
        /// Compresses the batches; none to send them as they are. Codecs are in LibKafka.Compression.
        Codec: ICompressionCodec option
        /// The number of threads that compress batches, the caller's included, while the caller waits for them. With more than one, the codec must be
        /// thread-safe. 1 for the caller's thread alone.
        CompressionThreads: int
        /// What the producer guarantees.
        Guarantee: Guarantee
        /// What brokers are asked to do for each batch. `Acks.None` is not possible, because nothing could be reported about a batch then.
        Producing: ProducerSettings
        /// When a batch is sent again. Its time limit begins when the batch is sent for the first time. The delays of a partition hold up no other.
        /// `Sleep` is not used.
        Retry: RetryPolicy<Produced>
        /// Whether a batch without keys goes to another partition after a failure, if it is certain that it is not in the log: see
        /// `CollectedBatch.IsMovable`. Otherwise it is sent to the same partition again.
        MoveKeyless: bool
        /// How often the topic's partitions and their leaders are looked up anew, for partitions that have been added. They are also looked up after
        /// failures.
        MetadataAge: TimeSpan
        /// Receives the events that no `Poll` has returned when the producer is disposed of. `TopicProducer.Close` returns them instead.
        Unreported: ProducerEvent -> unit
    }

    /// The values in one line.
    override this.ToString() =
        FieldText.show
            [ "Batches", box this.Batches
              "Codec", FieldText.optional this.Codec
              "CompressionThreads", box this.CompressionThreads
              "Guarantee", box this.Guarantee
              "Producing", box this.Producing
              "Retry", box this.Retry
              "MoveKeyless", box this.MoveKeyless
              "MetadataAge", box this.MetadataAge ]

/// Settings to start from.
[<RequireQualifiedAccess>]
module TopicProducerSettings =

    /// Idempotent, without compression, with `CollectorSettings.standard`, retries for up to two minutes after 0.1 to 1 s, keyless batches that stay in
    /// their partition, and partitions that are looked up every five minutes. Unreported events are traced (`Trace.TraceWarning`).
    let standard =
        { Batches = CollectorSettings.standard
          Codec = None
          CompressionThreads = 1
          Guarantee = Guarantee.Idempotent
          Producing = ProducerSettings.standard
          Retry = { RetryPolicy.standard<Produced> with TimeLimit = TimeSpan.FromMinutes 2.0 }
          MoveKeyless = false
          MetadataAge = TimeSpan.FromMinutes 5.0
          Unreported =
            fun event ->
                match event with
                | ProducerEvent.Undelivered undelivered -> Trace.TraceWarning(undelivered.ToString())
                | ProducerEvent.Delivered _
                | ProducerEvent.IdentityChanged _ -> () }

    /// The settings, or the fault `InvalidSetting` for the first one that is invalid.
    let check (settings: TopicProducerSettings) : Result<TopicProducerSettings, ClientFault> =
        CollectorSettings.check settings.Batches
        |> Result.bind (fun _ ->
            settings
            |> Checked.byRules
                [ "Producing.Acks",
                  settings.Producing.Acks <> Acks.None,
                  "a topic producer reports what happened to each batch, which Acks.None does not allow"
                  "Producing.Acks",
                  settings.Guarantee.IsPlain || settings.Producing.Acks = Acks.All,
                  "an idempotent producer needs Acks.All: with fewer, set Guarantee to plain"
                  "CompressionThreads", settings.CompressionThreads >= 1, "it must be at least 1, which is the caller's thread"
                  "MetadataAge",
                  settings.MetadataAge > TimeSpan.Zero || settings.MetadataAge = Threading.Timeout.InfiniteTimeSpan,
                  "it must be positive or infinite" ])
