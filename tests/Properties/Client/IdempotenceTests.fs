/// An idempotent producer and a broker, as values: whatever is lost, each batch is in the log once and in order.
module LibKafka.Properties.Client.IdempotenceTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Cases
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Properties.Records.Samples
open LibKafka.Properties.Client.Support

let private stamping =
    let cut (at: int) (size: int) (batch: RecordBatch) =
        let bytes = batch.Bytes.ToArray()
        Array.append bytes[.. at - 1] bytes[at + size ..]

    /// All fields except checksum, attributes and the producer's.
    let rest (batch: RecordBatch) =
        let bytes = batch.Bytes.ToArray()
        Array.concat [ bytes[..16]; bytes[23..42]; bytes[57..] ]

    testList
        "a batch with a producer"
        [ property "has the producer and a checksum that fits, and is otherwise the same" (fun (sample: Sample, sequence: NonNegativeInt) ->
              let batch = toBatch sample
              let stamped = RecordBatch.withProducer 4711L 12s sequence.Get batch |> ok

              RecordBatch.verify stamped = Ok()
              && (stamped.ProducerId, stamped.ProducerEpoch, stamped.BaseSequence) = (4711L, 12s, sequence.Get)
              && stamped.Attributes.Bits = (batch.Attributes.WithTransactional false).Bits
              && rest stamped = rest batch)

          property "of a transaction differs in that bit alone" (fun (sample: Sample) ->
              let batch = toBatch sample
              let outside = RecordBatch.withProducer 1L 2s 3 batch |> ok
              let within = RecordBatch.withTransactionalProducer 1L 2s 3 batch |> ok

              RecordBatch.verify within = Ok()
              && within.IsTransactional
              && not outside.IsTransactional
              && cut 17 6 within = cut 17 6 outside
              && within.Attributes.Bits = (outside.Attributes.WithTransactional true).Bits)

          property "is what the builder makes with the same options" (fun (sample: Sample) ->
              let options = { sample.Options with ProducerId = 9L; ProducerEpoch = 8s; BaseSequence = 7; IsTransactional = true }

              RecordBatch.withTransactionalProducer 9L 8s 7 (toBatch sample) = Ok(toBatch { sample with Options = options }))

          test "that is damaged is refused, so that the damage is noticed" {
              let bytes = (plainBatch 2).Bytes.ToArray()
              bytes[bytes.Length - 1] <- bytes[bytes.Length - 1] ^^^ 1uy

              for stamp in [ RecordBatch.withProducer 1L 2s 3; RecordBatch.withTransactionalProducer 1L 2s 3 ] do
                  match (faultOf (stamp (batchOf bytes))).Problem with
                  | Problem.BadCrc _ -> ()
                  | other -> failtestf "%O" other
          }

          property
              "and a header apart has the bytes of the copy, and shares the records"
              (fun (sample: Sample, sequence: NonNegativeInt, inTransaction: bool) ->
                  let batch = toBatch sample
                  let before = batch.Bytes.ToArray()
                  let copying = if inTransaction then RecordBatch.withTransactionalProducer else RecordBatch.withProducer
                  let apart = RecordBatch.withHeaderApart inTransaction 4711L 12s sequence.Get batch |> ok
                  let copy = (copying 4711L 12s sequence.Get batch |> ok).Rebase(0L, -1)

                  apart = copy
                  && apart.Bytes = copy.Bytes
                  && apart.Header.ToString() = copy.Header.ToString()
                  && RecordBatch.verify apart = Ok()
                  && Object.ReferenceEquals(apart.Buffer, batch.Buffer)
                  && apart.Payload = copy.Payload
                  && RecordBatch.toList Reading.standard apart = RecordBatch.toList Reading.standard copy
                  && batch.Bytes.ToArray() = before)

          property "and a header apart can be given another one" (fun (sample: Sample, first: NonNegativeInt, second: NonNegativeInt) ->
              let batch = toBatch sample
              let once = RecordBatch.withHeaderApart true 1L 2s first.Get batch |> ok
              let twice = RecordBatch.withHeaderApart false 4711L 12s second.Get once |> ok

              twice = (RecordBatch.withProducer 4711L 12s second.Get batch |> ok).Rebase(0L, -1) && RecordBatch.verify twice = Ok())

          property
              "and a header apart has a wrong checksum if the batch has one, wherever it is damaged"
              (fun (sample: Sample, at: PositiveInt, bit: byte) ->
                  let bytes = (toBatch sample).Bytes.ToArray()
                  let at = At.Crc + at.Get % (bytes.Length - At.Crc)
                  bytes[at] <- bytes[at] ^^^ (1uy <<< int (bit &&& 7uy))

                  match RecordBatch.ofBytes (Bytes bytes) with
                  | Ok damaged -> (RecordBatch.verify (RecordBatch.withHeaderApart false 1L 2s 3 damaged |> ok)).IsError
                  | Error _ -> true)

          test "refuses a negative number, and names it" {
              for id, epoch, sequence, field in [ -1L, 0s, 0, "ProducerId"; 0L, -1s, 0, "ProducerEpoch"; 0L, 0s, -1, "BaseSequence" ] do
                  let fault = faultOf (RecordBatch.withProducer id epoch sequence (plainBatch 1))
                  Expect.equal fault.Path field "the field"

                  match fault.Problem with
                  | Problem.OutOfRange(-1L, 0L, _) -> ()
                  | other -> failtestf "%O" other
          } ]

/// A broker with one partition and one producer, as the protocol describes it.
type private Log =
    {
        /// The batches' first timestamps, which identify them, in order.
        Batches: int64 list
        /// Base sequence, last sequence and offset of the last five, the latest first.
        Recent: (int * int * int64) list
        Next: int
        EndOffset: int64
        /// Whether it still knows the offset of a batch that arrives again.
        RemembersOffsets: bool
    }

let private append (batch: RecordBatch) (log: Log) : Log * ProduceResult =
    let again = log.Recent |> List.tryFind (fun (first, last, _) -> first = batch.BaseSequence && last = batch.LastSequence)

    match again with
    | Some(_, _, offset) when log.RemembersOffsets -> log, acknowledged offset
    | Some _ -> log, ProduceResult.Rejected(Rejection.ByBroker(refusal ErrorCode.DuplicateSequenceNumber))
    | None when batch.BaseSequence = log.Next ->
        { log with
            Batches = log.Batches @ [ batch.BaseTimestamp ]
            Recent = List.truncate 5 ((batch.BaseSequence, batch.LastSequence, log.EndOffset) :: log.Recent)
            Next = Sequence.add batch.LastSequence 1
            EndOffset = log.EndOffset + int64 batch.Count },
        acknowledged log.EndOffset
    | None -> log, ProduceResult.Rejected(Rejection.ByBroker(refusal ErrorCode.OutOfOrderSequenceNumber))

/// What happens to one request.
type Fate =
    | Delivered
    | NotSent
    | RequestLost
    | AnswerLost
    /// The client gives up, and the request arrives after this number of later ones.
    | Late of int
    | Refused
    | Unsure

let private fate: Gen<Fate> =
    Gen.frequency
        [ 3, Gen.constant Delivered
          1, Gen.constant NotSent
          2, Gen.constant RequestLost
          2, Gen.constant AnswerLost
          2, Gen.map Late (Gen.choose (0, 8))
          1, Gen.constant Refused
          1, Gen.constant Unsure ]

/// The sizes of the batches to produce, what happens to each request, the first sequence, and whether the broker remembers offsets.
type Story = { Sizes: int list; Fates: Fate list; First: int; RemembersOffsets: bool }

let private story: Gen<Story> = gen {
    let! sizes = Gen.choose (1, 12) |> Gen.bind (fun count -> Gen.listOfLength count (Gen.choose (1, 4)))
    let! fates = Gen.choose (0, 40) |> Gen.bind (fun count -> Gen.listOfLength count fate)
    let! first = Gen.elements [ 0; 1; Int32.MaxValue - 3; Int32.MaxValue ]
    let! remembers = Gen.elements [ true; false ]
    return { Sizes = sizes; Fates = fates; First = first; RemembersOffsets = remembers }
}

type Stories =
    static member Story() : Arbitrary<Story> =
        Arb.fromGenShrink (
            story,
            fun story -> seq {
                for at in 0 .. story.Fates.Length - 1 do
                    { story with Fates = List.removeAt at story.Fates }

                for at in 0 .. story.Sizes.Length - 1 do
                    { story with Sizes = List.removeAt at story.Sizes }
            }
        )

let private lost = ProduceResult.Unknown(Doubt.AnswerLost ClientFault.Closed)

/// The broker, the requests in flight with the number of others that will arrive before each, and what will happen to further ones.
type private World = { Log: Log; UnderWay: (int * RecordBatch) list; Fates: Fate list }

let private arrivals (world: World) : World =
    let due, waiting = world.UnderWay |> List.partition (fun (steps, _) -> steps <= 0)

    { world with
        Log = (world.Log, due) ||> List.fold (fun log (_, batch) -> fst (append batch log))
        UnderWay = waiting |> List.map (fun (steps, batch) -> steps - 1, batch) }

let private send (batch: RecordBatch) (world: World) : World * ProduceResult =
    let world = arrivals world
    let fate = List.tryHead world.Fates |> Option.defaultValue Delivered
    let world = { world with Fates = List.truncate 1000 (if world.Fates.IsEmpty then [] else world.Fates.Tail) }
    let log, answer = append batch world.Log

    match fate with
    | Delivered -> { world with Log = log }, answer
    | NotSent -> world, ProduceResult.Rejected(Rejection.NotSent ClientFault.Closed)
    | RequestLost -> world, lost
    | AnswerLost -> { world with Log = log }, lost
    | Late steps -> { world with UnderWay = (steps, batch) :: world.UnderWay }, lost
    | Refused -> world, ProduceResult.Rejected(Rejection.ByBroker(refusal ErrorCode.NotLeaderOrFollower))
    | Unsure ->
        match answer with
        | ProduceResult.Acknowledged _ ->
            { world with Log = log }, ProduceResult.Unknown(Doubt.BrokerUnsure(refusal ErrorCode.NotEnoughReplicasAfterAppend))
        | other -> { world with Log = log }, other

/// Sends a batch while it is in doubt. Returns the result and the last state.
let rec private settle (batch: RecordBatch) (state: ProducerState) (world: World) : World * ProducerState * ProduceResult =
    let world, outcome = send batch world
    let state, outcome = ProducerState.after batch outcome state

    match state with
    | ProducerState.InDoubt pending -> settle pending state world
    | _ -> world, state, outcome

let private stamp (sequence: int) (name: int64) (size: int) : RecordBatch =
    let builder = BatchBuilder BatchOptions.standard

    for _ in 1..size do
        builder.Add(name, NullableSpan.Null, NullableSpan.Null)

    builder.Build() |> RecordBatch.withProducer 1L 0s sequence |> ok

let private tell (story: Story) : int64 list * int64 list * World =
    let log = { Batches = []; Recent = []; Next = story.First; EndOffset = 0L; RemembersOffsets = story.RemembersOffsets }

    let produce (world, state, settled) (name, size) =
        match state with
        | ProducerState.Ready sequence ->
            let batch = stamp sequence name size
            let world, state, outcome = settle batch state world

            match outcome with
            | ProduceResult.Acknowledged _ -> world, state, settled @ [ name ]
            | ProduceResult.Rejected _ -> world, state, settled
            | ProduceResult.Unknown _ -> failtestf "fenced without a reason: %O" outcome
        | other -> failtestf "%O" other

    let names = story.Sizes |> List.mapi (fun index size -> int64 index, size)
    let start = { Log = log; UnderWay = []; Fates = story.Fates }, ProducerState.Ready story.First, []
    let world, _, settled = List.fold produce start names
    // Requests that are still in flight arrive in the end.
    let world = { world with UnderWay = world.UnderWay |> List.map (fun (_, batch) -> 0, batch) } |> arrivals
    settled, world.Log.Batches, world

let private config = { config with maxTest = cases 2000; arbitrary = [ typeof<Stories> ] }

let private law =
    testPropertyWithConfig
        config
        "acknowledged batches are in the log once and in order, and no others, whatever is lost, late or refused"
        (fun (story: Story) ->
            let acknowledged, log, _ = tell story
            log = acknowledged)

let private refusedWith (code: ErrorCode) = ProduceResult.Rejected(Rejection.ByBroker(refusal code))

let private fencing =
    [ ErrorCode.OutOfOrderSequenceNumber
      ErrorCode.UnknownProducerId
      ErrorCode.InvalidProducerEpoch
      ErrorCode.ProducerFenced
      ErrorCode.InvalidProducerIdMapping ]

let private states =
    let batch = stamp 5 0L 3

    testList
        "the state"
        [ test "advances by the records of an acknowledged batch" {
              Expect.equal
                  (ProducerState.after batch (acknowledged 9L) (ProducerState.Ready 5))
                  (ProducerState.Ready 8, acknowledged 9L)
                  "the state and the outcome"
          }

          test "wraps from the largest sequence to 0" {
              let last = stamp (Int32.MaxValue - 1) 0L 2
              let state, _ = ProducerState.after last (acknowledged 0L) (ProducerState.Ready last.BaseSequence)
              Expect.equal state (ProducerState.Ready 0) "right after it"
              let across = stamp (Int32.MaxValue - 1) 0L 4
              let state, _ = ProducerState.after across (acknowledged 0L) (ProducerState.Ready across.BaseSequence)
              Expect.equal state (ProducerState.Ready 2) "within a batch"
          }

          test "DUPLICATE_SEQUENCE_NUMBER acknowledges the batch, without an offset" {
              for before in [ ProducerState.Ready 5; ProducerState.InDoubt batch ] do
                  Expect.equal
                      (ProducerState.after batch (refusedWith ErrorCode.DuplicateSequenceNumber) before)
                      (ProducerState.Ready 8, acknowledged -1L)
                      "the state and the outcome"
          }

          test "the next batch gets the sequence of a refused one" {
              for outcome in [ refusedWith ErrorCode.MessageTooLarge; ProduceResult.Rejected(Rejection.NotSent ClientFault.Closed) ] do
                  Expect.equal
                      (ProducerState.after batch outcome (ProducerState.Ready 5))
                      (ProducerState.Ready 5, outcome)
                      "the state and the outcome"
          }

          test "a batch that was in doubt stays in doubt if its repetition is refused" {
              for rejection in [ Rejection.ByBroker(refusal ErrorCode.NotLeaderOrFollower); Rejection.NotSent ClientFault.Closed ] do
                  Expect.equal
                      (ProducerState.after batch (ProduceResult.Rejected rejection) (ProducerState.InDoubt batch))
                      (ProducerState.InDoubt batch, ProduceResult.Unknown(Doubt.SentBefore rejection))
                      "the state and the outcome"
          }

          for code in fencing do
              test (code.Name + " fences: a new batch is not in the log, and one in doubt stays unknown") {
                  Expect.equal
                      (ProducerState.after batch (refusedWith code) (ProducerState.Ready 5))
                      (ProducerState.Fenced code, refusedWith code)
                      "a new one"

                  Expect.equal
                      (ProducerState.after batch (refusedWith code) (ProducerState.InDoubt batch))
                      (ProducerState.Fenced code, ProduceResult.Unknown(Doubt.SentBefore(Rejection.ByBroker(refusal code))))
                      "one in doubt"
              } ]

let private identities = test "a producer can begin its next epoch by itself, up to the last" {
    let identity = { ProducerId = 7L; ProducerEpoch = Int16.MaxValue - 1s }
    let last = { identity with ProducerEpoch = Int16.MaxValue }
    Expect.equal (ProducerIdentity.nextEpoch identity) (Some last) "the last"
    Expect.equal (ProducerIdentity.nextEpoch last) None "there is none after it"
}

[<Tests>]
let tests = testList "idempotence" [ stamping; law; states; identities ]
