/// The state of one partition of a consumer.
module LibKafka.Properties.Topics.PartitionProgressTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Wire
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Properties.Records.Samples
open LibKafka.Properties.Client.Support

let private orders = { Topic = "orders"; Partition = 3 }

/// What happens to a partition. An impossible operation is skipped.
type Happening =
    | Ask
    | AnswerNothing of passed: int
    | AnswerRecords of count: int
    | AnswerFailure
    | Handle
    | Keep
    | MoveTo of int
    | Find
    | Pause
    | Resume

let private happening =
    Gen.frequency
        [ 6, Gen.constant Ask
          2, Gen.choose (0, 3) |> Gen.map AnswerNothing
          5, Gen.choose (1, 9) |> Gen.map AnswerRecords
          1, Gen.constant AnswerFailure
          5, Gen.constant Handle
          1, Gen.constant Keep
          2, Gen.choose (0, 1000) |> Gen.map MoveTo
          1, Gen.constant Find
          1, Gen.constant Pause
          2, Gen.constant Resume ]

type Happenings =
    static member Happening() : Arbitrary<Happening> = Arb.fromGen happening

/// The model: the next record that a reader who handles every event must get; none while an offset is being found.
type private Model =
    {
        Progress: PartitionProgress
        Expected: int64 option
        /// Where the request in flight or the event in hand began.
        Began: int64 option
    }

let private found = 5000L

let private isAsked (model: Model) = model.Progress.Activity.IsAsked
let private isInHand (model: Model) = model.Progress.Activity.IsInHand

let private handOut (event: ConsumerEvent) (model: Model) =
    // An answer to a request from an earlier start never gets here.
    Expect.equal model.Began model.Expected "what is handed out begins where the reader is"
    { model with Progress = PartitionProgress.handedOut event (NextStep.standard event) model.Progress }

let private recordsFrom (first: int64) (count: int) =
    let next = FetchPosition.at (first + int64 count)
    let reply = fetched first Bytes.empty
    ConsumerEvent.Fetched(orders, reply.Records LibKafka.Records.Reading.standard, reply, next)

let private outcome (began: int64 option) (progress: PartitionProgress) (happening: Happening) : Outcome =
    match happening, began with
    | AnswerNothing passed, Some began -> Outcome.Nothing(FetchPosition.at (began + int64 passed))
    | AnswerRecords count, Some began -> Outcome.Event(recordsFrom began count)
    | AnswerFailure, _ -> Outcome.Event(ConsumerEvent.Failed(orders, CallFailure.Fault ClientFault.Closed, progress.Failures + 1))
    // An offset was looked for.
    | _ -> Outcome.Nothing(FetchPosition.at found)

let private answerOf (outcome: Outcome) : PartitionAnswer =
    { Outcome = outcome; Pause = TimeSpan.Zero; HighWatermark = None; TopicId = Guid.Empty }

let private answer (model: Model) (happening: Happening) : Model =
    let outcome = outcome model.Began model.Progress happening
    let struct (after, event) = PartitionProgress.answered orders TimeSpan.Zero (answerOf outcome) model.Progress

    match event, outcome with
    | ValueSome event, _ -> handOut event { model with Progress = after }
    | ValueNone, Outcome.Nothing next when not model.Progress.IsMoved -> { model with Progress = after; Expected = Some next.Offset }
    | ValueNone, _ -> { model with Progress = after }

let private handle (model: Model) : Model =
    let progress = PartitionProgress.handled TimeSpan.Zero model.Progress

    match model.Progress.Activity with
    | Activity.InHand(NextStep.GoOn next, _) when not model.Progress.IsMoved ->
        { model with Progress = progress; Expected = Some next.Offset }
    | _ -> { model with Progress = progress }

let private step (model: Model) (happening: Happening) : Model =
    match happening with
    | Ask when PartitionProgress.isWanted model.Progress ->
        let began = PartitionProgress.position model.Progress |> Option.map _.Offset
        { model with Progress = PartitionProgress.asked model.Progress; Began = began }
    | AnswerNothing _
    | AnswerRecords _
    | AnswerFailure when isAsked model -> answer model happening
    | Handle when isInHand model -> handle model
    | Keep -> { model with Progress = PartitionProgress.kept model.Progress }
    | MoveTo offset ->
        { model with
            Progress = PartitionProgress.moved (Start.atOffset (int64 offset)) model.Progress
            Expected = Some(int64 offset) }
    | Find -> { model with Progress = PartitionProgress.moved Start.earliest model.Progress; Expected = None }
    | Pause -> { model with Progress = { model.Progress with IsPaused = true } }
    | Resume -> { model with Progress = { model.Progress with IsPaused = false } }
    | _ -> model

let private law =
    testPropertyWithConfig
        { config with arbitrary = [ typeof<Happenings> ] }
        "whatever happens, what is handed out begins after what was handled, or at the start that was set last"
        (fun (happenings: Happening list) ->
            let start = { Progress = PartitionProgress.from (Start.atOffset 0L); Expected = Some 0L; Began = None }

            (start, happenings)
            ||> List.fold (fun model happening ->
                let next = step model happening
                Expect.equal (PartitionProgress.position next.Progress |> Option.map _.Offset) next.Expected "the position"
                next)
            |> ignore)

let private examples =
    [ test "a topic with another id than the one that was read is reported, whatever the answer, and then read" {
          let before, now = Guid.NewGuid(), Guid.NewGuid()
          let read id progress =
              PartitionProgress.answered orders TimeSpan.Zero { answerOf (Outcome.Nothing(FetchPosition.at 9L)) with TopicId = id } progress
          let struct (first, none) = PartitionProgress.from (Start.atOffset 7L) |> PartitionProgress.asked |> read before
          Expect.isTrue none.IsNone "the first one"

          match first |> PartitionProgress.asked |> read now with
          | struct (after, ValueSome(ConsumerEvent.Recreated(_, old, new') as event)) ->
              Expect.equal (old, new') (before, now) "the ids"
              Expect.equal (PartitionProgress.position after) (Some(FetchPosition.at 9L)) "the position of the old topic"
              let handled =
                  after |> PartitionProgress.handedOut event (NextStep.standard event) |> PartitionProgress.handled TimeSpan.Zero
              Expect.isNone (PartitionProgress.position handled) "it looks for the beginning"
              let struct (_, again) = handled |> PartitionProgress.asked |> read now
              Expect.isTrue again.IsNone "it is reported once"
          | _ -> failtest "no event"
      }

      test "a partition that was given up is read again after a seek, and not before" {
          let event = ConsumerEvent.OutOfRange(orders, fetched 7L Bytes.empty)

          let given =
              PartitionProgress.from (Start.atOffset 7L)
              |> PartitionProgress.asked
              |> PartitionProgress.handedOut event NextStep.GiveUp
              |> PartitionProgress.handled TimeSpan.Zero

          Expect.isFalse (PartitionProgress.isWanted given) "given up"
          Expect.isFalse (PartitionProgress.isWanted { given with IsPaused = false }) "resuming does not help"
          let moved = PartitionProgress.moved Start.earliest given
          Expect.isTrue (PartitionProgress.isWanted moved) "read again"
      }

      test "failures in a row are counted until an answer" {
          let failed (progress: PartitionProgress) =
              let event = ConsumerEvent.Failed(orders, CallFailure.Fault ClientFault.Closed, progress.Failures + 1)
              progress
              |> PartitionProgress.asked
              |> PartitionProgress.handedOut event (NextStep.Wait(TimeSpan.FromSeconds 1.0))
              |> PartitionProgress.handled (TimeSpan.FromSeconds 10.0)

          let twice = PartitionProgress.from (Start.atOffset 7L) |> failed |> failed
          Expect.equal twice.Failures 2 "two"
          Expect.equal twice.NotBefore (TimeSpan.FromSeconds 11.0) "the wait counts from the handling"

          let answered = twice |> PartitionProgress.asked |> PartitionProgress.advanced (FetchPosition.at 7L)
          Expect.equal answered.Failures 0 "none"
      } ]

[<Tests>]
let tests = testList "a consumer's partition" (law :: examples)
