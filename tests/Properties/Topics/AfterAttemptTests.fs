/// What follows from an attempt to deliver a batch.
module LibKafka.Properties.Topics.AfterAttemptTests

open System
open System.Threading
open Expecto
open FsCheck.FSharp
open LibKafka.Cases
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Properties.Client.Support
open LibKafka.Properties.Support

let private codes =
    [ ErrorCode.NotLeaderOrFollower
      ErrorCode.NotEnoughReplicas
      ErrorCode.MessageTooLarge
      ErrorCode.OutOfOrderSequenceNumber
      ErrorCode.InvalidProducerEpoch ]

let private faults = [ ClientFault.Closed; ClientFault.Cancelled; ClientFault.CannotProduce "it has control records" ]

let private results: ProduceResult list =
    [ acknowledged 5L
      for code in codes do
          ProduceResult.Rejected(Rejection.ByBroker(refusal code))
          ProduceResult.Unknown(Doubt.SentBefore(Rejection.ByBroker(refusal code)))
      ProduceResult.Unknown(Doubt.BrokerUnsure(refusal ErrorCode.RequestTimedOut))
      for fault in faults do
          ProduceResult.Rejected(Rejection.NotSent fault)
          ProduceResult.Unknown(Doubt.AnswerLost fault) ]

let private states: ProducerState voption list =
    [ ValueNone
      ValueSome(ProducerState.Ready 7)
      ValueSome(ProducerState.InDoubt(LibKafka.Properties.Records.Samples.plainBatch 1))
      ValueSome(ProducerState.Fenced ErrorCode.OutOfOrderSequenceNumber) ]

type private Case = { Policy: RetryPolicy<Produced>; Attempted: Attempted; State: ProducerState voption; Produced: Produced }

let private case = gen {
    let! result = Gen.elements results
    let! state = Gen.elements states
    let! number = Gen.choose (1, 6)
    let! elapsed = Gen.choose (0, 3000)
    let! limit = Gen.elements [ TimeSpan.FromSeconds 1.0; TimeSpan.FromSeconds 2.0; Timeout.InfiniteTimeSpan ]
    let! mayMove = Gen.elements [ true; false ]
    let! mayRenew = Gen.elements [ true; false ]
    let! random = Gen.elements [ 0.0; 0.3; 0.99 ]
    let! again = Gen.elements [ Transient.isProduced; Transient.isIdempotent; (fun _ -> true); (fun _ -> false) ]

    return
        { Policy = { RetryPolicy.make again with TimeLimit = limit }
          Attempted =
            { Number = number
              Elapsed = TimeSpan.FromMilliseconds(float elapsed)
              MayMove = mayMove
              MayRenew = mayRenew
              Random = random }
          State = state
          Produced = produced result }
}

let private law (name: string) (holds: Case -> AfterAttempt -> bool) =
    testPropertyWithConfig
        { FsCheckConfig.defaultConfig with maxTest = cases 2000 }
        name
        (Prop.forAll (Arb.fromGen case) (fun case -> holds case (AfterAttempt.decide case.Policy case.Attempted case.State case.Produced)))

let private isFenced (case: Case) =
    match case.State with
    | ValueSome(ProducerState.Fenced _) -> true
    | _ -> false

let private isRejected (case: Case) =
    match case.Produced.Result with
    | ProduceResult.Rejected _ -> true
    | _ -> false

[<Tests>]
let tests =
    testList
        "after an attempt"
        [ law "a batch is delivered exactly if it was acknowledged" (fun case next ->
              match case.Produced.Result, next with
              | ProduceResult.Acknowledged at, AfterAttempt.Deliver given -> at = given
              | ProduceResult.Acknowledged _, _
              | _, AfterAttempt.Deliver _ -> false
              | _ -> true)

          law "there is another only within the policy's numbers, after its delay" (fun case next ->
              let policy, attempted = case.Policy, case.Attempted

              match next with
              | AfterAttempt.Again delay
              | AfterAttempt.Renew delay ->
                  delay = policy.Delay(attempted.Number, attempted.Random)
                  && attempted.Number < policy.Attempts
                  && (policy.TimeLimit = Timeout.InfiniteTimeSpan || attempted.Elapsed + delay < policy.TimeLimit)
              | AfterAttempt.Move -> attempted.Number < policy.Attempts
              | AfterAttempt.Deliver _
              | AfterAttempt.GiveUp -> true)

          law "there is another by the same identity only if the policy wants it" (fun case next ->
              match next with
              | AfterAttempt.Again _
              | AfterAttempt.Move -> case.Policy.Again case.Produced && not (isFenced case)
              | _ -> true)

          law "a batch that may be in the log goes to no other partition, and gets no other identity" (fun case next ->
              match next with
              | AfterAttempt.Move -> isRejected case && case.Attempted.MayMove
              | AfterAttempt.Renew _ -> isRejected case && case.Attempted.MayRenew && isFenced case
              | _ -> true)

          law "a batch is given up only for a reason" (fun case next ->
              let isLast = (AfterAttempt.delay case.Policy case.Attempted).IsNone
              let isHopeless =
                  if isFenced case then
                      not (isRejected case && case.Attempted.MayRenew)
                  else
                      not (case.Policy.Again case.Produced)

              match next with
              | AfterAttempt.GiveUp -> isLast || isHopeless
              | _ -> not (isLast && not next.IsDeliver)) ]
