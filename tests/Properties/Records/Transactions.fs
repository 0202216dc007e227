/// The data that a reader of committed data gets, compared with a log whose whole history is known.
module LibKafka.Properties.Records.Transactions

open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Properties.Records.Samples

/// What producers and transaction coordinators wrote, in the order of the log.
type private Event =
    /// Records of a producer, inside or outside a transaction.
    | Written of producer: int64 * transactional: bool * records: int
    /// The end of a producer's transaction.
    | Ended of producer: int64 * aborted: bool

/// Events from any numbers. Only open transactions end, and all of them do.
let private eventsOf (numbers: (byte * byte) list) : Event list =
    let event (openOnes: int64 list) (kind: byte, choice: byte) =
        let producer = int64 (choice % 4uy)
        let records = 1 + int (choice / 4uy) % 3

        match kind % 8uy with
        | 0uy -> [ Written(-1L, false, records) ], openOnes
        | 1uy -> [ Written(producer, false, records) ], openOnes
        | 2uy
        | 3uy
        | 4uy -> [ Written(producer, true, records) ], List.distinct (producer :: openOnes)
        | end' when List.contains producer openOnes -> [ Ended(producer, end' <> 5uy) ], List.except [ producer ] openOnes
        | _ -> [], openOnes

    let events, stillOpen = List.mapFold event [] numbers
    List.concat events @ [ for producer in stillOpen -> Ended(producer, producer % 2L = 0L) ]

let private record (offset: int64) (key: byte[]) : RecordData =
    { Offset = offset; Timestamp = 0L; Key = ValueSome(Bytes key); Value = ValueNone; Headers = [] }

let private optionsOf (event: Event) : BatchOptions =
    match event with
    | Written(producer, transactional, _) -> { BatchOptions.standard with ProducerId = producer; IsTransactional = transactional }
    | Ended(producer, _) -> { BatchOptions.standard with ProducerId = producer; IsTransactional = true; IsControl = true }

let private keysOf (event: Event) : byte[] list =
    match event with
    | Written(_, _, records) -> List.replicate records [| 7uy |]
    | Ended(_, aborted) -> [ [| 0uy; 0uy; 0uy; (if aborted then 0uy else 1uy) |] ]

let private batchAt (offset: int64) (event: Event) : RecordBatch =
    let records = keysOf event |> List.mapi (fun index key -> record (offset + int64 index) key)
    ok (BatchBuilder.build { optionsOf event with BaseOffset = offset } records)

/// The events with their batches in the log.
let private logOf (events: Event list) : (Event * RecordBatch) list =
    let append (offset: int64) (event: Event) =
        let batch = batchAt offset event
        (event, batch), batch.NextOffset

    events |> List.mapFold append 0L |> fst

/// How the open transaction of a producer ends in these events.
let private isAborted (producer: int64) (later: (Event * RecordBatch) list) : bool =
    later
    |> List.pick (fun (event, _) ->
        match event with
        | Ended(who, aborted) when who = producer -> Some aborted
        | _ -> None)

/// The committed data, found by looking ahead from every batch to the end of its transaction.
let rec private committed (log: (Event * RecordBatch) list) : RecordBatch list =
    match log with
    | [] -> []
    | (Written(_, false, _), batch) :: later -> batch :: committed later
    | (Written(producer, true, _), batch) :: later -> (if isAborted producer later then [] else [ batch ]) @ committed later
    | (Ended _, _) :: later -> committed later

/// All aborted transactions with the offsets of their markers.
let private abortedIn (log: (Event * RecordBatch) list) : (AbortedTransaction * int64) list =
    let follow (firsts: Map<int64, int64>) (event: Event, batch: RecordBatch) =
        match event with
        | Written(producer, true, _) when not (firsts.ContainsKey producer) -> [], firsts.Add(producer, batch.BaseOffset)
        | Ended(producer, aborted) ->
            let found = { ProducerId = producer; FirstOffset = firsts[producer] }
            (if aborted then [ found, batch.BaseOffset ] else []), firsts.Remove producer
        | _ -> [], firsts

    log |> List.mapFold follow Map.empty |> fst |> List.concat

/// The list that a broker returns with these batches: the aborted transactions that begin before their end and end in or after them.
let private listedWith (aborted: (AbortedTransaction * int64) list) (fetched: RecordBatch list) : AbortedTransaction list =
    let first, last = List.head fetched, List.last fetched

    [ for transaction, marker in aborted do
          if marker >= first.BaseOffset && transaction.FirstOffset < last.NextOffset then
              transaction ]

let private dataOf (aborted: AbortedTransaction list) (batches: RecordBatch list) : RecordBatch list =
    TransactionFilter.apply aborted (RecordSet.split (RecordSet.concat batches))
    |> List.ofSeq
    |> List.map (fun item ->
        match item with
        | RecordSetItem.Batch(batch, _) -> batch
        | other -> failwith (other.ToString()))

/// The batches in consecutive runs, as a reader fetches them.
let rec private fetches (sizes: byte list) (batches: RecordBatch list) : RecordBatch list list =
    match sizes, batches with
    | _, [] -> []
    | [], _ -> [ batches ]
    | size :: sizes, _ ->
        let now, later = List.splitAt (min batches.Length (1 + int size % 6)) batches
        now :: fetches sizes later

let private producer = 7L
let private aborted = [ { ProducerId = producer; FirstOffset = 0L } ]
let private data = Written(producer, true, 2)

[<Tests>]
let filtering =
    testList
        "committed data"
        [ property "is what looking ahead finds, however many fetches read the log" (fun (numbers, sizes) ->
              let log = logOf (eventsOf numbers)
              let listed = listedWith (abortedIn log)

              fetches sizes (List.map snd log) |> List.collect (fun fetched -> dataOf (listed fetched) fetched) = committed log)

          property "does not depend on the order of the list or on transactions that begin after the batches" (fun (numbers, sizes) ->
              let log = logOf (eventsOf numbers)
              let aborted = abortedIn log

              let listed (fetched: RecordBatch list) =
                  [ for transaction, marker in List.rev aborted do
                        if marker >= fetched.Head.BaseOffset then transaction ]

              fetches sizes (List.map snd log) |> List.collect (fun fetched -> dataOf (listed fetched) fetched) = committed log)

          property "is everything but the control batches without a list" (fun numbers ->
              let batches = logOf (eventsOf numbers) |> List.map snd
              dataOf [] batches = (batches |> List.filter (fun batch -> not batch.IsControl)))

          test "only an abort marker ends an aborted transaction" {
              let marker (kind: byte) =
                  ok (BatchBuilder.build { optionsOf (Ended(producer, true)) with BaseOffset = 2L } [ record 2L [| 0uy; 0uy; 0uy; kind |] ])

              for kind, delivered in [ 0uy, 1; 1uy, 0; 2uy, 0; 99uy, 0 ] do
                  let found = dataOf aborted [ batchAt 0L data; marker kind; batchAt 3L data ]
                  Expect.equal found.Length delivered (string kind)
          }

          test "a control batch that compaction has emptied has no effect and is left out" {
              let emptied = ok (BatchBuilder.build { optionsOf (Ended(producer, true)) with LastOffset = ValueSome 0L } [])
              Expect.isEmpty (dataOf aborted [ emptied; batchAt 1L data ]) "data"
          }

          test "what cannot be read, or only seems to be aborted, is reported and not left out" {
              let damage (at: int) (batch: RecordBatch) =
                  let bytes = batch.Bytes.ToArray()
                  bytes[at] <- bytes[at] ^^^ 1uy
                  batchOf bytes

              let other = batchAt 0L (Written(producer + 1L, true, 2))
              let noKey = ok (BatchBuilder.build { optionsOf (Ended(producer, true)) with BaseOffset = 2L } [ record 2L [||] ])

              for name, broken in
                  [ "a control batch whose record was changed", damage 70 (batchAt 2L (Ended(producer, true)))
                    "a control record without a key", noKey
                    "an aborted batch that was changed", damage 70 (batchAt 2L data)
                    // The lowest byte of the producer's id: 6 becomes 7.
                    "a batch that was changed into an aborted one", damage 50 (batchAt 2L (Written(producer - 1L, true, 2))) ] do
                  let set = RecordSet.concat [ other; broken; other ]

                  match List.ofSeq (TransactionFilter.apply aborted (RecordSet.split set)) with
                  | [ RecordSetItem.Batch(before, _); RecordSetItem.Corrupt corrupt; RecordSetItem.Batch(after, _) ] ->
                      Expect.equal (before, after) (other, other) name
                      Expect.equal (corrupt.Position, corrupt.Bytes) (other.SizeInBytes, broken.Bytes) name
                      Expect.equal (corrupt.FirstOffset, corrupt.LastOffset) (2L, ValueSome broken.LastOffset) name
                      Expect.isGreaterThanOrEqual corrupt.Fault.Offset corrupt.Position name
                  | items -> failtest (name + ": " + string items.Length + " items")
          }

          test "items other than batches are delivered" {
              let bytes = (RecordSet.concat [ batchAt 0L data; batchAt 2L (Ended(producer, true)); batchAt 3L data ]).ToArray()
              let cut = bytes[.. bytes.Length - 2]
              let items = List.ofSeq (TransactionFilter.apply aborted (RecordSet.split (Bytes cut)))
              Expect.equal (List.map contentOf items) [ Content.CutOff((batchAt 3L data).SizeInBytes - 1) ] "the batch that is cut off"
          } ]
