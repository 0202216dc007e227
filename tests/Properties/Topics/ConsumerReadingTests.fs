/// What a consumer makes of the answers of brokers.
module LibKafka.Properties.Topics.ConsumerReadingTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Properties.Records.Samples
open LibKafka.Properties.Client.Support

let private orders = { Topic = "orders"; Partition = 3 }

/// A batch in a log: the offset gap before it, its records, its epoch, and what is wrong with it.
type Piece = { Gap: int; Count: int; Epoch: int; Damage: Damage }

and Damage =
    | Whole
    | WrongChecksum
    | WrongMagic
    | EarlyOffset

/// A log that is read with so many bytes a fetch, from an offset in its first batch.
type DamagedLog = { Pieces: Piece list; FetchBytes: int; Inside: int }

let private damagedLog: Gen<DamagedLog> = gen {
    let piece = gen {
        let! gap = Gen.frequency [ 3, Gen.constant 0; 1, Gen.choose (1, 50) ]
        let! count = Gen.choose (1, 4)
        let! epoch = Gen.choose (0, 3)
        let! damage =
            Gen.frequency [ 6, Gen.constant Whole; 1, Gen.constant WrongChecksum; 1, Gen.constant WrongMagic; 1, Gen.constant EarlyOffset ]
        return { Gap = gap; Count = count; Epoch = epoch; Damage = damage }
    }

    let! pieces = Gen.choose (1, 8) |> Gen.bind (fun count -> Gen.listOfLength count piece)
    let! bytes = Gen.choose (1, 400)
    let! inside = Gen.choose (0, 3)
    return { Pieces = pieces; FetchBytes = bytes; Inside = inside }
}

type DamagedLogs =
    static member DamagedLog() : Arbitrary<DamagedLog> = Arb.fromGen damagedLog

let private batchAt (first: int64) (piece: Piece) : RecordBatch =
    let record offset = { Offset = offset; Timestamp = 0L; Key = ValueNone; Value = ValueNone; Headers = [] }

    BatchBuilder.build
        { BatchOptions.standard with BaseOffset = first; PartitionLeaderEpoch = piece.Epoch }
        [ for offset in first .. first + int64 piece.Count - 1L -> record offset ]
    |> ok

let private damage (piece: Piece) (batch: RecordBatch) : Bytes =
    let bytes = batch.Bytes.ToArray()

    match piece.Damage with
    | Whole -> ()
    | WrongChecksum -> bytes[bytes.Length - 1] <- bytes[bytes.Length - 1] ^^^ 1uy
    | WrongMagic -> bytes[16] <- 9uy
    | EarlyOffset -> bytes.AsSpan(0, 8).Clear()

    Bytes bytes

/// The batches of a log, from offset 1000 on, and their bytes.
let private layOut (log: DamagedLog) : (Piece * RecordBatch * Bytes) list =
    let place (offset: int64) (piece: Piece) =
        let batch = batchAt (offset + int64 piece.Gap) piece
        (piece, batch, damage piece batch), batch.NextOffset

    List.mapFold place 1000L log.Pieces |> fst

/// A broker's answer: whole batches from the one that has the offset on, and a part of the next one.
let private answer (bytes: int) (log: (Piece * RecordBatch * Bytes) list) (position: FetchPosition) : Fetched =
    let rest = log |> List.filter (fun (_, batch, _) -> batch.LastOffset >= position.Offset)

    let records =
        match rest with
        | [] -> Array.empty
        | (_, _, first) :: _ ->
            let all = rest |> List.map (fun (_, _, bytes) -> bytes.ToArray()) |> Array.concat
            Array.truncate (max bytes first.Length) all

    fetchedAs position (Ok { fetchAnswer with Records = Some(Bytes records); HighWatermark = 100_000L })

/// Everything that a reader gets who skips damage if its end is known, and otherwise goes to the next batch.
let private readAll (log: DamagedLog) : Choice<int64, int64> list =
    let laid = layOut log
    let _, first, _ = laid.Head
    let start = first.BaseOffset + int64 (min log.Inside first.LastOffsetDelta)

    let after (offset: int64) = laid |> List.pick (fun (_, batch, _) -> if batch.LastOffset >= offset then Some batch.NextOffset else None)

    let rec from (position: FetchPosition) (seen: Choice<int64, int64> list) =
        match ConsumerReading.fetched Reading.standard orders 1 false (answer log.FetchBytes laid position) with
        | Outcome.Nothing next when next = position -> List.rev seen
        | Outcome.Nothing next -> from next seen
        | Outcome.Event(ConsumerEvent.Fetched(_, records, _, next)) ->
            let offsets = FetchedRecords.toList records |> ok |> List.map (fun record -> Choice1Of2 record.Offset)
            from next (List.rev offsets @ seen)
        | Outcome.Event(ConsumerEvent.Damaged(_, _, _, next)) ->
            let next = next |> Option.defaultWith (fun () -> FetchPosition.at (after position.Offset))
            from next (Choice2Of2 position.Offset :: seen)
        | Outcome.Event other -> failtestf "%O" other

    from (FetchPosition.at start) []

let private law =
    testPropertyWithConfig
        { config with arbitrary = [ typeof<DamagedLogs> ] }
        "every readable record comes once and in order, whatever is damaged around it, and damage is never passed without an event"
        (fun (log: DamagedLog) ->
            let laid = layOut log
            let _, first, _ = laid.Head
            let start = first.BaseOffset + int64 (min log.Inside first.LastOffsetDelta)

            let readable =
                [ for piece, batch, _ in laid do
                      if piece.Damage = Whole then
                          yield! [ max start batch.BaseOffset .. batch.LastOffset ] ]

            let seen = readAll log
            Expect.equal
                (seen
                 |> List.choose (function
                     | Choice1Of2 offset -> Some offset
                     | _ -> None))
                readable
                "the records"

            // Each run of damaged batches has an event at the position where it was met.
            let runs =
                ((true, []), laid)
                ||> List.fold (fun (wasWhole, met) (piece, _, _) ->
                    let isWhole = piece.Damage = Whole
                    isWhole, (if wasWhole && not isWhole then piece :: met else met))
                |> snd

            Expect.isGreaterThanOrEqual
                (seen
                 |> List.filter (function
                     | Choice2Of2 _ -> true
                     | _ -> false)
                 |> List.length)
                runs.Length
                "the events of damage")

let private fails (code: ErrorCode) (fromReplica: bool) =
    fetched 7L Bytes.empty
    |> fun reply -> Fetched(reply.Position, reply.Exchange, Ok { fetchAnswer with Error = code })
    |> ConsumerReading.fetched Reading.standard orders 3 fromReplica

let private isNothing (expected: FetchPosition) (outcome: Outcome) =
    match outcome with
    | Outcome.Nothing next -> Expect.equal next expected "the position"
    | Outcome.Event event -> failtestf "%O" event

let private others =
    testList
        "answers"
        [ test "an empty answer is no event, and the position stays, with its epoch" {
              let position = { Offset = 9L; LastEpoch = 4 }
              fetchedAs position (Ok { fetchAnswer with Records = None })
              |> ConsumerReading.fetched Reading.standard orders 1 false
              |> isNothing position
          }

          test "control batches alone are no event, but the position passes them" {
              let batch =
                  BatchBuilder.build
                      { BatchOptions.standard with
                          BaseOffset = 9L
                          PartitionLeaderEpoch = 2
                          IsControl = true
                          IsTransactional = true
                          ProducerId = 5L
                          ProducerEpoch = 0s }
                      [ { Offset = 9L
                          Timestamp = 0L
                          Key = ValueSome(Bytes.ofHex "00000001")
                          Value = ValueSome(Bytes.ofHex "000000000000")
                          Headers = [] } ]
                  |> ok

              ConsumerReading.fetched Reading.standard orders 1 false (fetched 9L (RecordSet.concat [ batch ]))
              |> isNothing { Offset = 10L; LastEpoch = 2 }
          }

          test "OFFSET_OUT_OF_RANGE is an event of its own, unless a replica said it, which may only be late" {
              match fails ErrorCode.OffsetOutOfRange false with
              | Outcome.Event(ConsumerEvent.OutOfRange(partition, reply)) -> Expect.equal (partition, reply.Offset) (orders, 7L) "where"
              | _ -> failtest "no event"

              fails ErrorCode.OffsetOutOfRange true |> isNothing (FetchPosition.at 7L)
          }

          test "an error code is a failure with its attempt" {
              match fails ErrorCode.NotLeaderOrFollower false with
              | Outcome.Event(ConsumerEvent.Failed(_, CallFailure.Code code, 3)) ->
                  Expect.equal code ErrorCode.NotLeaderOrFollower "the code"
              | _ -> failtest "no event"
          }

          test "a fetch session that the broker has lost is no event" {
              for code in [ ErrorCode.FetchSessionIdNotFound; ErrorCode.InvalidFetchSessionEpoch ] do
                  fails code false |> isNothing (FetchPosition.at 7L)
          }

          test "a diverging epoch goes back, and never forward" {
              let diverging end' : Fetch.PartitionResponse = { fetchAnswer with DivergingEpoch = { Epoch = 2; EndOffset = end' } }

              for end', expected in [ 5L, 5L; 50L, 9L ] do
                  match
                      fetchedAs { Offset = 9L; LastEpoch = 4 } (Ok(diverging end'))
                      |> ConsumerReading.fetched Reading.standard orders 1 false
                  with
                  | Outcome.Event(ConsumerEvent.Truncated(_, _, position)) ->
                      Expect.equal position { Offset = expected; LastEpoch = 2 } "where to continue"
                  | _ -> failtest "no event"
          }

          test "a broker's pause is waited out, except that of an old one, which has paused itself" {
              let throttled version =
                  let reply = fetched 9L Bytes.empty
                  let info = { reply.Info with ThrottleTime = TimeSpan.FromSeconds 2.0; Version = version }
                  Fetched(reply.Position, { reply.Exchange with Info = info }, Ok reply.Answer.Value)

              Expect.equal (ConsumerReading.pause (throttled 8s)) (TimeSpan.FromSeconds 2.0) "the pause"
              Expect.equal (ConsumerReading.pause (throttled 7s)) TimeSpan.Zero "no pause"
          } ]

let private steps =
    testList
        "the next step"
        [ test "the standard function skips nothing: where the log has lost something, it gives up" {
              let reply = fetched 7L Bytes.empty

              for event in
                  [ ConsumerEvent.OutOfRange(orders, reply)
                    ConsumerEvent.Damaged(orders, reply, [], Some(FetchPosition.at 9L))
                    ConsumerEvent.Failed(orders, CallFailure.Code ErrorCode.TopicAuthorizationFailed, 1) ] do
                  Expect.isTrue (NextStep.standard event).IsGiveUp (event.ToString())
          }

          test "a transient failure is waited out, ever longer up to a limit" {
              let wait attempt =
                  match NextStep.standard (ConsumerEvent.Failed(orders, CallFailure.Fault ClientFault.Closed, attempt)) with
                  | NextStep.Wait time -> time.TotalMilliseconds
                  | other -> failtestf "%A" other

              for attempt, least, most in [ 1, 80.0, 100.0; 2, 160.0, 200.0; 3, 320.0, 400.0; 100, 800.0, 1000.0 ] do
                  Expect.isGreaterThanOrEqual (wait attempt) least "the least"
                  Expect.isLessThanOrEqual (wait attempt) most "the most"
          }

          test "partitions that failed together do not come back together" {
              let wait partition =
                  match
                      NextStep.standard (
                          ConsumerEvent.Failed({ orders with Partition = partition }, CallFailure.Fault ClientFault.Closed, 1)
                      )
                  with
                  | NextStep.Wait delay -> delay
                  | other -> failtestf "%O" other

              // As times and not as text, which has few digits.
              Expect.isGreaterThan ([ 1..20 ] |> List.distinctBy wait |> List.length) 10 "different delays"
          }

          test "resetting and skipping are asked for by name" {
              let reply = fetched 7L Bytes.empty
              let choose = NextStep.skippingDamage (NextStep.resetting OffsetSpec.Earliest)

              match choose (ConsumerEvent.OutOfRange(orders, reply)) with
              | NextStep.Seek spec -> Expect.equal spec OffsetSpec.Earliest "the place"
              | other -> failtestf "%A" other

              match choose (ConsumerEvent.Damaged(orders, reply, [], Some(FetchPosition.at 9L))) with
              | NextStep.GoOn position -> Expect.equal position.Offset 9L "after the damage"
              | other -> failtestf "%A" other

              Expect.isTrue (choose (ConsumerEvent.Damaged(orders, reply, [], None))).IsGiveUp "an unknown end"
          } ]

[<Tests>]
let tests = testList "what a consumer makes of answers" [ law; others; steps ]
