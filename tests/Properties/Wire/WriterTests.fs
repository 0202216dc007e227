module LibKafka.Properties.Wire.WriterTests

open System
open Expecto
open LibKafka.Wire
open LibKafka.Properties.Support

/// A call of each method, with the bytes that it writes.
let private calls: (string * (Writer -> unit) * string) list =
    [ "Int8", (fun writer -> writer.Int8 -2y), "fe"
      "Int16", (fun writer -> writer.Int16 0x1234s), "1234"
      "UInt16", (fun writer -> writer.UInt16 0xFEDCus), "fedc"
      "Int32", (fun writer -> writer.Int32 0x12345678), "12345678"
      "UInt32", (fun writer -> writer.UInt32 0xFEDCBA98u), "fedcba98"
      "Int64", (fun writer -> writer.Int64 0x123456789ABCDEF0L), "123456789abcdef0"
      "Float64", (fun writer -> writer.Float64 -2.5), "c004000000000000"
      "Uuid", (fun writer -> writer.Uuid(Guid "00112233-4455-6677-8899-aabbccddeeff")), "00112233445566778899aabbccddeeff"
      "UnsignedVarint", (fun writer -> writer.UnsignedVarint UInt32.MaxValue), "ffffffff0f"
      "UnsignedVarlong", (fun writer -> writer.UnsignedVarlong UInt64.MaxValue), "ffffffffffffffffff01"
      "Raw", (fun writer -> writer.Raw(ReadOnlySpan [| 1uy .. 40uy |])), Convert.ToHexStringLower [| 1uy .. 40uy |]
      "Text", (fun writer -> writer.Text(false, "héllo")), "000668c3a96c6c6f"
      "compact Text", (fun writer -> writer.Text(true, "héllo")), "0768c3a96c6c6f"
      "a sized field", (fun writer -> writer.EndSized(writer.BeginSized())), "00"
      "a sized field of 128 bytes",
      (fun writer ->
          let mark = writer.BeginSized()
          writer.Raw(ReadOnlySpan(Array.create 128 0xEEuy))
          writer.EndSized mark),
      "8001" + String.replicate 128 "ee" ]

let private filler count = Array.create count 0xAAuy

let private after count (call: Writer -> unit) =
    let writer = Writer 16
    writer.Raw(ReadOnlySpan(filler count))
    call writer
    writer.Int8 0x55y
    Bytes.toHex (writer.ToBytes())

[<Tests>]
let tests =
    testList
        "Writer"
        [ testList
              "grows in the middle of any value"
              [ for name, call, hex in calls ->
                    testCase name (fun () ->
                        // The memory has 16 bytes at first and doubles.
                        for count in 0..130 do
                            Expect.equal (after count call) (String.replicate count "aa" + hex + "55") (string count + " bytes before")) ]

          testCase "discards its output when cleared, and copies taken before are intact" (fun () ->
              let writer = Writer 16
              writer.Int32 1
              let first = writer.ToBytes()
              writer.Clear()
              Expect.equal writer.Length 0 "empty"
              writer.Int16 2s
              Expect.equal (writer.ToBytes()) (Bytes.ofHex "0002") "the output after"
              Expect.equal first (Bytes.ofHex "00000001") "the copy taken before")

          testCase "shows its output without a copy" (fun () ->
              let writer = Writer 16
              writer.Int32 1
              Expect.equal (Bytes.ofSpan writer.Written) (Bytes.ofHex "00000001") "as a span"
              Expect.equal (Bytes(writer.Segment.ToArray())) (Bytes.ofHex "00000001") "as a segment")

          law 200 "overwriting an int32 leaves the other bytes as they are" (fun (before: byte[]) (value: int32) (after: byte[]) ->
              let writer = Writer 16
              writer.Raw(ReadOnlySpan before)
              writer.Int32 0
              writer.Raw(ReadOnlySpan after)
              writer.PatchInt32(before.Length, value)
              let expected = Writer 16
              expected.Int32 value

              writer.ToBytes() = Bytes(Array.concat [ before; expected.ToBytes().ToArray(); after ]))

          law 200 "the segments together equal the output of a writer that copies everything" (fun (steps: byte[] list) (limit: byte) ->
              let pieces = Writer(16, int limit % 8)
              let whole = Writer 16

              for writer in [ pieces; whole ] do
                  writer.Int32 0

                  for bytes in steps do
                      writer.WriteLength(true, bytes.Length)
                      writer.Blob(Bytes bytes)

              let joined () = pieces.Segments |> List.map _.ToArray() |> Array.concat
              let together, length = joined (), pieces.Length
              pieces.Truncate 4

              together = whole.ToBytes().ToArray() && length = together.Length && joined () = Array.zeroCreate 4)

          testCase "references a large blob, and copies a small one and one in a tagged field" (fun () ->
              let blob size = Bytes(Array.init size byte)
              let large, small = blob 100, blob 99
              let writer = Writer(16, 100)

              let holds (bytes: Bytes) =
                  writer.Segments |> List.exists (fun segment -> obj.ReferenceEquals(segment.Array, (Bytes.segment bytes).Array))

              writer.Blob large
              writer.Blob small
              Expect.isTrue (holds large) "the large one"
              Expect.isFalse (holds small) "the small one"
              writer.Clear()
              Expect.equal (writer.Segments |> List.sumBy _.Count) 0 "cleared"
              let mark = writer.BeginSized()
              writer.Blob large
              writer.EndSized mark
              Expect.isFalse (holds large) "in a tagged field"
              Expect.equal (writer.ToBytes()) (Bytes(Array.append [| 100uy |] (large.ToArray()))) "with its size"
              writer.Blob large
              Expect.isTrue (holds large) "after it") ]
