/// What is left of a time to wait.
module LibKafka.Properties.Topics.WaitingTests

open System
open System.Threading
open Expecto
open FsCheck
open LibKafka.Topics

/// A clock that shows a time, in ticks of a TimeSpan.
type private Clock(now: int64) =
    inherit TimeProvider()
    override _.TimestampFrequency = TimeSpan.TicksPerSecond
    override _.GetTimestamp() = now

[<Tests>]
let tests =
    testList
        "waiting"
        [ testProperty
              "what is left of a time is never negative, and so never without a limit"
              (fun (limit: NonNegativeInt) (elapsed: NonNegativeInt) ->
                  let left = Waiting.left (Clock(int64 elapsed.Get)) 0L (TimeSpan(int64 limit.Get))
                  Expect.equal left.Ticks (max 0L (int64 limit.Get - int64 elapsed.Get)) "what is left")

          testCase "a time that is over by a millisecond is over" (fun () ->
              Expect.equal (Waiting.left (Clock TimeSpan.TicksPerMillisecond) 0L TimeSpan.Zero) TimeSpan.Zero "nothing is left")

          testProperty "a wait without a limit stays one, and is the longer one" (fun (elapsed: NonNegativeInt) (time: NonNegativeInt) ->
              let endless = Timeout.InfiniteTimeSpan
              let time = TimeSpan(int64 time.Get)
              Expect.equal (Waiting.left (Clock(int64 elapsed.Get)) 0L endless) endless "what is left"
              Expect.equal (Waiting.shorter time endless) time "the shorter one"
              Expect.equal (Waiting.shorter endless time) time "the other way round"
              Expect.equal (Waiting.shorter endless endless) endless "both") ]
