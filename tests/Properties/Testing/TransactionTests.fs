/// Transactions of the test broker, without sockets.
module LibKafka.Properties.Testing.TransactionTests

open System
open Expecto
open LibKafka
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Testing
open LibKafka.Properties.Testing.PureCluster

let private cluster (level: int16) = start { State.settings with TransactionVersion = level } 1 [ "t", 2 ]

let private initWith (known: (int64 * int16) option) (version: int16) (timeoutMs: int) (cluster: PureCluster) =
    let id, epoch = defaultArg known (-1L, -1s)

    let request =
        Request.InitProducerId
            { TransactionalId = Some "x"
              TransactionTimeoutMs = timeoutMs
              ProducerId = id
              ProducerEpoch = epoch
              Enable2Pc = false
              KeepPreparedTxn = false }

    match cluster.Get(version, request) with
    | Response.InitProducerId response -> response.Error, response.ProducerId, response.ProducerEpoch
    | other -> failtest (Response.show other)

let private init (cluster: PureCluster) = initWith None 5s 60_000 cluster

let private send (version: int16) (partition: int) (id: int64) (epoch: int16) (sequence: int) (values: string list) (cluster: PureCluster) =
    cluster.Get(version, produceRequest (Some "x") "t" partition (batch (options true id epoch sequence) values))
    |> produced

let private add (version: int16) (id: int64) (epoch: int16) (places: (string * int list) list) (cluster: PureCluster) : ErrorCode list =
    let request =
        Request.AddPartitionsToTxn
            { Transactions = []
              TransactionalId = "x"
              ProducerId = id
              ProducerEpoch = epoch
              Topics = [ for topic, partitions in places -> { Name = topic; Partitions = partitions } ] }

    match cluster.Get(version, request) with
    | Response.AddPartitionsToTxn response ->
        [ for topic in response.Topics do
              for partition in topic.Partitions -> partition.Error ]
    | other -> failtest (Response.show other)

let private finish (version: int16) (id: int64) (epoch: int16) (commit: bool) (cluster: PureCluster) =
    let request = Request.EndTxn { TransactionalId = "x"; ProducerId = id; ProducerEpoch = epoch; Committed = commit }

    match cluster.Get(version, request) with
    | Response.EndTxn response -> response.Error, response.ProducerId, response.ProducerEpoch
    | other -> failtest (Response.show other)

let private logOf (partition: int) (cluster: PureCluster) = cluster.State.Topics["t"].Partitions[partition].Log

/// What a log has: values of records, and markers as `commit 3` with their epochs.
let private contents (partition: int) (cluster: PureCluster) : string list =
    [ for batch in (logOf partition cluster).Batches do
          match RecordBatch.toList Reading.standard batch with
          | Error fault -> failtest (fault.ToString())
          | Ok records ->
              for record in records do
                  if batch.IsControl then
                      let isCommit = record.Key.Value.Span[3] = 1uy
                      (if isCommit then "commit " else "abort ") + string batch.ProducerEpoch
                  else
                      Wire.Bytes.toText record.Value.Value ]

let private stable (partition: int) (cluster: PureCluster) = Cluster.lastStableOffset cluster.State.Topics["t"].Partitions[partition]

let private current (cluster: PureCluster) = cluster.State.Transactions.ById["x"]

let private versionTwo =
    [ testCase "a batch adds its partition, a commit writes markers with the next epoch, and sequences start at 0" (fun () ->
          let cluster = cluster 2s
          Expect.equal (init cluster) (ErrorCode.None, 0L, 0s) "the producer"
          Expect.equal (send 12s 0 0L 0s 0 [ "a"; "b" ] cluster).Error ErrorCode.None "the first batch"
          Expect.equal (stable 0 cluster) 0L "the last stable offset during the transaction"
          Expect.equal (finish 5s 0L 0s true cluster) (ErrorCode.None, 0L, 1s) "the commit"
          Expect.equal (contents 0 cluster) [ "a"; "b" ] "no marker yet"
          cluster.Wait 2
          Expect.equal (contents 0 cluster) [ "a"; "b"; "commit 1" ] "the marker"
          Expect.equal (contents 1 cluster) [] "the other partition"
          Expect.equal (stable 0 cluster) 3L "the last stable offset"
          Expect.equal (send 12s 0 0L 1s 0 [ "c" ] cluster).BaseOffset 3L "the next transaction"
          Expect.equal (finish 5s 0L 1s false cluster) (ErrorCode.None, 0L, 2s) "the abort"
          cluster.Wait 2
          Expect.equal (contents 0 cluster) [ "a"; "b"; "commit 1"; "c"; "abort 2" ] "the log"
          let aborted = Log.abortedIn 0L 5L (logOf 0 cluster)
          Expect.equal aborted [ { ProducerId = 0L; FirstOffset = 3L; LastOffset = 4L } ] "the aborted range")

      testCase "a batch right after the end of a transaction waits for its markers" (fun () ->
          let cluster = cluster 2s
          init cluster |> ignore
          send 12s 0 0L 0s 0 [ "a" ] cluster |> ignore
          finish 5s 0L 0s true cluster |> ignore
          Expect.equal (send 12s 0 0L 1s 0 [ "b" ] cluster).BaseOffset 2L "after the marker"
          Expect.equal (contents 0 cluster) [ "a"; "commit 1"; "b" ] "the log")

      testCase "the same EndTxn again is CONCURRENT_TRANSACTIONS, then the same result, and never ends the next transaction" (fun () ->
          let cluster = cluster 2s
          init cluster |> ignore
          send 12s 0 0L 0s 0 [ "a" ] cluster |> ignore
          finish 5s 0L 0s true cluster |> ignore
          let code, _, _ = finish 5s 0L 0s true cluster
          Expect.equal code ErrorCode.ConcurrentTransactions "before the markers"
          cluster.Wait 2
          Expect.equal (finish 5s 0L 0s true cluster) (ErrorCode.None, 0L, 1s) "after the markers"
          let code, _, _ = finish 5s 0L 0s false cluster
          Expect.equal code ErrorCode.InvalidTxnState "the other way"
          send 12s 0 0L 1s 0 [ "b" ] cluster |> ignore
          let code, _, _ = finish 5s 0L 0s true cluster
          Expect.equal code ErrorCode.ProducerFenced "in the next transaction"
          Expect.equal (contents 0 cluster) [ "a"; "commit 1"; "b" ] "the log")

      testCase "a transaction without partitions is aborted with a new epoch, and is not committed" (fun () ->
          let cluster = cluster 2s
          init cluster |> ignore
          let code, _, _ = finish 5s 0L 0s true cluster
          Expect.equal code ErrorCode.InvalidTxnState "the commit"
          Expect.equal (finish 5s 0L 0s false cluster) (ErrorCode.None, 0L, 1s) "the abort")

      testCase "a producer whose epochs are used up gets a new producer id" (fun () ->
          let cluster = cluster 2s
          init cluster |> ignore
          let nearEnd (transaction: Transaction) = { transaction with Epoch = Int16.MaxValue - 1s }

          cluster.Change(fun state ->
              let byId = state.Transactions.ById.Add("x", nearEnd state.Transactions.ById["x"])
              { state with Transactions = { state.Transactions with ById = byId } })

          send 12s 0 0L (Int16.MaxValue - 1s) 0 [ "a" ] cluster |> ignore
          Expect.equal (finish 5s 0L (Int16.MaxValue - 1s) true cluster) (ErrorCode.None, 1L, 0s) "the new id"
          cluster.Wait 2
          Expect.equal (finish 5s 0L (Int16.MaxValue - 1s) true cluster) (ErrorCode.None, 1L, 0s) "the same again"
          Expect.equal (contents 0 cluster) [ "a"; "commit 32767" ] "the marker has the last epoch"
          Expect.equal (send 12s 0 1L 0s 0 [ "b" ] cluster).Error ErrorCode.None "the new producer id works") ]

let private versionOne =
    [ testCase "partitions are added first, the epoch stays, and sequences continue" (fun () ->
          let cluster = cluster 1s
          init cluster |> ignore
          Expect.equal (send 11s 0 0L 0s 0 [ "a" ] cluster).Error ErrorCode.TransactionAbortable "not added"
          Expect.equal (send 10s 0 0L 0s 0 [ "a" ] cluster).Error ErrorCode.InvalidTxnState "not added, old client"
          Expect.equal (add 3s 0L 0s [ "t", [ 0; 1 ] ] cluster) [ ErrorCode.None; ErrorCode.None ] "added"
          Expect.equal (send 11s 0 0L 0s 0 [ "a" ] cluster).Error ErrorCode.None "the batch"
          Expect.equal (finish 4s 0L 0s true cluster) (ErrorCode.None, -1L, -1s) "the commit"
          Expect.equal (add 3s 0L 0s [ "t", [ 0 ] ] cluster) [ ErrorCode.ConcurrentTransactions ] "before the markers"
          cluster.Wait 2
          Expect.equal (add 3s 0L 0s [ "t", [ 0 ] ] cluster) [ ErrorCode.None ] "after the markers"
          Expect.equal (send 11s 0 0L 0s 1 [ "b" ] cluster).Error ErrorCode.None "the next sequence"
          Expect.equal (contents 0 cluster) [ "a"; "commit 0"; "b" ] "the log"
          Expect.equal (contents 1 cluster) [ "commit 0" ] "a partition that was added gets a marker")

      testCase "the same EndTxn again succeeds after the markers, the other way does not" (fun () ->
          let cluster = cluster 1s
          init cluster |> ignore
          add 3s 0L 0s [ "t", [ 0 ] ] cluster |> ignore
          finish 4s 0L 0s true cluster |> ignore
          let code, _, _ = finish 4s 0L 0s false cluster
          Expect.equal code ErrorCode.ConcurrentTransactions "before the markers"
          cluster.Wait 2
          Expect.equal (finish 4s 0L 0s true cluster) (ErrorCode.None, -1L, -1s) "the same"
          let code, _, _ = finish 4s 0L 0s false cluster
          Expect.equal code ErrorCode.InvalidTxnState "the other way")

      testCase "unknown partitions prevent that others are added" (fun () ->
          let cluster = cluster 1s
          init cluster |> ignore
          let codes = add 3s 0L 0s [ "t", [ 0; 5 ]; "none", [ 0 ] ] cluster
          let unknown = ErrorCode.UnknownTopicOrPartition
          Expect.equal codes [ ErrorCode.OperationNotAttempted; unknown; unknown ] "the codes"
          Expect.isEmpty (current cluster).Partitions "nothing was added") ]

let private fencing =
    [ for level, marker, next in [ 1s, 1s, 2s; 2s, 2s, 3s ] do
          testCase ("a new producer aborts the transaction of the old one and fences it: transaction.version " + string level) (fun () ->
              let cluster = cluster level
              init cluster |> ignore
              if level < 2s then add 3s 0L 0s [ "t", [ 0 ] ] cluster |> ignore
              let version = if level < 2s then 11s else 12s
              send version 0 0L 0s 0 [ "a" ] cluster |> ignore
              let code, _, _ = init cluster
              Expect.equal code ErrorCode.ConcurrentTransactions "while the transaction is aborted"
              let code, _, _ = init cluster
              Expect.equal code ErrorCode.ConcurrentTransactions "still"
              cluster.Wait 2
              Expect.equal (init cluster) (ErrorCode.None, 0L, next) "the new producer"
              Expect.equal (contents 0 cluster) [ "a"; "abort " + string marker ] "the log"
              Expect.equal (send version 0 0L 0s 1 [ "b" ] cluster).Error ErrorCode.InvalidProducerEpoch "a batch of the old producer"
              Expect.equal (add 3s 0L 0s [ "t", [ 0 ] ] cluster) [ ErrorCode.ProducerFenced ] "AddPartitionsToTxn"
              Expect.equal (add 1s 0L 0s [ "t", [ 0 ] ] cluster) [ ErrorCode.InvalidProducerEpoch ] "an old AddPartitionsToTxn"
              let code, _, _ = finish 4s 0L 0s true cluster
              Expect.equal code ErrorCode.ProducerFenced "EndTxn"
              let code, _, _ = initWith (Some(0L, 0s)) 4s 60_000 cluster
              Expect.equal code ErrorCode.ProducerFenced "InitProducerId with the old epoch")

      testCase "InitProducerId with the producer's own id and epoch raises the epoch once, however often it is sent" (fun () ->
          let cluster = cluster 2s
          init cluster |> ignore
          Expect.equal (initWith (Some(0L, 0s)) 4s 60_000 cluster) (ErrorCode.None, 0L, 1s) "first"
          Expect.equal (initWith (Some(0L, 0s)) 4s 60_000 cluster) (ErrorCode.None, 0L, 1s) "again"
          Expect.equal (init cluster) (ErrorCode.None, 0L, 2s) "without them"
          let code, _, _ = initWith (Some(0L, 0s)) 4s 60_000 cluster
          Expect.equal code ErrorCode.ProducerFenced "an old epoch"
          let code, _, _ = initWith (Some(9L, 0s)) 4s 60_000 cluster
          Expect.equal code ErrorCode.ProducerFenced "another id")

      for level, epoch in [ 1s, 1s; 2s, 2s ] do
          testCase ("a transaction is aborted when its time is over: transaction.version " + string level) (fun () ->
              let cluster = cluster level
              initWith None 5s 1500 cluster |> ignore
              if level < 2s then add 3s 0L 0s [ "t", [ 0 ] ] cluster |> ignore
              let version = if level < 2s then 11s else 12s
              send version 0 0L 0s 0 [ "a" ] cluster |> ignore
              cluster.Wait 1499
              Expect.equal (current cluster).Stage TransactionStage.Ongoing "before"
              cluster.Wait 3
              Expect.equal (contents 0 cluster) [ "a"; "abort " + string epoch ] "after"
              Expect.equal (send version 0 0L 0s 1 [ "b" ] cluster).Error ErrorCode.InvalidProducerEpoch "the producer is fenced"
              Expect.equal (Broker.nextTick cluster.State) ValueNone "nothing more is due")

      testCase "time-outs out of range and an empty transactional id are refused" (fun () ->
          let cluster = cluster 2s

          for timeout in [ 0; -1; 900_001 ] do
              let code, _, _ = initWith None 5s timeout cluster
              Expect.equal code ErrorCode.InvalidTransactionTimeout (string timeout))

      testCase "a producer without a transactional id gets a new id each time" (fun () ->
          let cluster = cluster 2s

          let request =
              Request.InitProducerId
                  { TransactionalId = None
                    TransactionTimeoutMs = 0
                    ProducerId = -1L
                    ProducerEpoch = -1s
                    Enable2Pc = false
                    KeepPreparedTxn = false }

          let ids =
              [ for _ in 1..3 ->
                    match cluster.Get(5s, request) with
                    | Response.InitProducerId response -> response.ProducerId, response.ProducerEpoch
                    | other -> failtest (Response.show other) ]

          Expect.equal ids [ 0L, 0s; 1L, 0s; 2L, 0s ] "the ids") ]

[<Tests>]
let tests =
    testList
        "transactions of the test broker"
        [ yield! versionTwo
          yield! versionOne
          yield! fencing

          testCase "on transaction.version 0, a request that adds partitions by itself blocks the transactional id" (fun () ->
              let cluster = cluster 0s
              init cluster |> ignore
              Expect.equal (send 12s 0 0L 0s 0 [ "a" ] cluster).Error ErrorCode.UnsupportedVersion "Produce"
              let code, _, _ = finish 4s 0L 0s true cluster
              Expect.equal code ErrorCode.ConcurrentTransactions "EndTxn"
              let code, _, _ = init cluster
              Expect.equal code ErrorCode.ConcurrentTransactions "InitProducerId")

          testCase "before 3.6, partitions are not checked against the transaction" (fun () ->
              let settings = { State.settings with Release = Release.parse "2.8"; TransactionVersion = 0s }
              let cluster = start settings 1 [ "t", 1 ]
              initWith None 4s 60_000 cluster |> ignore
              Expect.equal (send 8s 0 0L 0s 0 [ "a" ] cluster).Error ErrorCode.None "not added"
              Expect.equal (stable 0 cluster) 0L "the transaction is open in the log")

          testCase "a marker waits for a partition without a leader" (fun () ->
              let cluster = cluster 2s
              init cluster |> ignore
              send 12s 0 0L 0s 0 [ "a" ] cluster |> ignore
              finish 5s 0L 0s true cluster |> ignore
              cluster.Change(Cluster.updatePartition "t" 0 (fun partition -> { partition with Leader = ValueNone }))
              cluster.Wait 1000
              Expect.equal (contents 0 cluster) [ "a" ] "no marker"
              cluster.Change(Cluster.updatePartition "t" 0 (fun partition -> { partition with Leader = ValueSome 1 }))
              cluster.Wait 100
              Expect.equal (contents 0 cluster) [ "a"; "commit 1" ] "the marker")

          testCase "the descriptions show the transaction and its producer" (fun () ->
              let cluster = cluster 2s
              initWith None 5s 5000 cluster |> ignore
              cluster.Now <- 1_000_700L
              send 12s 1 0L 0s 0 [ "a"; "b" ] cluster |> ignore

              match cluster.Get(0s, Request.DescribeTransactions { TransactionalIds = [ "x"; "y" ] }) with
              | Response.DescribeTransactions { Transactions = [ found; missing ] } ->
                  Expect.equal found.State TransactionState.Ongoing "the state"
                  Expect.equal found.StartTimeMs 1_000_700L "the start"
                  Expect.equal found.TimeoutMs 5000 "the time-out"
                  Expect.equal found.Topics [ { Topic = "t"; Partitions = [ 1 ] } ] "the partitions"
                  Expect.equal missing.Error ErrorCode.TransactionalIdNotFound "another id"
              | other -> failtest (Response.show other)

              match cluster.Get(0s, Request.DescribeProducers { Topics = [ { Name = "t"; PartitionIndexes = [ 1 ] } ] }) with
              | Response.DescribeProducers { Topics = [ { Partitions = [ { ActiveProducers = [ producer ] } ] } ] } ->
                  Expect.equal producer.LastSequence 1 "the sequence"
                  Expect.equal producer.CurrentTxnStartOffset 0L "the start of the transaction"
                  Expect.equal producer.CoordinatorEpoch -1 "no marker yet"
              | other -> failtest (Response.show other)

              let list states pattern =
                  let request =
                      Request.ListTransactions
                          { StateFilters = states; ProducerIdFilters = []; DurationFilter = -1L; TransactionalIdPattern = pattern }

                  match cluster.Get(2s, request) with
                  | Response.ListTransactions response -> response.Error, [ for found in response.Transactions -> found.TransactionalId ]
                  | other -> failtest (Response.show other)

              Expect.equal (list [ TransactionState.Ongoing ] None) (ErrorCode.None, [ "x" ]) "by state"
              Expect.equal (list [ TransactionState.Empty ] None) (ErrorCode.None, []) "by another state"
              Expect.equal (list [] (Some "x|y")) (ErrorCode.None, [ "x" ]) "by pattern"
              Expect.equal (list [] (Some "(")) (ErrorCode.InvalidRegularExpression, []) "by a wrong pattern") ]
