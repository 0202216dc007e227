/// The allocations for a batch if the caller keeps the buffers.
module LibKafka.Properties.CompressionTests.Allocations

open Expecto
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Properties
open LibKafka.Properties.Records.Samples
open LibKafka.Properties.CompressionTests.Samples

/// A batch of the given size with records of 500 bytes.
let private batch (size: int) : RecordBatch =
    let builder = BatchBuilder BatchOptions.standard
    let content = lines 21 size

    for at in 0..500 .. size - 500 do
        builder.Add(1700000000000L, NullableSpan.Null, System.ReadOnlyMemory<byte>(content, at, 500))

    builder.Build()

/// The median allocation after warm-up. (The pool may be trimmed during some calls.)
let private steady (action: unit -> unit) : int64 =
    for _ in 1..10 do
        action ()

    let costs = List.init 21 (fun _ -> snd (Support.allocating action))
    (List.sort costs)[10]

[<Tests>]
let tests =
    testSequenced
    <| testList
        "allocations"
        [ for size in [ 1000; 16000; 100000; 1000000 ] do
              for codec in [ yield! usual; Gzip 1; Gzip 9; Lz4 9; Zstd 1 ] do
                  test ("less than 1 KB for a batch of " + string size + " bytes: " + nameOf codec) {
                      let plain = batch size
                      let packing = CodecBuffer()
                      let reading = { Reading.withCodecs AllCodecs.Set with Buffer = ValueSome(CodecBuffer()) }

                      let pack = fun () -> RecordBatch.compressIn packing codec plain |> ok |> ignore
                      Expect.isLessThan (steady pack) 1024L "compressing"

                      let packed = RecordBatch.compress codec plain |> ok

                      let unpack = fun () -> RecordBatch.openRecords reading packed |> ok |> ignore
                      Expect.isLessThan (steady unpack) 1024L "decompressing"
                  } ]
