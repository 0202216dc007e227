module LibKafka.Properties.Wire.TypeTests

open System
open Expecto
open LibKafka.Wire
open LibKafka.Properties.Support
open LibKafka.Properties.Wire.Sample

module Types = LibKafka.Wire.Notation

/// A type whose bytes do not depend on the version, its shape, and values with their hand-written bytes.
let private fixedType name (schema: Schema<'T>) (shape: Shape) (minSize: int) (examples: ('T * string) list) =
    testCase (name + " has the bytes of the protocol guide, in classic and flexible versions") (fun () ->
        for version in [ classic; flexible ] do
            Expect.equal (Message.shape version (messageOf schema)) (Ok shape) "the shape"
            Expect.equal (Message.minSize version (messageOf schema)) (Ok minSize) "the smallest size"

            for value, hex in examples do
                hasBytes version schema value hex)

/// A type with a length prefix: each value has its classic and its compact bytes.
let private lengthType name (schema: Schema<'T>) (shape: bool -> Shape) (classicMin: int) (examples: ('T * string * string) list) =
    testCase (name + " has a classic length in classic versions and a compact one in flexible versions") (fun () ->
        Expect.equal (Message.shape classic (messageOf schema)) (Ok(shape false)) "the classic shape"
        Expect.equal (Message.shape flexible (messageOf schema)) (Ok(shape true)) "the compact shape"
        Expect.equal (Message.minSize classic (messageOf schema)) (Ok classicMin) "the smallest classic size"
        Expect.equal (Message.minSize flexible (messageOf schema)) (Ok 1) "the smallest compact size"

        for value, classicHex, compactHex in examples do
            hasBytes classic schema value classicHex
            hasBytes flexible schema value compactHex)

let private blob count = Bytes(Array.create count 0x78uy)

let private fixedTypes =
    testList
        "types with one form"
        [ fixedType "int8" Types.Primitives.int8 Shape.Int8 1 [ 0y, "00"; 1y, "01"; -1y, "ff"; SByte.MinValue, "80"; SByte.MaxValue, "7f" ]
          fixedType
              "int16"
              Types.Primitives.int16
              Shape.Int16
              2
              [ 0s, "0000"; 0x1234s, "1234"; -2s, "fffe"; Int16.MinValue, "8000"; Int16.MaxValue, "7fff" ]
          fixedType "uint16" Types.Primitives.uint16 Shape.UInt16 2 [ 0us, "0000"; 0x1234us, "1234"; UInt16.MaxValue, "ffff" ]
          fixedType
              "int32"
              Types.Primitives.int32
              Shape.Int32
              4
              [ 0, "00000000"; 0x12345678, "12345678"; -2, "fffffffe"; Int32.MinValue, "80000000"; Int32.MaxValue, "7fffffff" ]
          fixedType "uint32" Types.Primitives.uint32 Shape.UInt32 4 [ 0u, "00000000"; 0x12345678u, "12345678"; UInt32.MaxValue, "ffffffff" ]
          fixedType
              "int64"
              Types.Primitives.int64
              Shape.Int64
              8
              [ 0L, "0000000000000000"
                0x123456789ABCDEF0L, "123456789abcdef0"
                -2L, "fffffffffffffffe"
                Int64.MinValue, "8000000000000000"
                Int64.MaxValue, "7fffffffffffffff" ]
          fixedType
              "float64"
              Types.Primitives.float64
              Shape.Float64
              8
              [ 0.0, "0000000000000000"
                1.0, "3ff0000000000000"
                -2.5, "c004000000000000"
                Double.MaxValue, "7fefffffffffffff"
                Double.Epsilon, "0000000000000001"
                Double.NegativeInfinity, "fff0000000000000"
                BitConverter.Int64BitsToDouble 0x7FF8000000000000L, "7ff8000000000000" ]
          fixedType "bool" Types.Primitives.bool Shape.Bool 1 [ false, "00"; true, "01" ]
          fixedType
              "uuid"
              Types.Primitives.uuid
              Shape.Uuid
              16
              [ Guid.Empty, "00000000000000000000000000000000"
                Guid "00112233-4455-6677-8899-aabbccddeeff", "00112233445566778899aabbccddeeff" ]
          fixedType
              "varint"
              Types.Primitives.varint
              Shape.Varint
              1
              [ 0, "00"; -1, "01"; 1, "02"; -64, "7f"; 64, "8001"; Int32.MaxValue, "feffffff0f"; Int32.MinValue, "ffffffff0f" ]
          fixedType
              "varlong"
              Types.Primitives.varlong
              Shape.Varlong
              1
              [ 0L, "00"; -1L, "01"; 64L, "8001"; Int64.MaxValue, "feffffffffffffffff01"; Int64.MinValue, "ffffffffffffffffff01" ]
          fixedType
              "unsigned varint"
              Types.Primitives.unsignedVarint
              Shape.UnsignedVarint
              1
              [ 0u, "00"; 127u, "7f"; 128u, "8001"; 300u, "ac02"; UInt32.MaxValue, "ffffffff0f" ]
          fixedType
              "unsigned varlong"
              Types.Primitives.unsignedVarlong
              Shape.UnsignedVarlong
              1
              [ 0UL, "00"; 128UL, "8001"; UInt64.MaxValue, "ffffffffffffffffff01" ]

          testCase "a bool is true for every byte but zero" (fun () ->
              for value in 0..255 do
                  Expect.equal (decodeAt classic Types.Primitives.bool (value.ToString "x2")) (Ok(value <> 0)) (string value)) ]

let private lengthTypes =
    testList
        "types with a length"
        [ lengthType
              "string"
              Types.string
              Shape.String
              2
              [ "", "0000", "01"
                "hi", "00026869", "036869"
                "é😀", "0006c3a9f09f9880", "07c3a9f09f9880"
                "\u0000", "000100", "0200"
                letters 126, "007e" + lettersHex 126, "7f" + lettersHex 126
                letters 127, "007f" + lettersHex 127, "8001" + lettersHex 127
                letters 128, "0080" + lettersHex 128, "8101" + lettersHex 128
                letters 16382, "3ffe" + lettersHex 16382, "ff7f" + lettersHex 16382
                letters 16383, "3fff" + lettersHex 16383, "808001" + lettersHex 16383
                letters 32767, "7fff" + lettersHex 32767, "808002" + lettersHex 32767 ]
          lengthType
              "nullable string"
              (Types.nullable Types.string)
              (Shape.String >> Shape.Nullable)
              2
              [ None, "ffff", "00"; Some "", "0000", "01"; Some "hi", "00026869", "036869" ]
          lengthType
              "bytes"
              Types.Primitives.bytes
              Shape.Bytes
              4
              [ Bytes.empty, "00000000", "01"
                Bytes.ofHex "0badff", "000000030badff", "040badff"
                blob 126, "0000007e" + lettersHex 126, "7f" + lettersHex 126
                blob 127, "0000007f" + lettersHex 127, "8001" + lettersHex 127
                blob 40000, "00009c40" + lettersHex 40000, "c1b802" + lettersHex 40000 ]
          lengthType
              "nullable bytes"
              (Types.nullable Types.Primitives.bytes)
              (Shape.Bytes >> Shape.Nullable)
              4
              [ None, "ffffffff", "00"; Some Bytes.empty, "00000000", "01"; Some(Bytes.ofHex "0b"), "000000010b", "020b" ]
          lengthType
              "records"
              (Types.nullable Types.Primitives.records)
              (Shape.Records >> Shape.Nullable)
              4
              [ None, "ffffffff", "00"; Some Bytes.empty, "00000000", "01"; Some(Bytes.ofHex "0b"), "000000010b", "020b" ]
          lengthType
              "array"
              (Types.array Types.Primitives.int16)
              (fun compact -> Shape.Array(Shape.Int16, compact))
              4
              [ [], "00000000", "01"
                [ 1s; -1s ], "000000020001ffff", "030001ffff"
                List.replicate 126 0x7878s, "0000007e" + lettersHex 252, "7f" + lettersHex 252
                List.replicate 127 0x7878s, "0000007f" + lettersHex 254, "8001" + lettersHex 254 ]
          lengthType
              "nullable array"
              (Types.nullable (Types.array Types.Primitives.int16))
              (fun compact -> Shape.Nullable(Shape.Array(Shape.Int16, compact)))
              4
              [ None, "ffffffff", "00"; Some [], "00000000", "01"; Some [ 7s ], "000000010007", "020007" ]
          lengthType
              "array of arrays of nullable strings"
              (Types.array (Types.array (Types.nullable Types.string)))
              (fun compact -> Shape.Array(Shape.Array(Shape.Nullable(Shape.String compact), compact), compact))
              4
              [ [ [ Some "a"; None ]; [] ], "0000000200000002000161ffff00000000", "030302610001" ]

          testCase "a length marked `classic` is classic in flexible versions too" (fun () ->
              hasBytes flexible (Types.classic (Types.nullable Types.string)) (Some "hi") "00026869"
              hasBytes flexible (Types.classic (Types.nullable Types.string)) None "ffff"
              Expect.equal (Message.shape flexible (messageOf (Types.classic Types.Primitives.bytes))) (Ok(Shape.Bytes false)) "the shape")

          testCase "decoded bytes are a slice of the frame, not a copy" (fun () ->
              let frame = Bytes.ofHex "0000000301020304"
              let struct (slice, _) = Message.decodePrefix Limits.standard classic (messageOf Types.Primitives.bytes) frame |> ok "decode"

              Expect.equal slice (Bytes.ofHex "010203") "the bytes"
              Expect.isTrue (slice.Span.Overlaps frame.Span) "the memory") ]

let private refusedLengths =
    testList
        "refused lengths"
        [ testCase "null, although it is not allowed" (fun () ->
              decodeAt classic Types.string "ffff" |> faultsWith Problem.NullNotAllowed 2 "Sample"
              decodeAt flexible Types.string "00" |> faultsWith Problem.NullNotAllowed 1 "Sample"
              decodeAt classic Types.Primitives.bytes "ffffffff" |> faultsWith Problem.NullNotAllowed 4 "Sample"
              decodeAt flexible Types.Primitives.records "00" |> faultsWith Problem.NullNotAllowed 1 "Sample"
              decodeAt classic (Types.array Types.Primitives.int8) "ffffffff" |> faultsWith Problem.NullNotAllowed 4 "Sample"
              decodeAt flexible (Types.array Types.Primitives.int8) "00" |> faultsWith Problem.NullNotAllowed 1 "Sample")

          testCase "a negative length that does not mean null" (fun () ->
              decodeAt classic Types.string "fffe" |> faultsWith (Problem.NegativeLength -2L) 2 "Sample"
              decodeAt classic (Types.nullable Types.string) "8000" |> faultsWith (Problem.NegativeLength -32768L) 2 "Sample"
              decodeAt classic Types.Primitives.bytes "80000000" |> faultsWith (Problem.NegativeLength -2147483648L) 4 "Sample"

              decodeAt classic (Types.nullable (Types.array Types.Primitives.int8)) "fffffffe"
              |> faultsWith (Problem.NegativeLength -2L) 4 "Sample")

          testCase "a length beyond the remaining bytes" (fun () ->
              decodeAt classic Types.string "000361" |> faultsWith (Problem.Truncated(3L, 1)) 2 "Sample"
              decodeAt flexible Types.string "0461" |> faultsWith (Problem.Truncated(3L, 1)) 1 "Sample"
              decodeAt classic Types.Primitives.bytes "7fffffff61" |> faultsWith (Problem.Truncated(2147483647L, 1)) 4 "Sample"
              decodeAt flexible Types.Primitives.bytes "ffffffff0f61" |> faultsWith (Problem.Truncated(4294967294L, 1)) 5 "Sample")

          testCase "a truncated length" (fun () ->
              decodeAt classic Types.string "00" |> faultsWith (Problem.Truncated(2L, 1)) 0 "Sample"
              decodeAt flexible Types.string "80" |> faultsWith (Problem.Truncated(1L, 0)) 1 "Sample"
              decodeAt flexible Types.string "ffffffff10" |> faultsWith (Problem.BadVarint 5) 4 "Sample")

          testCase "a string longer than the protocol's 32,767 bytes, read or written" (fun () ->
              decodeAt flexible Types.string ("818002" + lettersHex 32768) |> faultsWith (Problem.TooLong(32768L, 32767L)) 3 "Sample"

              for version in [ classic; flexible ] do
                  encodeAt version Types.string (letters 32768) |> faultsWith (Problem.TooLong(32768L, 32767L)) 0 "Sample"
                  // The limit is in bytes: these are 16,384 characters of two bytes each.
                  encodeAt version Types.string (String.replicate 16384 "é") |> faultsWith (Problem.TooLong(32768L, 32767L)) 0 "Sample")

          testCase "text that is not valid UTF-8" (fun () ->
              // A lone continuation byte, an overlong slash, a surrogate, a value above U+10FFFF, a sequence that is cut off.
              for bad in [ "80"; "c0af"; "eda080"; "f4908080"; "e282" ] do
                  let size = bad.Length / 2
                  decodeAt classic Types.string ("000" + string (size + 1) + "61" + bad) |> faultsWith Problem.BadUtf8 2 "Sample"
                  decodeAt flexible Types.string ("0" + string (size + 2) + "61" + bad) |> faultsWith Problem.BadUtf8 1 "Sample")

          testCase "a lone surrogate on writing" (fun () ->
              for bad in [ loneSurrogate; "a" + loneSurrogate; loneSurrogate + "a" ] do
                  for version in [ classic; flexible ] do
                      encodeAt version Types.string bad |> faultsWith Problem.BadUtf8 0 "Sample")

          testCase "bytes after the value" (fun () ->
              decodeAt classic Types.Primitives.int32 "000000010203" |> faultsWith (Problem.TrailingBytes 2) 4 "Sample"
              decodeAt flexible Types.string "016161" |> faultsWith (Problem.TrailingBytes 2) 1 "Sample") ]

/// Decodes and measures the allocated memory, without the one-time cost of the first use of a type.
let private measured (schema: Schema<'T>) version hex =
    let message = messageOf schema
    let bytes = Bytes.ofHex hex
    Message.decode Limits.standard version message bytes |> ignore
    allocating (fun () -> Message.decode Limits.standard version message bytes)

/// More than a fault costs, and far less than any of the counts below would take.
let private little = 64L * 1024L

let private refusedCounts =
    testList
        "counts that are refused before anything is allocated"
        [ testCase "the largest classic count in a small frame" (fun () ->
              let result, bytes = measured (Types.array Types.Primitives.int64) classic "7fffffff0000000000000000"
              result |> faultsWith (Problem.CountTooLarge(2147483647L, 1L)) 4 "Sample"
              Expect.isLessThan bytes little "bytes allocated")

          testCase "the largest compact counts in a small frame" (fun () ->
              let result, bytes = measured (Types.array Types.Primitives.int64) flexible "ffffffff070000000000000000"
              result |> faultsWith (Problem.CountTooLarge(2147483646L, 1L)) 5 "Sample"
              Expect.isLessThan bytes little "bytes allocated"
              let result, bytes = measured (Types.array Types.Primitives.int64) flexible "ffffffff0f0000000000000000"
              result |> faultsWith (Problem.CountTooLarge(4294967294L, 1L)) 5 "Sample"
              Expect.isLessThan bytes little "bytes allocated")

          testCase "a count of one more than fits, by the smallest size of an element" (fun () ->
              // Two strings take at least four bytes.
              decodeAt classic (Types.array Types.string) "0000000200000000" |> (fun read -> Expect.equal read (Ok [ ""; "" ]) "two")

              decodeAt classic (Types.array Types.string) "0000000300000000" |> faultsWith (Problem.CountTooLarge(3L, 2L)) 4 "Sample")

          testCase "elements of no bytes count as one byte" (fun () ->
              let nothing = Types.message.Return()
              let result, bytes = measured (Types.array nothing) classic "7fffffff"
              result |> faultsWith (Problem.CountTooLarge(2147483647L, 0L)) 4 "Sample"
              Expect.isLessThan bytes little "bytes allocated")

          testCase "a count of tagged fields" (fun () ->
              let result, bytes = measured (Types.message.Return()) flexible "ffffffff0f0000"
              result |> faultsWith (Problem.CountTooLarge(4294967295L, 1L)) 5 "Sample"
              Expect.isLessThan bytes little "bytes allocated")

          testCase "many small tagged sections take memory in proportion to their bytes" (fun () ->
              // Each element has an unknown field of no bytes.
              let sections = String.replicate 1000 "010500"
              let result, bytes = measured (Types.array (Types.message.Return 5)) flexible ("e907" + sections)
              Expect.equal result (Ok(List.replicate 1000 5)) "the value"
              Expect.isLessThan bytes (100L * 3000L) "bytes allocated"
              // A thousand unknown fields of no bytes, in reverse order.
              let fields = [ for tag in 1127..-1..128 -> (byte (tag % 128 + 128)).ToString "x2" + (tag / 128).ToString "x2" + "00" ]
              let result, bytes = measured (Types.message.Return 5) flexible ("e807" + String.concat "" fields)
              Expect.equal result (Ok 5) "the value"
              Expect.isLessThan bytes (100L * 3000L) "bytes allocated")

          testCase "a length of bytes, of a string and of a tagged field" (fun () ->
              let result, bytes = measured Types.Primitives.bytes classic "7fffffff00"
              Expect.isError result "bytes"
              Expect.isLessThan bytes little "bytes allocated"
              let result, bytes = measured Types.string flexible "ffffffff0f00"
              Expect.isError result "string"
              Expect.isLessThan bytes little "bytes allocated"
              let result, bytes = measured (Types.message.Return()) flexible "0100ffffffff0f"
              result |> faultsWith (Problem.Truncated(4294967295L, 0)) 7 "Sample"
              Expect.isLessThan bytes little "bytes allocated") ]

let private limits =
    testList
        "limits"
        [ testCase "a frame as large as the limit is read, a larger one is refused" (fun () ->
              let decode most =
                  Message.decode
                      { Limits.standard with MaxFrameBytes = most }
                      classic
                      (messageOf Types.Primitives.int32)
                      (Bytes.ofHex "0000002a")

              Expect.equal (decode 4) (Ok 42) "four bytes of four"
              decode 3 |> faultsWith (Problem.FrameTooLarge(4L, 3L)) 0 "Sample")

          testCase "a version outside the message's range is refused by every function that takes a version" (fun () ->
              let message = messageOf Types.Primitives.int32

              for version in [ -1s; 10s; Int16.MinValue; Int16.MaxValue ] do
                  let unsupported result = faultsWith (Problem.UnsupportedVersion(version, 0s, 9s)) 0 "Sample" result

                  Message.encode version message 1 |> unsupported
                  Message.decode Limits.standard version message (Bytes.ofHex "00000001") |> unsupported
                  Message.project version message 1 |> unsupported
                  Message.shape version message |> unsupported
                  Message.minSize version message |> unsupported
                  Message.lossy version message 1 |> unsupported
                  Message.toJson version message 1 |> unsupported) ]

[<Tests>]
let tests = testList "Types on the wire" [ fixedTypes; lengthTypes; refusedLengths; refusedCounts; limits ]
