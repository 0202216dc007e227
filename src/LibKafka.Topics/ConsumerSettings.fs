namespace LibKafka.Topics

open System
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Client

/// How a consumer reads its partitions.
[<NoEquality; NoComparison>]
type ConsumerSettings =
    {
        /// How much each fetch asks for, how long the broker may wait for it, the isolation level, the rack and the fetch sessions. `MaxWait`
        /// should be well below `ClientSettings.CallTimeout`. After `TopicConsumer.Seek` it may take as long until the partition is asked again.
        Fetching: FetcherSettings
        /// How records are read: the codecs, the limits, and the memory to decompress into. Checksums are verified before, whatever it says.
        Reading: Reading
        /// What to do with a partition after an event. It must be pure; it is called once for each event, before the event is handed out.
        NextStep: ConsumerEvent -> NextStep
        /// The bytes of memory that events in hand may hold before nothing more is asked for or received. It only limits a caller that keeps
        /// events (`TopicConsumer.Keep`): otherwise there is one at a time. Memory for later responses is kept up to the same size.
        MaxBytesInHand: int64
    }

    /// The values in one line.
    override this.ToString() =
        FieldText.show [ "Fetching", box this.Fetching; "Reading", box this.Reading; "MaxBytesInHand", box this.MaxBytesInHand ]

[<RequireQualifiedAccess>]
module ConsumerSettings =

    /// `FetcherSettings.standard`, `Reading.standard` without codecs, `NextStep.standard`, and 64 MiB in hand.
    let standard =
        { Fetching = FetcherSettings.standard
          Reading = Reading.standard
          NextStep = NextStep.standard
          MaxBytesInHand = 64L * 1024L * 1024L }

/// What a consumer knows of a partition.
[<NoComparison>]
type PartitionStatus =
    {
        Partition: TopicPartition
        /// The position after all records that have been handled; none while its offset is being looked for.
        Position: FetchPosition option
        /// The high watermark in the last response: the offset after the last record that all in-sync replicas have. None before the first.
        HighWatermark: int64 option
        IsPaused: bool
        /// Whether the last event's step was `NextStep.GiveUp`.
        IsGivenUp: bool
        /// Whether it has an event that has not been handled.
        IsInHand: bool
        /// How often the partition could not be read since it last could.
        Failures: int
        /// The broker of the last response or connection; none before the first.
        Broker: BrokerAddress option
    }

    /// The number of offsets from the position to the high watermark: records, and the gaps that transactions and compaction leave.
    member this.Lag: int64 option =
        match this.Position, this.HighWatermark with
        | Some position, Some watermark -> Some(max 0L (watermark - position.Offset))
        | _ -> None

    /// A one-line description, such as `orders-3: offset 42 after epoch 3, lag 8, paused`.
    override this.ToString() =
        let position =
            match this.Position with
            | Some position -> position.ToString()
            | None -> "no offset yet"

        let lag =
            match this.Lag with
            | Some lag -> ", lag " + string lag
            | None -> ""

        this.Partition.ToString()
        + ": "
        + position
        + lag
        + (if this.IsPaused then ", paused" else "")
        + (if this.IsGivenUp then ", given up" else "")
        + (if this.Failures = 0 then ""
           elif this.Failures = 1 then ", failed once"
           else ", failed " + string this.Failures + " times in a row")
