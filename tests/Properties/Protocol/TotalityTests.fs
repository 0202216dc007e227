/// Arbitrary bytes: a decoder returns a value or a fault, and takes memory in proportion to their length.
module LibKafka.Properties.Protocol.TotalityTests

open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Cases
open LibKafka.Wire
open LibKafka.Properties.Support
open LibKafka.Properties.Protocol.Definitions
open LibKafka.Properties.Protocol.Generate

/// The most memory that reading may take for each byte. The costliest are elements of one or two bytes: each becomes a record, a list cell
/// and a few pairs on the way. If there is a fault, the bytes are read twice.
let private mostPerByte = 250L

/// The most memory that reading may take in addition: that of a fault, which is thrown twice with a stack trace each time.
let private mostBesides = 64_000L

/// What went wrong when these bytes were read, if anything did.
let private complaint (message: Message<'T>) (version: int16) (bytes: Bytes) : string option =
    // Read once before, so that the cost of the first use of a version is not counted.
    Message.decode Limits.standard version message Bytes.empty |> ignore
    let result, allocated = allocating (fun () -> Message.decode Limits.standard version message bytes)
    let most = mostBesides + mostPerByte * int64 bytes.Length
    let about text = Some(sprintf "version %d, %s: %s" version (Bytes.toHex bytes) text)

    match result with
    | _ when allocated > most -> about (sprintf "%d bytes allocated, %d at most expected" allocated most)
    | Error fault when fault.Offset < 0 || fault.Offset > bytes.Length || not (fault.Path.StartsWith message.Name) ->
        about ("a fault elsewhere: " + fault.ToString())
    | Error _ -> None
    | Ok value ->
        // A value that was read can be written, and reads back the same.
        match Message.encode version message value with
        | Error fault -> about ("read and then refused: " + fault.ToString())
        | Ok written ->
            match Message.decode Limits.standard version message written with
            // Compared by bytes, because NaN does not equal itself.
            | Ok again when Message.encode version message again = Ok written -> None
            | other -> about (sprintf "written and read again: %A" other)

/// Bytes of any kind, with many that have a meaning: small lengths, ends of ranges, continuation bits.
let private noise: Arbitrary<byte[]> =
    let meaning = Gen.elements [ 0x00uy; 0x01uy; 0x02uy; 0x03uy; 0x7Fuy; 0x80uy; 0x81uy; 0xFFuy ]
    let any = Gen.choose (0, 255) |> Gen.map byte
    let content = Gen.arrayOf (Gen.frequency [ 3, meaning; 1, any ])
    let shrink (bytes: byte[]) = shrinkNumbers (Array.map int64 bytes) |> Seq.map (Array.map byte)
    Arb.fromGenShrink (content, shrink)

let private readsNoise (definition: Definition) =
    definition.Use
        { new IUse<Test> with
            member _.Use message =
                law
                    100
                    message.Name
                    (Prop.forAll noise (fun bytes ->
                        definition.Versions
                        |> List.choose (fun version -> complaint message version (Bytes bytes))
                        |> noneOf "readings went wrong")) }

/// The bytes of lengths and counts at the ends of their ranges.
let private ends =
    [| [| 0xFFuy; 0xFFuy; 0xFFuy; 0xFFuy; 0x0Fuy |]
       [| 0xFFuy; 0xFFuy; 0xFFuy; 0xFFuy; 0x07uy |]
       [| 0x7Fuy; 0xFFuy; 0xFFuy; 0xFFuy |]
       [| 0x80uy; 0x00uy; 0x00uy; 0x00uy |]
       [| 0xFFuy; 0xFFuy |]
       [| 0x7Fuy; 0xFFuy |]
       [| 0x80uy; 0x00uy |]
       [| 0x80uy; 0x80uy; 0x80uy; 0x80uy; 0x80uy; 0x80uy |] |]

let private special = [| 0x00uy; 0x01uy; 0x7Fuy; 0x80uy; 0xFFuy |]

/// One change to the bytes, chosen by a number.
let private spoilt (bytes: byte[]) (choice: int64) : byte[] =
    let pick count shift = int ((uint64 choice >>> shift) % uint64 (max 1 count))
    let at = pick bytes.Length 8

    match pick 6 0 with
    | _ when bytes.Length = 0 -> bytes
    | 0 -> Array.updateAt at (bytes[at] ^^^ (1uy <<< pick 8 40)) bytes
    | 1 -> Array.updateAt at (special[pick special.Length 40]) bytes
    | 2 -> Array.removeManyAt at (1 + pick (bytes.Length - at) 40) bytes
    | 3 -> Array.insertManyAt at (Array.sub bytes at (pick (bytes.Length - at) 40)) bytes
    | 4 -> Array.insertManyAt at (ends[pick ends.Length 40]) bytes
    | _ ->
        let over = ends[pick ends.Length 40]
        Array.append (Array.truncate at bytes) (Array.append over (Array.skip (min bytes.Length (at + over.Length)) bytes))

/// A message's numbers and those of the changes to its bytes.
let private spoiling: Arbitrary<int64[] * int64[]> =
    let changes = Gen.choose (1, 3) |> Gen.bind (fun count -> Gen.arrayOfLength count (Gen.choose64 (0L, 1L <<< 60)))

    let shrink (values: int64[], changes: int64[]) = seq {
        for fewer in shrinkNumbers changes do
            if fewer.Length > 0 then values, fewer

        for simpler in shrinkNumbers values do
            simpler, changes
    }

    Arb.fromGenShrink (Gen.zip numbers changes, shrink)

let private readsSpoilt (definition: Definition) =
    definition.Use
        { new IUse<Test> with
            member _.Use message =
                law
                    60
                    message.Name
                    (Prop.forAll spoiling (fun (values, changes) ->
                        let value = build message values

                        definition.Versions
                        |> List.choose (fun version ->
                            let survivor = Message.project version message value |> ok "project"
                            let good = Message.encode version message survivor |> ok "encode"
                            complaint message version (Bytes(Array.fold spoilt (good.ToArray()) changes)))
                        |> noneOf "readings went wrong")) }

let private readsCutOff (definition: Definition) =
    definition.Use
        { new IUse<Test> with
            member _.Use message =
                law
                    2
                    message.Name
                    (Prop.forAll (Arb.fromGenShrink (numbers, shrinkNumbers)) (fun values ->
                        let value = build message values

                        definition.Versions
                        |> List.collect (fun version ->
                            let survivor = Message.project version message value |> ok "project"
                            let good = Message.encode version message survivor |> ok "encode"
                            [ 0 .. good.Length - 1 ] |> List.choose (fun count -> complaint message version (good.Slice(0, count))))
                        |> noneOf "readings went wrong")) }

/// Thousands of empty elements.
type private Crowd() =
    inherit Source()
    let mutable depth = 0
    override _.Bool() = false
    override _.Integer(lowest, _) = max lowest 0L
    override _.Float64() = 0.0
    override _.Uuid() = System.Guid.Empty
    override _.String() = ""
    override _.Bytes() = Bytes.empty
    override _.IsNull() = false
    override _.BeginStruct() = ()
    override _.EndStruct() = ()
    override _.BeginField _ = true
    override _.EndField() = ()

    override _.BeginArray() =
        depth <- depth + 1
        // Few if there are arrays in arrays, so that the whole stays small.
        [| 0; 300; 10; 3 |][min depth 3]

    override _.BeginElement _ = ()
    override _.EndElement() = ()
    override _.EndArray() = depth <- depth - 1

/// Whether memory is in proportion to the bytes shows only if there are many.
let private readsMany (definition: Definition) =
    definition.Use
        { new IUse<Test> with
            member _.Use message =
                testCase message.Name (fun () ->
                    let crowd = (message.Schema.At MessageVersion.Every).Build(Crowd())

                    // Many elements take time: a short run tests only the oldest and the newest version.
                    let versions =
                        if quick then
                            List.distinct [ List.head definition.Versions; List.last definition.Versions ]
                        else
                            definition.Versions

                    versions
                    |> List.collect (fun version ->
                        let survivor = Message.project version message crowd |> ok "project"
                        let bytes = Message.encode version message survivor |> ok "encode"

                        // The whole, and without its last byte: the fault comes after everything has been read, and it is read twice.
                        [ bytes; bytes.Slice(0, max 0 (bytes.Length - 1)) ] |> List.choose (complaint message version))
                    |> noneOf "readings went wrong") }

[<Tests>]
let tests =
    testList
        "Any bytes give a value or a fault, within memory in proportion to them"
        [ forEach "random bytes" all readsNoise
          forEach "good bytes that were spoilt" all readsSpoilt
          forEach "good bytes that end at every byte" all readsCutOff
          forEach "thousands of the smallest elements" all readsMany ]
