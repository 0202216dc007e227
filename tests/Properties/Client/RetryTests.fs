/// Retry policies: how often, when, and what for.
module LibKafka.Properties.Client.RetryTests

open System
open System.Threading
open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Cases
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Properties.Client.Support

/// A clock that stands still until it is moved.
type private Clock() =
    inherit TimeProvider()
    let mutable now = 0L
    override _.TimestampFrequency = TimeSpan.TicksPerSecond
    override _.GetTimestamp() = now
    member _.Move(time: TimeSpan) = now <- now + time.Ticks
    member _.Now = TimeSpan.FromTicks now

let private ms (milliseconds: float) = TimeSpan.FromMilliseconds milliseconds

/// A policy, and for each attempt whether it succeeds, how long it takes, and the random number after it.
type Trial = { Attempts: int; First: int; Factor: float; Most: int; Jitter: float; Limit: int; Calls: (bool * int * float) list }

let private trial: Gen<Trial> = gen {
    let! attempts = Gen.choose (0, 8)
    let! first = Gen.choose (0, 200)
    let! factor = Gen.elements [ 1.0; 1.5; 2.0; 10.0 ]
    let! most = Gen.choose (0, 1000)
    let! jitter = Gen.elements [ 0.0; 0.2; 0.5; 1.0 ]
    let! limit = Gen.elements [ 0; 100; 1000; 1_000_000 ]

    let call = gen {
        let! succeeds = Gen.frequency [ 4, Gen.constant false; 1, Gen.constant true ]
        let! takes = Gen.choose (0, 300)
        let! random = Gen.choose (0, 999)
        return succeeds, takes, float random / 1000.0
    }

    let! calls = Gen.listOfLength 10 call

    return { Attempts = attempts; First = first; Factor = factor; Most = most; Jitter = jitter; Limit = limit; Calls = calls }
}

type Trials =
    static member Trial() : Arbitrary<Trial> = Arb.fromGen trial

type private Happened =
    | Called of attempt: int * at: TimeSpan * succeeds: bool
    | Slept of TimeSpan

/// What happens, in order, and the last result.
let private run (trial: Trial) : Happened list * bool =
    let clock = Clock()
    let happened = ResizeArray<Happened>()
    let mutable attempts = 0

    let policy =
        { RetryPolicy.make not with
            Attempts = trial.Attempts
            FirstDelay = ms (float trial.First)
            Factor = trial.Factor
            MaxDelay = ms (float trial.Most)
            Jitter = trial.Jitter
            TimeLimit = ms (float trial.Limit)
            Time = clock
            Random =
                fun () ->
                    let _, _, random = trial.Calls[attempts - 1]
                    random
            Sleep =
                fun delay _ ->
                    happened.Add(Slept delay)
                    clock.Move delay }

    let call (options: CallOptions) =
        let succeeds, takes, _ = trial.Calls[attempts]
        attempts <- attempts + 1
        happened.Add(Called(options.Attempt, clock.Now, succeeds))
        clock.Move(ms (float takes))
        succeeds

    let result = policy.Run call
    List.ofSeq happened, result

let private property name (law: Trial -> bool) =
    testPropertyWithConfig { FsCheckConfig.defaultConfig with maxTest = cases 500; arbitrary = [ typeof<Trials> ] } name law

/// The delays before five attempts that all fail.
let private delaysWith (change: RetryPolicy<bool> -> RetryPolicy<bool>) : TimeSpan list =
    let slept = ResizeArray<TimeSpan>()

    let policy =
        { RetryPolicy.make not with
            Factor = 1_000.0
            Jitter = 0.0
            TimeLimit = TimeSpan.FromDays 1.0
            Sleep = fun delay _ -> slept.Add delay }

    (change policy).Run(fun _ -> false) |> ignore
    List.ofSeq slept

let private extreme = test "every delay is a time, at any attempt" {
    for first in [ TimeSpan.Zero; ms 1.0 ] do
        for factor in [ 0.0; 0.5; 1.0; 2.0; 1e300; infinity ] do
            for most in [ TimeSpan.Zero; ms 10.0; Timeout.InfiniteTimeSpan ] do
                for attempt in [ 1; 2; 1024; 1025; 1026; 1_000_000; Int32.MaxValue ] do
                    for random in [ 0.0; 0.5; 0.999 ] do
                        let policy = { RetryPolicy.make not with FirstDelay = first; Factor = factor; MaxDelay = most }
                        let delay = policy.Delay(attempt, random)
                        Expect.isTrue (delay >= TimeSpan.Zero) "not negative"
                        Expect.isTrue (delay <= ms (float Int32.MaxValue)) "not longer than a wait can be"
                        if first = TimeSpan.Zero then Expect.equal delay TimeSpan.Zero "no delay at all"

    let policy =
        { RetryPolicy.make not with FirstDelay = TimeSpan.Zero; Attempts = 3_000; TimeLimit = Timeout.InfiniteTimeSpan }
    let mutable calls = 0
    policy.Run(fun _ ->
        calls <- calls + 1
        false)
    |> ignore
    Expect.equal calls 3_000 "all attempts are made"
}

let private unbounded =
    testList
        "without a limit"
        [ test "an infinite time limit is no limit" {
              let limited = delaysWith id
              Expect.equal limited.Length 4 "the attempts that there are"
              Expect.equal (delaysWith (fun policy -> { policy with TimeLimit = Timeout.InfiniteTimeSpan })) limited "the same"
          }

          test "a delay without a limit grows to the longest possible wait" {
              let expected = [ ms 1e2; ms 1e5; ms 1e8; ms (float Int32.MaxValue) ]

              for most in [ Timeout.InfiniteTimeSpan; TimeSpan.MaxValue ] do
                  let delays = delaysWith (fun policy -> { policy with MaxDelay = most; TimeLimit = Timeout.InfiniteTimeSpan })
                  Expect.equal delays expected "the delays"
          } ]

let private calls happened =
    happened
    |> List.choose (fun it ->
        match it with
        | Called(attempt, at, succeeds) -> Some(attempt, at, succeeds)
        | Slept _ -> None)

let private delays happened =
    happened
    |> List.choose (fun it ->
        match it with
        | Slept delay -> Some delay
        | Called _ -> None)

let private laws =
    testList
        "laws"
        [ property "there is at least one attempt and never more than allowed, numbered from 1" (fun trial ->
              let calls = fst (run trial) |> calls
              calls.Length >= 1
              && calls.Length <= max 1 trial.Attempts
              && (calls |> List.map (fun (attempt, _, _) -> attempt)) = [ 1 .. calls.Length ])

          property "it ends with the first success, and returns the last result" (fun trial ->
              let happened, result = run trial
              let results = calls happened |> List.map (fun (_, _, succeeds) -> succeeds)
              List.last results = result && not (results |> List.take (results.Length - 1) |> List.contains true))

          property "there is one delay between attempts, and none after the last" (fun trial ->
              let happened, _ = run trial

              let alternates = happened |> List.mapi (fun index it -> it.IsSlept = (index % 2 = 1)) |> List.forall id

              alternates && (List.last happened).IsCalled)

          property "delays are within their limits, and grow by the factor" (fun trial ->
              fst (run trial)
              |> delays
              |> List.mapi (fun index delay ->
                  let full = min (float trial.First * Math.Pow(trial.Factor, float index)) (float trial.Most)
                  let delay = delay.TotalMilliseconds
                  delay <= full + 0.001 && delay >= full * (1.0 - trial.Jitter) - 0.001)
              |> List.forall id)

          property "no attempt except the first begins after the time limit" (fun trial ->
              fst (run trial) |> calls |> List.tail |> List.forall (fun (_, at, _) -> at < ms (float trial.Limit)))

          property "a failure is retried as often as allowed while there is time" (fun trial ->
              let trial =
                  { trial with Limit = 1_000_000_000; Calls = trial.Calls |> List.map (fun (_, takes, random) -> false, takes, random) }

              (fst (run trial) |> calls).Length = max 1 trial.Attempts) ]

let private cancelling =
    testList
        "cancelling"
        [ test "ends the wait, and the last result is returned" {
              use source = new CancellationTokenSource()
              let policy =
                  { RetryPolicy.make not with
                      FirstDelay = TimeSpan.FromHours 1.0
                      MaxDelay = TimeSpan.FromHours 1.0
                      TimeLimit = TimeSpan.FromDays 1.0 }
              let mutable calls = 0

              let call _ =
                  calls <- calls + 1
                  source.CancelAfter 20
                  false

              Expect.isFalse (policy.Run(call, CallOptions.cancelledBy source.Token)) "the result"
              Expect.equal calls 1 "attempts"
          }

          test "before the first attempt does not prevent that attempt" {
              let mutable calls = 0

              let call _ =
                  calls <- calls + 1
                  false

              Expect.isFalse ((RetryPolicy.make not).Run(call, CallOptions.cancelledBy (CancellationToken true))) "the result"
              Expect.equal calls 1 "attempts"
          } ]

let private address = { Host = "h"; Port = 1 }

let private passing =
    [ ClientFault.CannotConnect(address, "refused")
      ClientFault.TimedOut(ms 1.0)
      ClientFault.Closed
      ClientFault.Broken "x"
      ClientFault.Unusable "x"
      ClientFault.NoLeader({ Topic = "t"; Partition = 0 }, ErrorCode.LeaderNotAvailable)
      ClientFault.NoBroker [ address, ClientFault.Closed ] ]

let private lasting =
    [ ClientFault.Cancelled
      ClientFault.NoBroker []
      ClientFault.NoLeader({ Topic = "t"; Partition = 0 }, ErrorCode.TopicAuthorizationFailed)
      ClientFault.NoCommonVersion(ApiKey.Produce, { Lowest = 1s; Highest = 2s }, None)
      ClientFault.CannotEncode { Problem = Problem.TooLong(2L, 1L); Offset = 0; Path = "" }
      ClientFault.Malformed { Problem = Problem.TooLong(2L, 1L); Offset = 0; Path = "" }
      ClientFault.WrongCorrelationId(1, 2) ]

/// Every code, by whether Kafka considers it retriable.
let private retriable, private definite =
    [ -1s .. 136s ] |> List.map ErrorCode |> List.filter _.IsError |> List.partition _.IsRetriable

let private worthIt =
    let refusedWith code = produced (ProduceResult.Rejected(Rejection.ByBroker(refusal code)))
    let notSent fault = produced (ProduceResult.Rejected(Rejection.NotSent fault))
    let unsure = produced (ProduceResult.Unknown(Doubt.BrokerUnsure(refusal ErrorCode.RequestTimedOut)))
    let lost = produced (ProduceResult.Unknown(Doubt.AnswerLost ClientFault.Closed))
    let sentBefore rejection = produced (ProduceResult.Unknown(Doubt.SentBefore rejection))

    testList
        "what is worth another attempt"
        [ test "a batch that is not in the log for a transient reason" {
              for isWorth in [ Transient.isProduced; Transient.isIdempotent ] do
                  for code in retriable do
                      Expect.isTrue (isWorth (refusedWith code)) (code.ToString())

                  for fault in passing do
                      Expect.isTrue (isWorth (notSent fault)) (fault.ToString())

                  for code in definite do
                      Expect.isFalse (isWorth (refusedWith code)) (code.ToString())

                  for fault in lasting do
                      Expect.isFalse (isWorth (notSent fault)) (fault.ToString())

                  Expect.isFalse (isWorth (produced (acknowledged 1L))) "it is in the log"
                  Expect.isFalse (isWorth (produced (ProduceResult.Unknown Doubt.NotAsked))) "no acknowledgement was requested"
          }

          test "a batch with an unknown result: only if it cannot be duplicated" {
              for doubtful in
                  [ unsure
                    lost
                    sentBefore (Rejection.NotSent ClientFault.Closed)
                    sentBefore (Rejection.ByBroker(refusal ErrorCode.NotLeaderOrFollower)) ] do
                  Expect.isFalse (Transient.isProduced doubtful) "it could be doubled"
                  Expect.isTrue (Transient.isIdempotent doubtful) "brokers take it once"

              for hopeless in
                  [ sentBefore (Rejection.ByBroker(refusal ErrorCode.ProducerFenced))
                    sentBefore (Rejection.NotSent ClientFault.Cancelled)
                    produced (ProduceResult.Unknown(Doubt.AnswerLost ClientFault.Cancelled)) ] do
                  Expect.isFalse (Transient.isIdempotent hopeless) "nothing would come of it"
          }

          test "a fetch or a search, sent or not" {
              let found code = { ListOffsets.partitionResponse.Default with Error = code }
              let sought result = Sought(exchange ListOffsets.api.Request (Error ClientFault.Closed), result)
              let fetched result = fetchedAs (FetchPosition.at 0L) result

              for code in retriable do
                  Expect.isTrue (Transient.isFetched (fetched (Ok { fetchAnswer with Error = code }))) (code.ToString())
                  Expect.isTrue (Transient.isSought (sought (Ok(found code)))) (code.ToString())

              for code in ErrorCode.None :: definite do
                  Expect.isFalse (Transient.isFetched (fetched (Ok { fetchAnswer with Error = code }))) (code.ToString())
                  Expect.isFalse (Transient.isSought (sought (Ok(found code)))) (code.ToString())

              for fault in passing do
                  Expect.isTrue (Transient.isFetched (fetched (Error fault))) (fault.ToString())
                  Expect.isTrue (Transient.isSought (sought (Error fault))) (fault.ToString())

              for fault in lasting do
                  Expect.isFalse (Transient.isFetched (fetched (Error fault))) (fault.ToString())
                  Expect.isFalse (Transient.isSought (sought (Error fault))) (fault.ToString())
          }

          test "any request that was not sent" {
              let called bytes outcome : Exchange<Fetch.Request, Fetch.Response> =
                  { exchange Fetch.api.Request outcome with Info = { info with BytesOut = bytes } }

              Expect.isTrue (Transient.isNotSent (called 0 (Error ClientFault.Closed))) "not sent"
              Expect.isFalse (Transient.isNotSent (called 1 (Error ClientFault.Closed))) "sent"
              Expect.isFalse (Transient.isNotSent (called 0 (Error ClientFault.Cancelled))) "cancelled"
              Expect.isFalse (Transient.isNotSent (called 9 (Ok Fetch.response.Default))) "answered"
          } ]

[<Tests>]
let tests = testList "retry" [ laws; extreme; unbounded; cancelling; worthIt ]
