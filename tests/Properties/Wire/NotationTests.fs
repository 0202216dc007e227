module LibKafka.Properties.Wire.NotationTests

open System
open System.Threading.Tasks
open Expecto
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Properties.Support
open LibKafka.Properties.Wire.Sample

type private Pair = { First: int16; Second: int16 }

let private pair = message {
    let! first = field "First" _.First int16
    and! second = field "Second" _.Second int16
    return { First = first; Second = second }
}

/// A field for each way to state its versions.
type private Versioned = { Always: int8; Since3: int8; Until2: int8; Between2And4: int8; Ignorable: int8; Nullable: string option }

let private versioned = message {
    let! always = field "Always" _.Always int8
    and! since3 = field "Since3" _.Since3 (int8 |> since 3s 30y)
    and! until2 = field "Until2" _.Until2 (int8 |> until 2s 20y)
    and! between = field "Between2And4" _.Between2And4 (int8 |> between 2s 4s 24y)
    and! ignorable = field "Ignorable" _.Ignorable (int8 |> since 5s 50y |> ignorable)
    and! nullable = field "Nullable" _.Nullable (string |> nullableSince 4s)

    return
        { Always = always
          Since3 = since3
          Until2 = until2
          Between2And4 = between
          Ignorable = ignorable
          Nullable = nullable }
}

let private versionedMessage = { messageOf versioned with FlexibleSince = None }

let private set = { Always = 1y; Since3 = 3y; Until2 = 2y; Between2And4 = 4y; Ignorable = 5y; Nullable = Some "n" }

let private ranges =
    testList
        "a range of versions"
        [ law 200 "contains exactly the versions that it lists" (fun (lowest: int16) (highest: int16) (version: int16) ->
              let range = { Lowest = lowest; Highest = highest }
              let listed = range.ToList()

              [ lowest; highest; version; lowest - 1s; highest + 1s; -1s; 0s ]
              |> List.forall (fun one -> range.Contains one = List.contains one listed))

          testCase "contains no negative version, and none at all if it is empty" (fun () ->
              Expect.isFalse ({ Lowest = 0s; Highest = 9s }.Contains -1s) "no version is negative"
              Expect.isFalse ({ Lowest = 1s; Highest = 0s }.Contains -1s) "nor one of an empty range"
              Expect.isFalse ({ Lowest = 1s; Highest = 0s }.Contains 1s) "its lowest"

              for place in [ { Lowest = 3s; Highest = 4s }; { Lowest = 0s; Highest = 0s } ] do
                  Expect.isTrue (place.IsIn MessageVersion.Every) "a field of any versions is in the union of all") ]

let private structs =
    testList
        "structs"
        [ testCase "fields are in the order of the definition, and a flexible struct ends in a tagged section" (fun () ->
              hasBytes classic pair { First = 1s; Second = 2s } "00010002"
              hasBytes flexible pair { First = 1s; Second = 2s } "0001000200")

          testCase "a nullable struct has a byte before it: -1 for null, 1 for a value" (fun () ->
              hasBytes classic (nullable pair) None "ff"
              hasBytes flexible (nullable pair) None "ff"
              hasBytes classic (nullable pair) (Some { First = 1s; Second = 2s }) "0100010002"
              hasBytes flexible (nullable pair) (Some { First = 1s; Second = 2s }) "010001000200"

              Expect.equal
                  (Message.shape classic (messageOf (nullable pair)))
                  (Message.shape classic (messageOf pair) |> Result.map Shape.Nullable)
                  "the shape"

              Expect.equal (Message.minSize classic (messageOf (nullable pair))) (Ok 1) "the smallest size")

          testCase "every negative byte before a nullable struct means null, every other byte a value" (fun () ->
              for marker in -128 .. -1 do
                  Expect.equal (decodeAt classic (nullable pair) ((byte marker).ToString "x2")) (Ok None) (Operators.string marker)

              for marker in 0..127 do
                  Expect.equal
                      (decodeAt classic (nullable pair) (marker.ToString "x2" + "00010002"))
                      (Ok(Some { First = 1s; Second = 2s }))
                      (Operators.string marker))

          testCase "a struct without fields takes no bytes, or a tagged section if it is flexible" (fun () ->
              hasBytes classic (message.Return 5) 5 ""
              hasBytes flexible (message.Return 5) 5 "00") ]

let private wrongDefinitions =
    let tag number = field "Tagged" (fun (pair: Pair) -> pair.First) (int16 |> tagged number)

    let plain = field "Plain" (fun (pair: Pair) -> pair.Second) int16
    let build (first, second) = { First = first; Second = second }

    let buildAt version (fields: Fields<Pair, int16 * int16>) =
        message.BindReturn(fields, build).At { Number = version; Flexible = (version = flexible) } |> ignore

    let build' = buildAt flexible

    testList
        "wrong definitions"
        [ testCase "a tagged field before a plain one" (fun () ->
              build' (message.MergeSources(plain, tag 0))

              Expect.throwsT<InvalidOperationException>
                  (fun () -> build' (message.MergeSources(tag 0, plain)))
                  "raises when the version is built")

          testCase "tagged fields out of order" (fun () ->
              build' (message.MergeSources(tag 0, tag 1))
              Expect.throwsT<InvalidOperationException> (fun () -> build' (message.MergeSources(tag 1, tag 0))) "raises when built")

          testCase "a tagged field at a version that is not flexible" (fun () ->
              let later = field "Tagged" (fun (pair: Pair) -> pair.First) (int16 |> since flexible 0s |> tagged 0)
              buildAt classic (message.MergeSources(plain, later))

              Expect.throwsT<InvalidOperationException>
                  (fun () -> buildAt classic (message.MergeSources(plain, tag 0)))
                  "raises when the version is built")

          testCase "a property of a field on an element type" (fun () ->
              for wrong in [ int16 |> since 1s 0s; int16 |> until 1s 0s; int16 |> tagged 0; int16 |> ignorable ] do
                  Expect.throwsT<ArgumentException> (fun () -> array wrong |> ignore) "raises when defined")

          testCase "a property of a field on an array" (fun () -> array int16 |> since 1s [] |> tagged 0 |> ignore) ]

let private present version field =
    match Message.shape version versionedMessage with
    | Ok(Shape.Struct(fields, _)) -> fields |> List.exists (fun shape -> shape.Name = field)
    | other -> failtestf "%A is not a struct" other

let private versions =
    testList
        "versions"
        [ testCase "a field is in its versions and in no others" (fun () ->
              for version in 0s .. 9s do
                  Expect.isTrue (present version "Always") "always"
                  Expect.equal (present version "Since3") (version >= 3s) "since"
                  Expect.equal (present version "Until2") (version <= 2s) "until"
                  Expect.equal (present version "Between2And4") (version >= 2s && version <= 4s) "between")

          testCase "each version has the bytes of its own fields" (fun () ->
              let bytes version value = Message.encode version versionedMessage value |> Result.map Bytes.toHex

              let in1 = { set with Since3 = 30y; Between2And4 = 24y }

              Expect.equal (bytes 1s in1) (Ok "010200016e") "1"
              Expect.equal (bytes 2s { set with Since3 = 30y }) (Ok "01020400016e") "2"
              Expect.equal (bytes 3s { set with Until2 = 20y }) (Ok "01030400016e") "3"

              Expect.equal (bytes 4s { set with Until2 = 20y; Nullable = None }) (Ok "010304ffff") "4"

              let in5 = { set with Until2 = 20y; Between2And4 = 24y }

              Expect.equal (bytes 5s in5) (Ok "01030500016e") "5")

          testCase "an absent field is read as its default" (fun () ->
              Expect.equal
                  (Message.decode Limits.standard 1s versionedMessage (Bytes.ofHex "010200016e"))
                  (Ok { set with Since3 = 30y; Between2And4 = 24y; Ignorable = 50y })
                  "the value")

          testCase "a set field that the version cannot carry is refused, unless it is ignorable" (fun () ->
              let encode version value = Message.encode version versionedMessage value

              encode 1s { set with Between2And4 = 24y } |> faultsWith (Problem.LossyField 1s) 1 "Sample/Since3"
              encode 1s { set with Since3 = 30y } |> faultsWith (Problem.LossyField 1s) 2 "Sample/Between2And4"
              encode 5s { set with Between2And4 = 24y } |> faultsWith (Problem.LossyField 5s) 2 "Sample/Until2"
              Expect.isOk (encode 2s { set with Since3 = 30y }) "Ignorable is set and dropped")

          testCase "null is refused in versions that do not allow it, on writing and on reading" (fun () ->
              Message.encode 3s versionedMessage { set with Until2 = 20y; Nullable = None }
              |> faultsWith Problem.NullNotAllowed 3 "Sample/Nullable"

              Message.decode Limits.standard 3s versionedMessage (Bytes.ofHex "010304ffff")
              |> faultsWith Problem.NullNotAllowed 5 "Sample/Nullable")

          testCase "the fields that a version cannot carry are listed in wire order" (fun () ->
              let lossy version value = Message.lossy version versionedMessage value
              Expect.equal (lossy 1s { set with Nullable = None }) (Ok [ "Sample/Since3"; "Sample/Between2And4"; "Sample/Nullable" ]) "1"
              Expect.equal (lossy 9s set) (Ok [ "Sample/Until2"; "Sample/Between2And4" ]) "9"
              Expect.equal (lossy 2s { set with Since3 = 30y }) (Ok []) "2")

          testCase "a projected value has the defaults of the fields that the version does not carry" (fun () ->
              Expect.equal
                  (Message.project 1s versionedMessage { set with Nullable = None })
                  (Ok { set with Since3 = 30y; Between2And4 = 24y; Ignorable = 50y; Nullable = Some "" })
                  "1")

          testCase "a schema that many threads use at once has the right form at each version" (fun () ->
              for _ in 1..50 do
                  let schema = message {
                      let! first = field "First" _.First (int16 |> since 100s 0s)
                      and! second = field "Second" _.Second int16
                      return { First = first; Second = second }
                  }

                  Parallel.For(
                      0,
                      200,
                      fun number ->
                          let size = (schema.At { Number = Operators.int16 number; Flexible = false }).MinSize

                          if size <> (if number >= 100 then 4 else 2) then
                              failtestf "version %d has a smallest size of %d bytes" number size
                  )
                  |> ignore) ]

let private texts =
    testList
        "texts"
        [ testCase "a value is shown with all fields that any version has" (fun () ->
              Expect.equal
                  (Message.show versionedMessage set)
                  "Sample {Always: 1, Since3: 3, Until2: 2, Between2And4: 4, Ignorable: 5, Nullable: \"n\"}"
                  "the text")

          testCase "a part of a message is shown by its schema" (fun () ->
              Expect.equal (Schema.show pair { First = 1s; Second = 2s }) "{First: 1, Second: 2}" "the text")

          testCase "the fields with record batches are found with their paths, and null ones are left out" (fun () ->
              let parts = message {
                  let! first = field "Records" fst (nullable records)
                  and! second = field "Bytes" snd bytes
                  return first, second
              }

              let batches = Bytes.ofHex "0102"
              let value = [ Some batches, Bytes.ofHex "03"; None, Bytes.empty; Some Bytes.empty, batches ]

              Expect.equal
                  (Message.records (messageOf (array parts)) value)
                  [ "Sample[0]/Records", batches; "Sample[2]/Records", Bytes.empty ]
                  "paths and bytes")

          testCase "JSON has the fields of the version, in camel case" (fun () ->
              Expect.equal
                  (Message.toJson 3s versionedMessage set)
                  (Ok "{\"always\":1,\"since3\":3,\"between2And4\":4,\"nullable\":\"n\"}")
                  "the JSON")

          testCase "text that cannot be written can still be shown" (fun () ->
              for bad in [ loneSurrogate; "a" + loneSurrogate + "b" ] do
                  let value = { set with Nullable = Some bad }
                  Expect.stringStarts (Message.show versionedMessage value) "Sample {" "as text"
                  Expect.isOk (Message.toJson 9s versionedMessage value) "as JSON")

          testCase "every meaning and type has its text" (fun () ->
              let show schema value = Message.show (messageOf schema) value
              Expect.equal (show (nullable string) None) "Sample null" "null"
              Expect.equal (show string "a\"b\\\n") "Sample \"a\\\"b\\\\\\u000a\"" "escapes"
              Expect.equal (show (array int32) [ 1; -2 ]) "Sample [1, -2]" "array"
              Expect.equal (show bool true) "Sample true" "bool"
              Expect.equal (show float64 0.5) "Sample 0.5" "float"
              Expect.equal (show bytes (Bytes.ofHex "0bad")) "Sample 0x0bad" "bytes"
              Expect.equal (show uuid Guid.Empty) "Sample 00000000-0000-0000-0000-000000000000" "uuid"

              let colour = int8 |> mapped Operators.int Operators.sbyte (fun value -> if value = 1 then "RED" else "")
              Expect.equal (show (array colour) [ 1; 2 ]) "Sample [RED (1), 2]" "meaning") ]

[<Tests>]
let tests = testList "Notation" [ ranges; structs; wrongDefinitions; versions; texts ]
