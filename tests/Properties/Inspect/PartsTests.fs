/// A log that is printed on several processors, compared with the same log printed on one.
module LibKafka.Properties.PartsTests

open System
open System.IO
open System.Text
open System.Threading
open System.Threading.Tasks
open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Cases
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Inspect.Utf8Output
open LibKafka.Inspect.Input
open LibKafka.Inspect.Parts
open LibKafka.Inspect.Program
open LibKafka.Properties
open LibKafka.Properties.Support
open LibKafka.Properties.Records
open LibKafka.Properties.InspectSupport

let private printed (division: Division) (arguments: string list) (path: string) : int * string * string =
    use output = new MemoryStream()
    use complaints = new StringWriter()

    let surroundings = { Surroundings.none with Output = output; Complaints = complaints; Division = division }
    let code = runIn surroundings (arguments @ [ path ])
    code, Encoding.UTF8.GetString(output.ToArray()), complaints.ToString()

let private alone = { Workers = 1; PartBytes = 1 }

// ---- Logs

let private batch: Gen<byte[]> = gen {
    let! sample = Samples.sample
    let! codec = Gen.elements [ CompressionType.None; CompressionType.None; CompressionType.Gzip ]
    let built = BatchBuilder.build sample.Options sample.Records |> ok "build"

    return
        match CompressionCodecs.tryFind codec AllCodecs.Set with
        | ValueSome codec -> (RecordBatch.compress codec built |> ok "compress").Bytes.ToArray()
        | ValueNone -> built.Bytes.ToArray()
}

let private messages: Gen<byte[]> =
    LegacyBatches.Sets.MessageSet().Generator |> Gen.map (LegacyBatches.encode >> Array.concat)

/// The end of a log: nothing, zeros, or bytes that are no batch.
let private ending: Gen<byte[]> =
    Gen.frequency
        [ 4, Gen.constant Array.empty
          1, Gen.choose (1, 3000) |> Gen.map Array.zeroCreate<byte>
          1, Gen.choose (1, 100) |> Gen.map (fun size -> Array.create size 0xEEuy) ]

/// The bytes of a log, some of which may be damaged.
type private Log =
    { Bytes: byte[]
      Damage: string }

    override this.ToString() = this.Damage + " " + Convert.ToHexString this.Bytes

let private log: Gen<Log> = gen {
    let! items = Gen.listOf (Gen.frequency [ 4, batch; 1, messages ])
    let! ending = ending
    let whole = Array.concat (items @ [ ending ])
    let! flips = Gen.frequency [ 2, Gen.constant 0; 2, Gen.choose (1, 3) ]
    let! places = Gen.listOfLength flips (Gen.choose (0, max 0 (whole.Length - 1)))
    let! bits = Gen.listOfLength flips (Gen.choose (0, 7))
    let! cut = Gen.frequency [ 4, Gen.constant 0; 1, Gen.choose (0, whole.Length) ]

    if whole.Length > 0 then
        for place, bit in List.zip places bits do
            whole[place] <- whole[place] ^^^ (1uy <<< bit)

    return { Bytes = Array.truncate (whole.Length - cut) whole; Damage = $"flipped %A{List.zip places bits}, %d{cut} cut off:" }
}

let private arguments: Gen<string list> =
    Gen.elements
        [ [ "log" ]
          [ "log"; "--records" ]
          [ "log"; "--records"; "--format"; "json" ]
          [ "log"; "--grep"; "a" ]
          [ "log"; "--records"; "--from"; "1700000000050" ]
          [ "log"; "--max-frame"; "600" ]
          [ "log"; "--topic"; "__consumer_offsets"; "--records" ] ]

let private division: Gen<Division> = gen {
    let! workers = Gen.choose (2, 4)
    let! size = Gen.elements [ 1; 61; 300; 1000; 5000 ]
    return { Workers = workers; PartBytes = size }
}

type private Logs =
    static member Log() : Arbitrary<Log> = Arb.fromGen log
    static member Arguments() : Arbitrary<string list> = Arb.fromGen arguments
    static member Division() : Arbitrary<Division> = Arb.fromGen division

let private config = { FsCheckConfig.defaultConfig with maxTest = cases 300; arbitrary = [ typeof<Logs> ] }

let private laws =
    testList
        "laws"
        [ testPropertyWithConfig
              config
              "any log is printed as on one processor"
              (fun (log: Log) (arguments: string list) (division: Division) ->
                  withFiles [ log.Bytes ] ".log" (fun paths ->
                      Expect.equal (printed division arguments paths[0]) (printed alone arguments paths[0]) "the outcome"))

          testCase "the segments of internal topics are printed as on one processor" (fun () ->
              let paths = Directory.GetFiles(TestData.segments, "*.log", SearchOption.AllDirectories)
              Expect.isNonEmpty paths "the segments"

              for path in paths do
                  for format in [ "text"; "json" ] do
                      let arguments = [ "log"; "--records"; "--format"; format; "--topic"; "__consumer_offsets" ]
                      let divided = printed { Workers = 3; PartBytes = 500 } arguments path
                      Expect.equal divided (printed alone arguments path) (path + " as " + format))

          testPropertyWithConfig
              config
              "the whole size is that of the items up to one that is cut off or has an invalid length"
              (fun (log: Log) ->
                  let items = List.ofSeq (RecordSet.split (Bytes log.Bytes))

                  let isWhole (item: RecordSetItem) =
                      match item with
                      | RecordSetItem.CutOff _ -> false
                      | RecordSetItem.Corrupt { Fault = { Problem = Problem.BadBatchLength _ } } -> false
                      | _ -> true

                  let whole = items |> List.takeWhile isWhole |> List.sumBy _.SizeInBytes
                  Expect.equal (RecordSet.wholeSize (Bytes log.Bytes)) whole "the size") ]

// ---- Failures

/// Twenty batches of the same size.
let private twenty =
    [ for offset in 0L .. 19L ->
          let record = { Offset = offset; Timestamp = 0L; Key = ValueNone; Value = ValueSome(Bytes.ofString "value"); Headers = [] }

          (BatchBuilder.build { BatchOptions.standard with BaseOffset = offset } [ record ] |> ok "build").Bytes.ToArray() ]

/// Prints the base offsets of a log with a thread for each processor of four, and three batches in a part.
let private printOffsets (input: Stream) (output: Stream) =
    let target = Utf8Output output

    let printPart (own: Utf8Output) (bytes: ByteReader) : bool =
        for item in LibKafka.Inspect.Records.LogItems(Limits.standard, bytes) do
            match item with
            | LibKafka.Inspect.Records.Item.Batch(_, batch, _) -> own.Line(string batch.BaseOffset)
            | _ -> ()

        false

    let work =
        Task.Run(fun () -> print { Workers = 4; PartBytes = 3 * twenty.Head.Length } Limits.standard input target id printPart |> ignore)

    if not (Task.WaitAny(work, Task.Delay 30000) = 0) then
        failtest "the threads do not end"

    target.Flush()
    work.GetAwaiter().GetResult()

/// Bytes that cannot be read from a position on.
type private Unreadable(content: byte[], from: int) =
    inherit MemoryStream(content)

    override this.Read(buffer: byte[], offset: int, count: int) : int =
        if this.Position >= int64 from then raise (IOException "the disk is broken")
        base.Read(buffer, offset, min count (from - int this.Position))

/// A pipe that is closed after a number of bytes.
type private Closed(after: int) =
    inherit MemoryStream()

    override this.Write(bytes: ReadOnlySpan<byte>) =
        if this.Length + int64 bytes.Length > int64 after then
            raise (IOException "the pipe is closed")
        base.Write bytes

let private failures =
    testList
        "failures"
        [ testCase "what can be read before a failure is printed" (fun () ->
              let content = Array.concat twenty

              for readable in [ 0..10 ] do
                  use output = new MemoryStream()
                  let from = readable * twenty.Head.Length + 20

                  Expect.throwsT<InputFailure> (fun () -> printOffsets (new Unreadable(content, from)) output) "the failure"

                  let expected = String.concat "" [ for offset in 0 .. readable - 1 -> string offset + "\n" ]
                  Expect.equal (Encoding.UTF8.GetString(output.ToArray())) expected "the lines before it")

          testCase "a closed pipe ends all threads" (fun () ->
              for after in [ 0; 6; 12; 30 ] do
                  use output = new Closed(after)

                  Expect.throwsT<IOException> (fun () -> printOffsets (new MemoryStream(Array.concat twenty)) output) "the failure"

                  Expect.isTrue (output.Length <= int64 after) "nothing is written later")

          testCase "all lines come in order" (fun () ->
              use output = new MemoryStream()
              printOffsets (new MemoryStream(Array.concat twenty)) output
              let expected = String.concat "" [ for offset in 0..19 -> string offset + "\n" ]
              Expect.equal (Encoding.UTF8.GetString(output.ToArray())) expected "the lines") ]

[<Tests>]
let tests = testList "libkafka-inspect on several processors" [ laws; failures ]
