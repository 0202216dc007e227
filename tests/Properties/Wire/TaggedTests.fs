module LibKafka.Properties.Wire.TaggedTests

open Expecto
open FsCheck.FSharp
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Properties.Support
open LibKafka.Properties.Wire.Sample

type private Inner = { Number: int; Note: string }

let private inner = message {
    let! number = field "Number" _.Number int32
    and! note = field "Note" _.Note (string |> tagged 0)
    return { Number = number; Note = note }
}

type private Outer = { Plain: int8; Name: string; Numbers: int list; Inner: Inner; Far: int64 }

let private outer = message {
    let! plain = field "Plain" _.Plain int8
    and! name = field "Name" _.Name (string |> tagged 0)
    and! numbers = field "Numbers" _.Numbers (array int32 |> tagged 2)
    and! inner = field "Inner" _.Inner (inner |> tagged 3)
    and! far = field "Far" _.Far (int64 |> withDefault -1L |> tagged 130)

    return { Plain = plain; Name = name; Numbers = numbers; Inner = inner; Far = far }
}

let private defaults = { Plain = 7y; Name = ""; Numbers = []; Inner = { Number = 0; Note = "" }; Far = -1L }

let private full = { Plain = 7y; Name = "hi"; Numbers = [ 9 ]; Inner = { Number = 1; Note = "n" }; Far = 5L }

/// The tagged fields of `full`: tag, size, value.
let private fullFields =
    [ "00" + "03" + "036869"
      "02" + "05" + "0200000009"
      "03" + "09" + "00000001" + "01" + "0002026e"
      "8201" + "08" + "0000000000000005" ]

/// A plain field and a tagged section of these fields.
let private section (fields: string list) = "07" + fields.Length.ToString "x2" + String.concat "" fields

let private read fields = decodeAt flexible outer (section fields)

let private shuffled = Gen.shuffle fullFields |> Gen.map List.ofArray |> Arb.fromGen

/// A field of so many bytes with a tag that the message does not have.
let private unknown (tag: string) (size: int) = tag + size.ToString "x2" + String.replicate size "ee"

let private onWriting =
    testList
        "on writing"
        [ testCase "fields are in the order of their tags, each with its size" (fun () -> hasBytes flexible outer full (section fullFields))

          testCase "a field with its default is left out" (fun () ->
              hasBytes flexible outer defaults "0700"
              hasBytes flexible outer { defaults with Far = 5L } (section [ fullFields[3] ]))

          testCase "the size takes as many bytes as necessary" (fun () ->
              for letterCount, size, count in
                  [ 125, "7e", "7e" // the compact length is one byte
                    126, "7f", "7f"
                    127, "8101", "8001" // the compact length is two bytes, and so is the size
                    128, "8201", "8101"
                    16381, "ff7f", "fe7f"
                    16382, "808001", "ff7f"
                    16383, "828001", "808001" ] do
                  hasBytes
                      flexible
                      outer
                      { defaults with Name = letters letterCount }
                      ("0701" + "00" + size + count + lettersHex letterCount))

          testCase "the fields after one with a long size are intact" (fun () ->
              hasBytes
                  flexible
                  outer
                  { full with Name = letters 127 }
                  ("0704" + "00" + "8101" + "8001" + lettersHex 127 + String.concat "" (List.tail fullFields))) ]

let private onReading =
    testList
        "on reading"
        [ law 50 "any order is accepted" (Prop.forAll shuffled (fun fields -> read fields = Ok full))

          testCase "a field that was sent with its default is read" (fun () ->
              Expect.equal (read [ "00" + "01" + "01"; "8201" + "08" + "ffffffffffffffff" ]) (Ok defaults) "the value")

          testCase "unknown tags are skipped, wherever they are" (fun () ->
              let unknowns = [ unknown "01" 0; unknown "04" 3; unknown "ffffffff0f" 127 ]
              Expect.equal (read unknowns) (Ok defaults) "only unknowns"
              Expect.equal (read (unknowns @ fullFields)) (Ok full) "before"
              Expect.equal (read (fullFields @ unknowns)) (Ok full) "after"

              // In the struct inside a tagged field.
              let nested = "03" + "0b" + "00000001" + "02" + "0002026e" + "0900"
              Expect.equal (read [ nested ]) (Ok { defaults with Inner = full.Inner }) "inside")

          testCase "a struct without tagged fields skips those of a later version" (fun () ->
              Expect.equal (decodeAt flexible (message.Return 5) ("02" + unknown "00" 2 + unknown "05" 1)) (Ok 5) "the value")

          testCase "a tag that occurs twice is refused at the second value, known or not" (fun () ->
              read [ fullFields[0]; fullFields[0] ] |> faultsWith (Problem.DuplicateTag 0u) 9 "Sample"

              read [ unknown "05" 1; fullFields[0]; unknown "05" 1 ] |> faultsWith (Problem.DuplicateTag 5u) 12 "Sample"

              // The first repetition counts.
              read [ unknown "01" 0; unknown "09" 0; unknown "09" 0; unknown "01" 0 ]
              |> faultsWith (Problem.DuplicateTag 9u) 8 "Sample")

          law
              200
              "sections are refused exactly if a tag occurs twice"
              (Prop.forAll (Arb.fromGen (Gen.listOf (Gen.choose (4, 100)))) (fun tags ->
                  let tags = List.truncate 100 tags
                  let isDistinct = List.length (List.distinct tags) = List.length tags

                  match read (tags |> List.map (fun tag -> unknown (tag.ToString "x2") 0)) with
                  | Ok value -> isDistinct && value = defaults
                  | Error { Problem = Problem.DuplicateTag tag } -> not isDistinct && List.length (List.filter ((=) (int tag)) tags) > 1
                  | Error _ -> false))

          testCase "a value shorter than its size is refused, with the field in the path" (fun () ->
              read [ "00" + "05" + "036869" + "0000" ] |> faultsWith (Problem.TagSizeMismatch(0u, 5, 3)) 7 "Sample/Name"

              read [ "8201" + "09" + "000000000000000500" ] |> faultsWith (Problem.TagSizeMismatch(130u, 9, 8)) 13 "Sample/Far")

          testCase "a value longer than its size is refused, with the field in the path" (fun () ->
              read [ "00" + "02" + "0368"; unknown "05" 3 ] |> faultsWith (Problem.Truncated(2L, 1)) 5 "Sample/Name"

              read [ "02" + "04" + "02000000" ] |> faultsWith (Problem.CountTooLarge(1L, 0L)) 5 "Sample/Numbers"

              read [ "8201" + "07" + "00000000000000" ] |> faultsWith (Problem.Truncated(8L, 7)) 5 "Sample/Far")

          testCase "a size beyond the end of the bytes is refused" (fun () ->
              decodeAt flexible outer "0701000461" |> faultsWith (Problem.Truncated(4L, 1)) 4 "Sample")

          testCase "a missing or truncated section is refused" (fun () ->
              decodeAt flexible outer "07" |> faultsWith (Problem.Truncated(1L, 0)) 1 "Sample"
              decodeAt flexible outer "0701" |> faultsWith (Problem.CountTooLarge(1L, 0L)) 2 "Sample"
              decodeAt flexible outer "070180" |> faultsWith (Problem.CountTooLarge(1L, 0L)) 2 "Sample"
              decodeAt flexible outer "07018080" |> faultsWith (Problem.Truncated(1L, 0)) 4 "Sample")

          testCase "null in a tagged field that is not nullable is refused, with the field in the path" (fun () ->
              read [ "00" + "01" + "00" ] |> faultsWith Problem.NullNotAllowed 5 "Sample/Name") ]

[<Tests>]
let tests = testList "Tagged fields" [ onWriting; onReading ]
