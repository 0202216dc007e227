/// Requests that wait in the test broker, without sockets.
module LibKafka.Properties.Testing.EngineTests

open System
open System.Diagnostics
open System.Threading
open System.Threading.Tasks
open Expecto
open LibKafka
open LibKafka.Protocol
open LibKafka.Testing
open LibKafka.Properties.Testing.PureCluster

[<Literal>]
let private TransactionalId = "x"

/// Two brokers, of which the first leads the partition and coordinates the transaction. A transaction of producer 0 has just ended, its markers are not
/// written yet, and the second broker, which is in sync, copies nothing.
let private withPendingMarkers () : PureCluster =
    let cluster = start { State.settings with TransactionPartitions = 1 } 2 []
    cluster.Change(fun state -> fst (Topics.create "t" 1 2 Map.empty state))

    let demand (code: ErrorCode) (what: string) = Expect.equal code ErrorCode.None what

    let init: InitProducerId.Request =
        { TransactionalId = Some TransactionalId
          TransactionTimeoutMs = 60_000
          ProducerId = -1L
          ProducerEpoch = -1s
          Enable2Pc = false
          KeepPreparedTxn = false }

    match cluster.Get(5s, Request.InitProducerId init) with
    | Response.InitProducerId response -> demand response.Error "the producer"
    | other -> failtest (Response.show other)

    let records = batch (options true 0L 0s 0) [ "a" ]
    demand (produced (cluster.Get(12s, produceRequest (Some TransactionalId) "t" 0 records))).Error "the batch"

    match cluster.Get(5s, Request.EndTxn { TransactionalId = TransactionalId; ProducerId = 0L; ProducerEpoch = 0s; Committed = true }) with
    | Response.EndTxn response -> demand response.Error "the commit"
    | other -> failtest (Response.show other)

    cluster.Change(Control.pause 2)
    cluster

[<Tests>]
let tests =
    testList
        "waiting requests of the test broker"
        [ testCase "a request is answered though the second thing that it waits for happens before it begins to wait for it" (fun () ->
              let cluster = withPendingMarkers ()
              let engine = Engine(cluster.State, (fun () -> cluster.Now), Script(), ExchangeLog(10, 1000L))
              let request = produceRequest (Some TransactionalId) "t" 0 (batch (options true 0L 1s 0) [ "b" ])

              let caller =
                  { Node = 1
                    Connection = 1L
                    Host = "127.0.0.1"
                    Principal = "User:ANONYMOUS"
                    Header = { ApiKey = ApiKey.Produce; ApiVersion = 12s; CorrelationId = 1; ClientId = None }
                    RequestSize = 100 }

              let answer = Task.Run(fun () -> engine.Handle(caller, request))
              let patience = TimeSpan.FromSeconds 30.0
              let clock = Stopwatch.StartNew()

              while engine.WaitingRequests = 0 && clock.Elapsed < patience do
                  Thread.Sleep 1

              // When the markers are written, the batch is appended, and the request waits for the second broker. The thread of the request cannot run
              // before that broker has the batch too.
              engine.Change(fun _ _ ->
                  engine.Change(fun now state -> Broker.tick (now + 1000L) state)
                  engine.Change(fun _ state -> Control.resume 2 state)
                  engine.State)

              let isAnswered = answer.Wait patience
              engine.Stop()
              Expect.isTrue isAnswered "the request is answered"

              match answer.Result with
              | Reply response ->
                  let result = produced response
                  Expect.equal (result.Error, result.BaseOffset) (ErrorCode.None, 2L) "the batch follows the marker"
              | _ -> failtest "no response") ]
