/// The memory of decoded messages: it is counted as it is taken, and `Limits.MaxDecodedBytes` bounds it.
module LibKafka.Properties.Protocol.MemoryTests

open System
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Properties.Support
open LibKafka.Properties.Protocol.Definitions

/// What a hostile peer sends: many elements, each of which takes few bytes and much memory.
[<AbstractClass>]
type private Hostile(counts: int[]) =
    inherit Source()
    let mutable depth = 0
    override _.Bool() = false
    override _.Integer(lowest, _) = max lowest 0L
    override _.Float64() = 0.0
    override _.Uuid() = Guid.Empty
    override _.Bytes() = Bytes.empty
    override _.BeginStruct() = ()
    override _.EndStruct() = ()
    override _.BeginField _ = true
    override _.EndField() = ()

    override _.BeginArray() =
        depth <- depth + 1
        counts[min depth (counts.Length - 1)]

    override _.BeginElement _ = ()
    override _.EndElement() = ()
    override _.EndArray() = depth <- depth - 1

/// The smallest elements that there are: empty, and null if that is allowed.
let private empty () =
    { new Hostile([| 0; 3000; 0 |]) with
        member _.String() = ""
        member _.IsNull() = true }

/// Elements with one letter in each string and one element in each array.
let private small () =
    { new Hostile([| 0; 1000; 1 |]) with
        member _.String() = "x"
        member _.IsNull() = false }

/// Elements that have many elements themselves.
let private nested () =
    { new Hostile([| 0; 20; 20; 5; 1 |]) with
        member _.String() = ""
        member _.IsNull() = false }

let private shapes: (string * (unit -> Source)) list =
    [ "empty elements", (fun () -> empty ())
      "small elements", (fun () -> small ())
      "nested elements", (fun () -> nested ()) ]

let private bytesOf (message: Message<'T>) (version: int16) (source: Source) : Bytes =
    (message.Schema.At MessageVersion.Every).Build source
    |> Message.project version message
    |> Result.bind (Message.encode version message)
    |> ok "encode"

/// The memory that is counted for the bytes.
let private counted (message: Message<'T>) (version: int16) (bytes: Bytes) : int64 =
    let reader = Reader(bytes, Int64.MaxValue)
    Message.readToEnd reader version message |> ok "read" |> ignore
    reader.Decoded

let private allowing (most: int64) = { Limits.standard with MaxDecodedBytes = most }

/// The oldest and the newest version: one with classic lengths, where there is one, and one with compact lengths.
let private endsOf (definition: Definition) = List.distinct [ definition.Range.Lowest; definition.Range.Highest ]

/// Memory that is taken besides: that of a fault, which is thrown twice with a stack trace each time.
let private mostBesides = 64_000L

/// The pairs that a record is made from are garbage at once, but they are allocated too: at most six times the size of the record.
let private withGarbage (size: int64) = mostBesides + 7L * size

let private refuses (definition: Definition) =
    definition.Use
        { new IUse<Test> with
            member _.Use message =
                testCase message.Name (fun () ->
                    for version in endsOf definition do
                        for name, source in shapes do
                            let what = sprintf "version %d, %s" version name
                            let bytes = bytesOf message version (source ())
                            let size = counted message version bytes

                            Expect.isOk (Message.decode (allowing size) version message bytes) (what + ", with just enough memory")

                            for most in List.distinct [ size - 1L; size / 2L; size / 100L ] do
                                if most >= 0L && most < size then
                                    let result, allocated = allocating (fun () -> Message.decode (allowing most) version message bytes)
                                    let fault = refused what result
                                    Expect.equal fault.Problem (Problem.DecodedTooLarge most) what
                                    Expect.stringStarts fault.Path message.Name what
                                    // A fault is read twice.
                                    Expect.isLessThanOrEqual allocated (2L * withGarbage most) (what + ": the memory allocated")) }

/// The memory that is still in use after the action, because its result is.
let private retained (action: unit -> 'T) : int64 =
    let inUse () =
        GC.Collect()
        GC.GetTotalMemory false

    let before = inUse ()
    let value = action ()
    let after = inUse ()
    GC.KeepAlive(box value)
    after - before

/// Other threads of the test run may allocate meanwhile, so a difference of this size says nothing.
let private noise = 100_000L

/// The first of several measurements that agrees with a size, or else the last one.
let private measuredNear (size: int64) (measure: unit -> int64) : int64 =
    let isNear used = used <= size + noise && size <= 2L * max 0L used + noise
    let rec from attempt =
        let used = measure ()
        if isNear used || attempt = 10 then used else from (attempt + 1)

    from 1

let private isMeasured (definition: Definition) =
    definition.Use
        { new IUse<Test> with
            member _.Use message =
                testCase message.Name (fun () ->
                    let version = message.Versions.Highest

                    for what, source in shapes do
                        let bytes = bytesOf message version (source ())
                        let size = counted message version bytes
                        // Memory that the rest of the process releases or takes meanwhile disturbs a measurement, so it is repeated.
                        let used =
                            measuredNear size (fun () ->
                                retained (fun () -> Message.decode Limits.standard version message bytes |> ok what))

                        Expect.isLessThanOrEqual used (size + noise) (what + ": no more memory than is counted")
                        // What is counted in addition is the rounding.
                        Expect.isLessThanOrEqual size (2L * max 0L used + noise) (what + ": not much less memory than is counted")) }

let private metadata (topics: int) (partitions: int) : Metadata.Response =
    let partition (index: int) : Metadata.Partition =
        { Metadata.partition.Default with PartitionIndex = index; ReplicaNodes = [ 1; 2; 3 ]; IsrNodes = [ 1; 2; 3 ] }

    let topic (index: int) : Metadata.Topic =
        { Metadata.topic.Default with
            Name = Some(sprintf "a-topic-with-a-long-name-%06d" index)
            Partitions = List.init partitions partition }

    { Metadata.response.Default with Topics = List.init topics topic }

let private sizeOf (message: Message<'T>) (value: 'T) : int64 =
    let version = message.Versions.Highest
    counted message version (Message.encode version message value |> ok "encode")

let private endsEarly (definition: Definition) =
    definition.Use
        { new IUse<Test> with
            member _.Use message =
                testCase message.Name (fun () ->
                    for version in endsOf definition do
                        let least = Message.minSize version message |> ok "the least size"

                        if least > 0 then
                            let fault = Message.decode (allowing 0L) version message Bytes.empty |> refused "too few bytes"
                            Expect.isTrue fault.Problem.IsTruncated (sprintf "version %d: %O" version fault)) }

let private legitimate =
    testList
        "the standard limits allow large answers"
        [ testCase "the metadata of a partition takes less than 300 bytes" (fun () ->
              let size = sizeOf Metadata.api.Response (metadata 100 100)
              Expect.isLessThan size (300L * 10_000L) "10,000 partitions"
              Expect.isLessThan (300L * 800_000L) Limits.standard.MaxDecodedBytes "800,000 partitions"
              let bytes = Message.encode 13s Metadata.api.Response (metadata 100 100) |> ok "encode"
              Expect.isOk (Message.decode Limits.standard 13s Metadata.api.Response bytes) "decoded")

          testCase "the record batches of a fetch do not count, whatever their size" (fun () ->
              let fetched (size: int) : Fetch.Response =
                  let partition = { Fetch.partitionResponse.Default with Records = Some(Bytes(Array.zeroCreate size)) }
                  { Fetch.response.Default with Topics = [ { Fetch.topicResponse.Default with Partitions = [ partition ] } ] }

              let sizes = [ 0; 1_000_000; 10_000_000 ] |> List.map (fetched >> sizeOf Fetch.api.Response)
              Expect.allEqual sizes sizes.Head "the memory counted"
              Expect.isLessThan sizes.Head 1000L "and it is small") ]

[<Tests>]
let tests =
    testList
        "The memory of a decoded message is bounded"
        [ forEach "a message that takes more memory than allowed is refused before it takes it" all refuses
          forEach "a message without its bytes is refused for that, whatever memory is allowed" all endsEarly
          testCase "unknown tagged fields are counted" (fun () ->
              // Tags without a value.
              let count = 100_000
              let writer = Writer 16
              writer.UnsignedVarint(uint32 count)

              for tag in 1..count do
                  writer.UnsignedVarint(uint32 (1000 + tag))
                  writer.UnsignedVarint 0u

              // An ApiVersions request begins with two strings.
              let bytes = Bytes(Array.append [| 1uy; 1uy |] (writer.ToBytes().ToArray()))
              let read most = Message.decode (allowing most) 3s ApiVersions.api.Request bytes
              Expect.isOk (read (13L * int64 count)) "with enough memory"
              Expect.equal (read (int64 count) |> refused "too much").Problem (Problem.DecodedTooLarge(int64 count)) "the problem")
          legitimate ]

[<Tests>]
let measured = testSequenced (forEach "the memory counted is the memory taken" all isMeasured)
