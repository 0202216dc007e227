module LibKafka.Properties.Wire.VarintTests

open System
open Expecto
open LibKafka.Wire
open LibKafka.Properties.Support

/// The slow reference for writing: integers of any size, divided by 128 until nothing remains.
let rec private groups (value: bigint) : byte list =
    if value < 128I then [ byte value ] else byte (value % 128I + 128I) :: groups (value / 128I)

/// The slow reference for reading: the seven bits of each byte, weighted by its position.
let private ofGroups (bytes: byte list) : bigint =
    bytes |> List.mapi (fun place value -> bigint (int value % 128) * 128I ** place) |> List.sum

/// The slow reference for zig-zag: non-negative numbers become even, negative numbers odd.
let private zigZag (value: bigint) = if value >= 0I then 2I * value else -2I * value - 1I

let private written (write: Writer -> unit) : byte list =
    let writer = Writer 16
    write writer
    List.ofArray (writer.ToBytes().ToArray())

/// The values on both sides of each change of length, and the ends of the range.
let private boundaries (bits: int) : bigint list =
    [ yield 0I
      yield 1I
      for groups in 1 .. (bits - 1) / 7 do
          yield 128I ** groups - 1I
          yield 128I ** groups
      yield 2I ** bits - 1I ]

let private sameAsReference32 (value: uint32) =
    let expected = groups (bigint value)
    Expect.equal (written (fun writer -> writer.UnsignedVarint value)) expected "the bytes"
    Expect.equal (Varint.size32 value) expected.Length "the size"
    Expect.equal (Reader(Bytes(Array.ofList expected), Int64.MaxValue).UnsignedVarint()) value "the value read back"

let private sameAsReference64 (value: uint64) =
    let expected = groups (bigint value)
    Expect.equal (written (fun writer -> writer.UnsignedVarlong value)) expected "the bytes"
    Expect.equal (Varint.size64 value) expected.Length "the size"
    Expect.equal (Reader(Bytes(Array.ofList expected), Int64.MaxValue).UnsignedVarlong()) value "the value read back"

/// A number of any magnitude: a random count of random bits.
let private ofAnySize (bits: uint64) (shift: int) = bits >>> (abs (shift % 64))

let private read (what: Reader -> 'T) (hex: string) : Result<'T, Problem * int> =
    try
        Ok(what (Reader(Bytes.ofHex hex, Int64.MaxValue)))
    with :? FaultException as fault ->
        Error(fault.Problem, fault.Offset)

let private read32 = read (fun reader -> reader.UnsignedVarint())
let private read64 = read (fun reader -> reader.UnsignedVarlong())

/// The reference result for bytes that may be truncated, too long or too large.
let private referenceRead (bits: int) (longest: int) (bytes: byte list) : Result<bigint, string> =
    let body = bytes |> List.takeWhile (fun value -> value >= 128uy) |> List.length

    if body >= longest then Error "bad"
    elif body >= bytes.Length then Error "cut"
    elif ofGroups (List.take (body + 1) bytes) >= 2I ** bits then Error "bad"
    else Ok(ofGroups (List.take (body + 1) bytes))

let private kind (result: Result<'T, Problem * int>) : Result<'T, string> =
    match result with
    | Ok value -> Ok value
    | Error(Problem.BadVarint _, _) -> Error "bad"
    | Error(Problem.Truncated _, _) -> Error "cut"
    | Error(problem, _) -> Error(problem.ToString())

[<Tests>]
let tests =
    testList
        "Varint"
        [ testCase "at every change of length a 32-bit value is written, sized and read like the reference" (fun () ->
              for value in boundaries 32 do
                  sameAsReference32 (uint32 value))

          testCase "at every change of length a 64-bit value is written, sized and read like the reference" (fun () ->
              for value in boundaries 64 do
                  sameAsReference64 (uint64 value))

          law 1000 "a 32-bit value of any magnitude is written, sized and read like the reference" (fun (bits: uint64) (shift: int) ->
              sameAsReference32 (uint32 (ofAnySize bits shift)))

          law 1000 "a 64-bit value of any magnitude is written, sized and read like the reference" (fun (bits: uint64) (shift: int) ->
              sameAsReference64 (ofAnySize bits shift))

          law 1000 "zig-zag of 32 bits equals the reference and has an inverse" (fun (bits: uint64) (shift: int) ->
              let value = int32 (uint32 (ofAnySize bits shift))
              bigint (Varint.zigZag32 value) = zigZag (bigint value) && Varint.unZigZag32 (Varint.zigZag32 value) = value)

          law 1000 "zig-zag of 64 bits equals the reference and has an inverse" (fun (bits: uint64) (shift: int) ->
              let value = int64 (ofAnySize bits shift)
              bigint (Varint.zigZag64 value) = zigZag (bigint value) && Varint.unZigZag64 (Varint.zigZag64 value) = value)

          testCase "zig-zag keeps the ends of the range" (fun () ->
              for value in [ Int32.MinValue; Int32.MaxValue; -1; 0; 1 ] do
                  Expect.equal (bigint (Varint.zigZag32 value)) (zigZag (bigint value)) "32 bits"
                  Expect.equal (Varint.unZigZag32 (Varint.zigZag32 value)) value "32 bits back"

              for value in [ Int64.MinValue; Int64.MaxValue; -1L; 0L; 1L ] do
                  Expect.equal (bigint (Varint.zigZag64 value)) (zigZag (bigint value)) "64 bits"
                  Expect.equal (Varint.unZigZag64 (Varint.zigZag64 value)) value "64 bits back")

          testCase "every form of one or two bytes is read like the reference" (fun () ->
              for first in 0..255 do
                  for second in 0..255 do
                      let bytes = [ byte first; byte second ]
                      let hex = Bytes.toHex (Bytes(Array.ofList bytes))
                      Expect.equal (kind (read32 hex) |> Result.map bigint) (referenceRead 32 5 bytes) hex
                      Expect.equal (kind (read64 hex) |> Result.map bigint) (referenceRead 64 10 bytes) hex)

          law 1000 "any bytes are read or refused like the reference" (fun (bytes: byte[]) (more: byte[]) ->
              // Many continuation bits, so that long forms occur.
              let bytes = Array.append (Array.map (fun value -> value ||| 0x80uy) bytes) more |> List.ofArray
              let hex = Bytes.toHex (Bytes(Array.ofList bytes))

              kind (read32 hex) |> Result.map bigint = referenceRead 32 5 bytes
              && kind (read64 hex) |> Result.map bigint = referenceRead 64 10 bytes)

          testCase "a form longer than necessary is read, up to the longest form" (fun () ->
              Expect.equal (read32 "8000") (Ok 0u) "two bytes for zero"
              Expect.equal (read32 "8180808000") (Ok 1u) "five bytes for one"
              Expect.equal (read64 "81808080808080808000") (Ok 1UL) "ten bytes for one")

          testCase "a 32-bit form that overflows or is longer than five bytes is refused at its fifth byte" (fun () ->
              Expect.equal (read32 "ffffffff0f") (Ok UInt32.MaxValue) "the largest"
              Expect.equal (read32 "ffffffff10") (Error(Problem.BadVarint 5, 4)) "a bit too many"
              Expect.equal (read32 "808080808000") (Error(Problem.BadVarint 5, 4)) "six bytes")

          testCase "a 64-bit form that overflows or is longer than ten bytes is refused at its tenth byte" (fun () ->
              Expect.equal (read64 "ffffffffffffffffff01") (Ok UInt64.MaxValue) "the largest"
              Expect.equal (read64 "ffffffffffffffffff02") (Error(Problem.BadVarint 10, 9)) "a bit too many"
              Expect.equal (read64 "8080808080808080808000") (Error(Problem.BadVarint 10, 9)) "eleven bytes")

          testCase "a truncated form is refused at the end of the bytes" (fun () ->
              Expect.equal (read32 "") (Error(Problem.Truncated(1L, 0), 0)) "nothing"
              Expect.equal (read32 "ffff") (Error(Problem.Truncated(1L, 0), 2)) "two bytes"
              Expect.equal (read64 "ffffffffffffffffff") (Error(Problem.Truncated(1L, 0), 9)) "nine bytes of ten") ]
