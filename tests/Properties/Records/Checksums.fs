/// CRC-32C and varints: every fast implementation against the slow one.
module LibKafka.Properties.Records.Checksums

open System
open Expecto
open FsCheck
open LibKafka.Wire
open LibKafka.Cases
open LibKafka.Records
open LibKafka.Properties.Support
open LibKafka.Properties.Records.Samples

/// The implementations that this processor supports, with the shortest input of each.
let private variants: (string * int * (uint32 -> byte[] -> int -> int -> uint32)) list =
    [ "table", 0, (fun register bytes start count -> Crc32C.portable register (ReadOnlySpan<byte>(bytes, start, count)))
      "instruction", 0, (fun register bytes start count -> Crc32C.instruction register (ReadOnlySpan<byte>(bytes, start, count)))
      if Crc32C.hasStreams () then
          "streams", 0, (fun register bytes start count -> Crc32C.streams register (ReadOnlySpan<byte>(bytes, start, count)))
      if Crc32C.hasFolding () then
          "folding", 256, (fun register bytes start count -> Crc32C.folding register (ReadOnlySpan<byte>(bytes, start, count))) ]

let private content: byte[] =
    let bytes = Array.zeroCreate<byte> 20100
    Random(7).NextBytes bytes
    bytes

/// The registers after the first 0, 1, 2, … bytes of the content from a position on, computed bit by bit in one pass.
let private registers (before: uint32) (start: int) : uint32[] =
    content[start .. start + 19999]
    |> Array.scan
        (fun register value ->
            let mutable sum = register ^^^ uint32 value

            for _ in 1..8 do
                sum <- if sum &&& 1u = 1u then (sum >>> 1) ^^^ 0x82F63B78u else sum >>> 1

            sum)
        before

/// The checksums of the first 0, 1, 2, … bytes of the content, computed bit by bit.
let private prefixes: Lazy<uint32[]> = lazy (registers UInt32.MaxValue 0 |> Array.map (~~~))

[<Tests>]
let checksums =
    testList
        "CRC-32C"
        [ test "the check value of the algorithm's catalogue entry" {
              Expect.equal (Crc32C.compute (ReadOnlySpan<byte> "123456789"B)) 0xE3069283u "CRC-32C of 123456789"
              Expect.equal (Crc32C.compute ReadOnlySpan<byte>.Empty) 0u "CRC-32C of nothing"
              Expect.equal (Reference.crc32c "123456789"B) 0xE3069283u "the reference"
          }

          test "the first prefixes are what the reference computes" {
              for length in [ 0; 1; 2; 63; 300 ] do
                  Expect.equal prefixes.Value[length] (Reference.crc32c (Array.truncate length content)) (string length)
          }

          for name, pastZeros in
              [ "portable", Crc32C.pastZerosPortable
                if Crc32C.hasStreams () then "in hardware", Crc32C.pastZerosInHardware
                "the one that is used", Crc32C.pastZeros ] do
              property ("moving a register past zero bytes is summing them: " + name) (fun (register: uint32, count: NonNegativeInt) ->
                  let count = count.Get * 37
                  pastZeros register count = Crc32C.instruction register (ReadOnlySpan<byte>(Array.zeroCreate<byte> count)))

              test ("moving a register past every short run of zeros, and past very long ones: " + name) {
                  for count in 0..300 do
                      let zeros = Array.zeroCreate<byte> count
                      Expect.equal (pastZeros 0x12345678u count) (Crc32C.portable 0x12345678u (ReadOnlySpan<byte> zeros)) (string count)

                  // Twice the half is the whole.
                  for half in [ 1 <<< 20; (1 <<< 28) + 12_345; (1 <<< 29) + 1 ] do
                      Expect.equal (pastZeros 0x9ABCDEFu (2 * half)) (pastZeros (pastZeros 0x9ABCDEFu half) half) (string half)
              }

          for name, least, variant in variants do
              test ("every length to 20,000 at every alignment: " + name) {
                  // 64 consecutive positions cover every alignment to a cache line, wherever the array lies: more would repeat them.
                  for start in 0 .. min 64 (cases 64) - 1 do
                      let before = if start = 0 then UInt32.MaxValue else uint32 start
                      let expected = registers before start

                      for length in least..20000 do
                          if variant before content start length <> expected[length] then
                              failtest ("differs at " + string start + " with length " + string length)
              }

          test "the chosen variant, every length" {
              for length in 0..20000 do
                  if Crc32C.compute (ReadOnlySpan<byte>(content, 0, length)) <> prefixes.Value[length] then
                      failtest ("differs at length " + string length)
          }

          property "computing it in two parts gives the same as in one" (fun (first: byte[], second: byte[]) ->
              let before = Crc32C.compute (ReadOnlySpan<byte> first)
              Crc32C.append before (ReadOnlySpan<byte> second) = Crc32C.compute (ReadOnlySpan<byte>(Array.append first second))) ]

/// The value and the remaining bytes, or nothing if the bytes are malformed.
let private scan (read: byte[] -> int * int64) (bytes: byte[]) : (int64 * byte list) option =
    try
        let position, value = read bytes
        Some(value, List.ofArray bytes[position..])
    with :? FaultException ->
        None

let private varint (bytes: byte[]) =
    let mutable position = 0
    let value = Scan.varint (ReadOnlySpan<byte> bytes) &position
    position, int64 value

let private varlong (bytes: byte[]) =
    let mutable position = 0
    let value = Scan.varlong (ReadOnlySpan<byte> bytes) &position
    position, value

let private written (raw: uint64) : byte list =
    let buffer = Array.zeroCreate<byte> 16
    let finish = Put.varintCall &buffer[0] 0n raw
    List.ofArray buffer[.. int finish - 1]

[<Tests>]
let varints =
    testList
        "varints of records"
        [ property "32 bits are read as the reference wrote them" (fun (DoNotSize(value: int32)) ->
              scan varint (Array.ofList (Reference.varint (int64 value))) = Some(int64 value, []))

          property "64 bits are read as the reference wrote them" (fun (DoNotSize(value: int64)) ->
              scan varlong (Array.ofList (Reference.varint value)) = Some(value, []))

          property "written as the reference writes, in the computed size" (fun (DoNotSize(value: int64), shift: byte) ->
              let value = value >>> int (shift % 64uy)
              let expected = Reference.varint value

              written (Varint.zigZag64 value) = expected && Varint.size64 (Varint.zigZag64 value) = expected.Length)

          property "any bytes are read, or refused, as the reference does" (fun (bytes: byte[], longer: byte) ->
              // Continuation bytes first, so that every length occurs.
              let continued = Array.replicate (int longer % 11) 0xFFuy
              let bytes = Array.append continued bytes

              scan varint bytes = Reference.readVarint 5 32 (List.ofArray bytes)
              && scan varlong bytes = Reference.readVarint 10 64 (List.ofArray bytes)) ]
