/// A fetch session and a broker that keeps it, loses it or has no room for it.
module LibKafka.Properties.Client.FetchSessionTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Cases
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Properties.Client.Support

let private asked (offset: int64) : Fetch.PartitionRequest =
    { Fetch.partitionRequest.Default with
        Partition = 0
        CurrentLeaderEpoch = 1
        FetchOffset = offset
        PartitionMaxBytes = 100 }

/// What a broker keeps of a session: its id, the next epoch, and what it was told about the partition.
type private Kept = { Id: int; Due: int; Told: Fetch.PartitionRequest }

/// What happens before and at a fetch.
type Event =
    {
        /// The reader moves.
        Moves: bool
        /// There is something to read, so that the partition is in the response.
        HasNews: bool
        /// The broker drops the session.
        Drops: bool
        /// The broker loses its count of requests.
        Miscounts: bool
        /// The broker has no room for a new session.
        IsFull: bool
    }

let private event: Gen<Event> = gen {
    let sometimes = Gen.frequency [ 4, Gen.constant false; 1, Gen.constant true ]
    let! moves = Gen.elements [ true; false ]
    let! news = Gen.elements [ true; false ]
    let! drops = sometimes
    let! miscounts = sometimes
    let! full = sometimes
    return { Moves = moves; HasNews = news; Drops = drops; Miscounts = miscounts; IsFull = full }
}

type Events =
    static member Event() : Arbitrary<Event> = Arb.fromGen event

let private response (error: ErrorCode) (session: int) : Fetch.Response = { Fetch.response.Default with Error = error; SessionId = session }

/// The broker's side: what it keeps after the request, its response, and the partition as it read it, if it did.
let private serve (event: Event) (fresh: int) (kept: Kept option) (session: FetchSession) (named: Fetch.PartitionRequest option) =
    let kept = if event.Drops then None else kept

    match session.Epoch, kept, named with
    | -1, _, Some told -> kept, response ErrorCode.None 0, Some told
    | 0, _, Some told when event.IsFull -> None, response ErrorCode.None 0, Some told
    | 0, _, Some told -> Some { Id = fresh; Due = 1; Told = told }, response ErrorCode.None fresh, Some told
    | (-1 | 0), _, None -> failtest "a full request without the partition"
    | _, None, _ -> None, response ErrorCode.FetchSessionIdNotFound 0, None
    | _, Some it, _ when it.Id <> session.Id -> kept, response ErrorCode.FetchSessionIdNotFound 0, None
    | epoch, Some it, _ when event.Miscounts || it.Due <> epoch -> kept, response ErrorCode.InvalidFetchSessionEpoch 0, None
    | _, Some it, _ ->
        let told = Option.defaultValue it.Told named
        Some { it with Due = it.Due + 1; Told = told }, response ErrorCode.None it.Id, Some told

let private law =
    testPropertyWithConfig
        { FsCheckConfig.defaultConfig with maxTest = cases 500; arbitrary = [ typeof<Events> ] }
        "the broker reads at the reader's position, and refuses only what it has lost"
        (fun (events: Event list) ->
            let step (kept: Kept option, session, offset, fresh, refusals) (event: Event) =
                let offset = if event.Moves then offset + 1L else offset
                let asked = asked offset
                let named = if FetchSession.mustTell asked session then Some asked else None
                let mayRefuse = event.Drops || event.Miscounts
                let kept, response, read = serve event fresh kept session named

                match read with
                | Some read -> Expect.equal read asked "what the broker reads"
                | None -> Expect.isTrue mayRefuse "the broker had no reason to refuse"

                let found =
                    match read with
                    | Some _ when event.HasNews || session.Epoch <= 0 -> Some { fetchAnswer with HighWatermark = offset + 5L }
                    | _ -> None

                let answer = if response.Error.IsError then None else FetchSession.answer found session

                if not response.Error.IsError then
                    Expect.isSome answer "there is an answer, be it that nothing has changed"

                kept, FetchSession.next asked response answer session, offset, fresh + 1, (if read.IsNone then refusals + 1 else 0)

            let _, _, _, _, refusals = List.fold step (None, FetchSession.opening, 0L, 1, 0) events
            // After a refusal there is a full request, which is not refused.
            refusals <= 1)

let private cases =
    let opened =
        FetchSession.next (asked 1L) (response ErrorCode.None 9) (Some { fetchAnswer with HighWatermark = 8L }) FetchSession.opening

    testList
        "session"
        [ test "none is kept if none is wanted" {
              let session = FetchSession.next (asked 1L) (response ErrorCode.None 0) None FetchSession.none
              Expect.equal (session.Id, session.Epoch) (0, -1) "no session"
              Expect.isTrue (FetchSession.mustTell (asked 1L) session) "every request is full"
          }

          test "once it is open, what has not changed is not sent again" {
              Expect.equal (opened.Id, opened.Epoch) (9, 1) "the first request within it"
              Expect.isFalse (FetchSession.mustTell (asked 1L) opened) "the same offset"
              Expect.isTrue (FetchSession.mustTell (asked 2L) opened) "another offset"
          }

          test "a response that leaves the partition out means that nothing has changed" {
              match FetchSession.answer None opened with
              | Some answer ->
                  Expect.equal answer.HighWatermark 8L "the same watermark"
                  Expect.equal answer.Error ErrorCode.None "no error"
                  Expect.isTrue (answer.Records |> Option.forall (fun records -> records.Length = 0)) "no records"
                  Expect.equal answer.PreferredReadReplica -1 "no replica"
              | None -> failtest "there is an answer"
          }

          test "what is kept of a response has no records, which would stay in memory" {
              let full = { fetchAnswer with Records = Some(Bytes.ofString "records"); HighWatermark = 8L }
              let session = FetchSession.next (asked 1L) (response ErrorCode.None 9) (Some full) FetchSession.opening
              let known = session.Known |> Option.map (fun known -> known.HighWatermark, known.Records)
              Expect.equal known (Some(8L, Fetch.partitionResponse.Default.Records)) "the bounds alone"
          }

          test "the epoch wraps to 1, because 0 would open another session" {
              let last = { opened with Epoch = Int32.MaxValue }
              Expect.equal (FetchSession.next (asked 1L) (response ErrorCode.None 9) None last).Epoch 1 "after the largest"
          }

          test "a session that the broker does not find is opened again" {
              let session = FetchSession.next (asked 1L) (response ErrorCode.FetchSessionIdNotFound 0) None opened
              Expect.equal (session.Id, session.Epoch) (0, 0) "a new one"
          }

          test "a session whose epoch the broker does not expect is closed and opened again" {
              let session = FetchSession.next (asked 1L) (response ErrorCode.InvalidFetchSessionEpoch 0) None opened
              Expect.equal (session.Id, session.Epoch) (9, 0) "a new one in place of the old"
          }

          test "a response of another session opens a new one" {
              let session = FetchSession.next (asked 1L) (response ErrorCode.None 10) None opened
              Expect.equal (session.Id, session.Epoch) (0, 0) "a new one"
          } ]

[<Tests>]
let tests = testList "fetch session" [ law; cases ]
