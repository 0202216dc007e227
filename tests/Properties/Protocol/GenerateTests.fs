/// The generator itself: a law that no value exercises proves nothing.
module LibKafka.Properties.Protocol.GenerateTests

open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Wire
open LibKafka.Properties.Support
open LibKafka.Properties.Protocol.Definitions
open LibKafka.Properties.Protocol.Generate

/// The same values in every run, of the sizes that the laws are tested with.
let private samples: Lazy<int64[] list> =
    lazy
        ([ 5; 20; 50; 100 ]
         |> List.collect (fun size -> numbers |> Gen.sampleWithSeed (Rnd(uint64 size, 1UL)) size 100 |> List.ofArray))

let private zeros (definition: Definition) =
    definition.Use
        { new IUse<Test> with
            member _.Use message =
                testCase message.Name (fun () ->
                    let fallback = message.Schema.Default
                    Expect.isTrue (same (build message [||]) fallback) "an empty list"
                    Expect.isTrue (same (build message (Array.zeroCreate 100)) fallback) "a hundred zeros") }

/// How many of the samples are lost in part by a version.
let private lossesOf (message: Message<'T>) version =
    samples.Value
    |> List.filter (fun choices -> Message.lossy version message (build message choices) <> Ok [])
    |> List.length

let private reachesBothOutcomes (definition: Definition) =
    definition.Use
        { new IUse<Test> with
            member _.Use message =
                testCase message.Name (fun () ->
                    let published = PublishedSchema.find message.Name

                    for version in definition.Versions do
                        let losses = lossesOf message version
                        // If something can be lost, some values lose it and others do not.
                        let canLose =
                            PublishedSchema.settingsOf published
                            |> List.exists (fun setting -> PublishedSchema.lost version setting published <> [])
                        Expect.isLessThan losses samples.Value.Length (sprintf "version %d carries some of the values" version)
                        Expect.equal (losses > 0) canLose (sprintf "version %d loses some of the values" version)) }

/// What the values have, over all samples.
[<Sealed>]
type private Census() =
    inherit Visitor()
    let seen = System.Collections.Generic.HashSet<string>()
    let see (what: string) = seen.Add what |> ignore
    override _.Bool value = see (string value)

    override _.Integer value =
        see (
            if value = 0L then "zero"
            elif value < 0L then "negative"
            else "positive"
        )

    override _.String value =
        let size = System.Text.Encoding.UTF8.GetByteCount value

        see (
            if size = 0 then "empty text"
            elif size < 127 then "text"
            else "text with a compact length of two bytes"
        )

    override _.Bytes value = see (if value.Length = 0 then "no bytes" else "bytes")
    override _.Null() = see "null"
    override _.BeginArray count =
        see (
            if count = 0 then "no elements"
            elif count = 1 then "one element"
            else "many elements"
        )
    member _.Seen = Set.ofSeq seen

let private variety =
    testCase "values have everything that could matter: nulls, empty and long texts, bytes and arrays, numbers of either sign" (fun () ->
        let census = Census()

        for definition in all do
            definition.Use
                { new IUse<bool> with
                    member _.Use message =
                        for choices in List.take 100 samples.Value do
                            (message.Schema.At MessageVersion.Every).Visit(census, build message choices)

                        true }
            |> ignore

        Expect.equal
            census.Seen
            (Set.ofList
                [ "True"
                  "False"
                  "zero"
                  "negative"
                  "positive"
                  "empty text"
                  "text"
                  "text with a compact length of two bytes"
                  "no bytes"
                  "bytes"
                  "null"
                  "no elements"
                  "one element"
                  "many elements" ])
            "what was seen")

[<Tests>]
let tests =
    testList
        "Values made from definitions"
        [ forEach "are the default if all numbers are zero" all zeros
          forEach "are lost in part by some versions and carried by others" all reachesBothOutcomes
          variety ]
