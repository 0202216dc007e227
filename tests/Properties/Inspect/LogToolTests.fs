/// What the tool does with logs besides printing them: filters, statistics, indexes, growing segments, terminals and pipes.
module LibKafka.Properties.LogToolTests

open System
open System.Buffers.Binary
open System.IO
open System.IO.Pipes
open System.Text.RegularExpressions
open System.Threading
open System.Threading.Tasks
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Protocol
open LibKafka.Storage
open LibKafka.Inspect
open LibKafka.Inspect.Input
open LibKafka.Inspect.Program
open LibKafka.Inspect.Terminal
open LibKafka.Properties
open LibKafka.Properties.Support
open LibKafka.Properties.InspectSupport

// ---- Samples

let private start = 1_700_000_000_000L

let private data (offset: int64) (key: string) (value: string voption) : RecordData =
    { Offset = offset
      Timestamp = start + offset * 1000L
      Key = ValueSome(Bytes.ofString key)
      Value = value |> ValueOption.map Bytes.ofString
      Headers = [] }

let private batchOf (options: BatchOptions) (records: RecordData list) : RecordBatch =
    BatchBuilder.build { options with BaseOffset = records.Head.Offset } records |> ok "build"

let private gzipped (batch: RecordBatch) : RecordBatch =
    match CompressionCodecs.tryFind CompressionType.Gzip AllCodecs.Set with
    | ValueSome codec -> RecordBatch.compress codec batch |> ok "compress"
    | ValueNone -> failtest "no gzip"

/// Records 0 to 2, then with a gap 5 to 7, gzip; 6 is a tombstone.
let private batches =
    [ batchOf BatchOptions.standard [ for i in 0L .. 2L -> data i ("key-" + string i) (ValueSome("value " + string i)) ]
      gzipped (
          batchOf
              BatchOptions.standard
              [ data 5L "key-5" (ValueSome "a needle in the hay")
                data 6L "needle-6" ValueNone
                data 7L "key-7" (ValueSome(String('x', 1000))) ]
      ) ]

let private bytesOf (batches: RecordBatch list) : byte[] = batches |> List.map (fun batch -> batch.Bytes.ToArray()) |> Array.concat

let segment = bytesOf batches

let private offsetsIn (outcome: Outcome) : string list =
    outcome.Lines
    |> List.map json
    |> List.filter (fun line -> get "kind" line = "record")
    |> List.map (fun line -> get "offset" (line.GetProperty "record"))

let withFolder (files: (string * byte[]) list) (action: (string -> string) -> unit) =
    let folder = Directory.CreateTempSubdirectory "inspect"

    try
        let path (name: string) = Path.Combine(folder.FullName, name)
        for name, content in files do
            File.WriteAllBytes(path name, content)

        action path
    finally
        folder.Delete true

// ---- Filters

let private filters =
    testList
        "filters"
        [ testCase "--grep selects records by key or value, and prints only their batches" (fun () ->
              let outcome = inspect "log --format json --grep needle" segment
              Expect.equal (offsetsIn outcome) [ "5"; "6" ] "the offsets"
              Expect.equal outcome.Lines.Length 3 "one batch, two records"
              Expect.equal (inspect "log --grep nothing" segment).Lines [] "nothing"
              Expect.equal (offsetsIn (inspect "log --format json --grep key" segment)) [ "0"; "1"; "2"; "5"; "7" ] "keys")

          testCase "--from and --until select records by their timestamps, --until exclusively" (fun () ->
              let from text = offsetsIn (inspectWith [ "log"; "--format"; "json"; "--from"; text ] segment)
              Expect.equal (from (string (start + 2000L))) [ "2"; "5"; "6"; "7" ] "milliseconds"
              Expect.equal (from "2023-11-14T22:13:26Z") [ "6"; "7" ] "a time"
              Expect.equal (from "2023-11-14T23:13:26+01:00") [ "6"; "7" ] "a time with a zone"
              Expect.equal (from "2023-11-14") [ "0"; "1"; "2"; "5"; "6"; "7" ] "a date"
              Expect.equal (from "2023-11-15") [] "a later date"
              let arguments = [ "log"; "--format=json"; "--from"; string (start + 1000L); "--until"; string (start + 5000L) ]
              Expect.equal (offsetsIn (inspectWith arguments segment)) [ "1"; "2" ] "both")

          testCase "a filter does not hide what cannot be read" (fun () ->
              let broken = Array.copy segment
              broken[70] <- broken[70] ^^^ 1uy
              let outcome = inspect "log --grep needle" broken
              Expect.equal outcome.Code 1 "the exit code"
              Expect.stringContains outcome.Lines.Head "unreadable at byte 17" "the first line") ]

// ---- Reading

/// A stream that returns its bytes in pieces of these sizes, again and again.
type private Pieces(content: byte[], sizes: int list) =
    inherit MemoryStream(content)
    let sizes = Array.ofList sizes
    let mutable next = 0

    override _.Read(buffer: byte[], offset: int, count: int) : int =
        next <- next + 1
        base.Read(buffer, offset, min count sizes[next % sizes.Length])

let private arrivals =
    let long (offset: int64) (size: int) = batchOf BatchOptions.standard [ data offset "long" (ValueSome(String('x', size))) ]
    let bad = (long 20L 10).Bytes.ToArray()
    bad[bad.Length - 1] <- bad[bad.Length - 1] ^^^ 1uy
    // Larger than what is read at once, in part and as a whole.
    let content = Array.concat [ segment; bytesOf [ long 8L 60_000; long 9L 100_000; long 10L 300_000 ]; bad; bytesOf batches ]
    let unfinished = (long 30L 100).Bytes.ToArray()

    let endings =
        [ "a whole batch", Array.empty
          "a part of a header", unfinished[..10]
          "a header", unfinished[..16]
          "a part of a batch", unfinished[..100]
          "a batch that is missing one byte", unfinished[.. unfinished.Length - 2]
          "zeros", Array.zeroCreate 100
          "zeros and another byte", Array.append (Array.zeroCreate 100) [| 1uy |]
          "a length of zero", Array.append (Array.create 8 1uy) (Array.zeroCreate 20) ]

    let printed (arguments: string list) (input: Stream) =
        use output = new MemoryStream()
        let code = run arguments input output TextWriter.Null
        code, Text.Encoding.UTF8.GetString(output.ToArray())

    testList
        "arriving"
        [ for name, ending in endings do
              testCase ("a log that ends in " + name + " is printed the same however its bytes arrive") (fun () ->
                  let log = Array.append content ending

                  for arguments in [ [ "log"; "--records" ]; [ "log"; "--format=json" ]; [ "stats" ] ] do
                      let whole = printed arguments (new MemoryStream(log))

                      for sizes in [ [ 1 ]; [ 16; 1 ]; [ 7; 100_000 ]; [ 131_072; 11 ]; [ 1_000_000 ] ] do
                          Expect.equal (printed arguments (new Pieces(log, sizes))) whole (string sizes.Head)) ]

// ---- Statistics

let private statistics =
    testList
        "stats"
        [ testCase "counts batches, records, sizes, compression, gaps and tombstones" (fun () ->
              let line = json (List.exactlyOne (inspect "stats --format json" segment).Lines)
              let values names = names |> List.map (fun name -> name, get name line)

              let expected =
                  [ "batches", "2"
                    "records", "6"
                    "sizeInBytes", string segment.Length
                    "contentBytes", string (3 * (5 + 7) + 5 + 19 + 8 + 5 + 1000)
                    "firstOffset", "0"
                    "lastOffset", "7"
                    "gaps", "1"
                    "missingOffsets", "2"
                    "tombstones", "1"
                    "earliestTimestamp", string start
                    "latestTimestamp", string (start + 7000L)
                    "unreadableParts", "0" ]

              Expect.equal (values (List.map fst expected)) expected "the counts"
              let codecs = [ for entry in line.GetProperty("compression").EnumerateArray() -> get "type" entry, get "batches" entry ]
              Expect.equal (List.sort codecs) [ "gzip", "1"; "none", "1" ] "the compression"

              let sizes = [ for entry in line.GetProperty("recordsBySize").EnumerateArray() -> get "from" entry, get "count" entry ]
              Expect.equal sizes [ "8", "4"; "16", "1"; "512", "1" ] "the sizes")

          testCase "counts producers with their markers" (fun () ->
              let vectors = TestData.jsonLines TestData.vectors "batches.jsonl.gz"
              let named (suffix: string) =
                  vectors
                  |> List.find (fun vector -> (get "name" vector).EndsWith suffix)
                  |> fun vector -> vector, (TestData.bytesOf "" vector).ToArray()

              let commit, bytes = named "/control/commit"
              let line = json (List.exactlyOne (inspect "stats --format json" bytes).Lines)
              let producer = line.GetProperty("producers")[0]
              Expect.equal (get "producerId" producer) (get "producerId" commit) "the producer"
              Expect.equal (get "commits" producer, get "aborts" producer, get "records" producer) ("1", "0", "0") "its markers"
              Expect.equal (get "controlRecords" line) "1" "control records")

          testCase "draws bars whose lengths are in proportion, within the width" (fun () ->
              let lines = (inspect "stats" segment).Lines
              Expect.all lines (fun line -> line.Length <= 100) "the width"
              let bars (line: string) = line |> Seq.filter (fun letter -> letter = '█') |> Seq.length
              let row (start: string) = lines |> List.find (fun line -> line.TrimStart().StartsWith start)
              Expect.isGreaterThan (bars (row "8-15 ")) 0 "the longest bar"
              Expect.equal (bars (row "8-15 ") / 4) (bars (row "16-31 ")) "a quarter"
              Expect.contains lines "gaps               1 (2 offsets)" "gaps") ]

// ---- Indexes

let private index (entries: (int32 * int32) list) : byte[] =
    entries
    |> List.map (fun (offset, position) ->
        let entry = Array.zeroCreate<byte> 8
        BinaryPrimitives.WriteInt32BigEndian(entry, offset)
        BinaryPrimitives.WriteInt32BigEndian(Span<byte>(entry, 4, 4), position)
        entry)
    |> Array.concat

let private timeIndex (entries: (int64 * int32) list) : byte[] =
    entries
    |> List.map (fun (timestamp, offset) ->
        let entry = Array.zeroCreate<byte> 12
        BinaryPrimitives.WriteInt64BigEndian(entry, timestamp)
        BinaryPrimitives.WriteInt32BigEndian(Span<byte>(entry, 8, 4), offset)
        entry)
    |> Array.concat

let private second = batches.Head.SizeInBytes
let name (suffix: string) = "00000000000000000000" + suffix

/// Checks an index next to the segment: its lines, and whether it is right.
let private checks (suffix: string) (content: byte[]) (lines: string list) (code: int) =
    withFolder [ name ".log", segment; name suffix, content ] (fun path ->
        let outcome = inspect (path (name suffix)) Array.empty
        Expect.equal outcome.Lines lines "the lines"
        Expect.equal outcome.Code code "the exit code")

let private producing (first: int64) (sequence: int32) (isTransactional: bool) (count: int) : RecordBatch =
    let options =
        { BatchOptions.standard with
            ProducerId = 7L
            ProducerEpoch = 1s
            BaseSequence = sequence
            IsTransactional = isTransactional }

    batchOf options [ for i in 0 .. count - 1 -> data (first + int64 i) "k" (ValueSome "v") ]

let private producer: ProducerSnapshot.ProducerEntry =
    { ProducerId = 7L
      Epoch = 1s
      LastSequence = 4
      LastOffset = 4L
      OffsetDelta = 1
      Timestamp = start + 4000L
      CoordinatorEpoch = -1
      CurrentTxnFirstOffset = -1L }

let private indexes =
    testList
        "indexes"
        [ testCase "an offset index is checked against the positions of batches" (fun () ->
              checks
                  ".index"
                  (Array.append (index [ 2, 0; 7, second ]) (Array.zeroCreate 64))
                  [ "offset 2 position 0"; "offset 7 position " + string second; "2 entries, all match the segment" ]
                  0

              checks
                  ".index"
                  (index [ 2, 1; 4, second; 3, second ])
                  [ "offset 2 position 1 (wrong: no batch begins at the position)"
                    "offset 4 position " + string second + " (wrong: the batch at the position begins at offset 5)"
                    "offset 3 position " + string second + " (wrong: the offset is not after that of the entry before)"
                    "3 entries, 3 wrong" ]
                  1)

          testCase "a time index is checked against the timestamps of batches" (fun () ->
              let shown offset = "timestamp 2023-11-14T22:13:2" + string offset + ".000Z offset "

              checks
                  ".timeindex"
                  (timeIndex [ start + 2000L, 2; start + 7000L, 7 ])
                  [ shown 2 + "2"; shown 7 + "7"; "2 entries, all match the segment" ]
                  0

              checks
                  ".timeindex"
                  (timeIndex [ start + 1000L, 2; start + 7000L, 3; start + 8000L, 9 ])
                  [ shown 1 + "2 (wrong: the latest timestamp up to the offset is 2023-11-14T22:13:22.000Z)"
                    shown 7 + "3 (wrong: no batch has the offset)"
                    shown 8 + "9 (wrong: no batch has the offset)"
                    "3 entries, 3 wrong" ]
                  1)

          testCase "a transaction index is checked against the markers" (fun () ->
              let entry (first: int64) (last: int64) =
                  let body =
                      Message.encode
                          0s
                          AbortedTxn.message
                          { ProducerId = 7L; FirstOffset = first; LastOffset = last; LastStableOffset = last + 1L }
                      |> ok "encode"

                  Array.append [| 0uy; 0uy |] (body.ToArray())

              let line (first: int) (last: int) =
                  sprintf "producerId 7 firstOffset %d lastOffset %d lastStableOffset %d" first last (last + 1)

              checks
                  ".txnindex"
                  (Array.concat [ entry 0L 2L; entry 9L 9L ])
                  [ line 0 2 + " (wrong: the last offset is not that of an abort marker)"
                    line 9 9 + " (wrong: no batch has the last offset)"
                    "2 entries, 2 wrong" ]
                  1

              let abort =
                  TestData.jsonLines TestData.vectors "batches.jsonl.gz"
                  |> List.find (fun vector -> (get "name" vector).EndsWith "/control/abort")

              let bytes = TestData.bytesOf "" abort
              let marker = Int64.Parse(get "baseOffset" abort)
              let id = Int64.Parse(get "producerId" abort)

              let right =
                  Message.encode
                      0s
                      AbortedTxn.message
                      { ProducerId = id; FirstOffset = marker; LastOffset = marker; LastStableOffset = marker + 1L }
                  |> ok "encode"

              withFolder [ name ".log", bytes.ToArray(); name ".txnindex", Array.append [| 0uy; 0uy |] (right.ToArray()) ] (fun path ->
                  let outcome = inspect ("index " + path (name ".txnindex")) Array.empty
                  Expect.equal outcome.Code 0 "the exit code"
                  Expect.equal (List.last outcome.Lines) "1 entry, all match the segment" "the summary"))

          testCase "the indexes of a broker match the segments that it wrote" (fun () ->
              let file (name: string) = Path.Combine(TestData.aborts, name)

              let last (name: string) (lines: string list) =
                  let outcome = inspectWith [ "index"; file name ] Array.empty
                  Expect.equal outcome.Code 0 name
                  Expect.equal (List.skip (outcome.Lines.Length - lines.Length) outcome.Lines) lines name

              last
                  "00000000000000000000.txnindex"
                  [ "producerId 1 firstOffset 1 lastOffset 6 lastStableOffset 0"
                    "producerId 0 firstOffset 0 lastOffset 7 lastStableOffset 8"
                    "producerId 0 firstOffset 10 lastOffset 16 lastStableOffset 11"
                    "3 entries, all match the segment" ]

              last "00000000000000000018.txnindex" [ "2 entries, all match the segment" ]
              last "00000000000000000000.index" [ "8 entries, all match the segment" ]
              last "00000000000000000000.timeindex" [ "9 entries, all match the segment" ]
              last "00000000000000000018.snapshot" [ "2 entries, all match the segment" ])

          testCase "damage to any field of a transaction index but the last stable offset is found" (fun () ->
              let base' = "00000000000000000000"
              let index = File.ReadAllBytes(Path.Combine(TestData.aborts, base' + ".txnindex"))
              let log = File.ReadAllBytes(Path.Combine(TestData.aborts, base' + ".log"))
              // The version, the producer id, and the first and the last offset of the second entry, which is of producer 0.
              for at, value in [ 1, 9uy; 9, 1uy; 17, 1uy; 17, 9uy; 25, 6uy; 25, 5uy; 25, 99uy ] do
                  let damaged = Array.copy index
                  damaged[34 + at] <- value

                  withFolder [ name ".log", log; name ".txnindex", damaged ] (fun path ->
                      let outcome = inspect ("index " + path (name ".txnindex")) Array.empty
                      Expect.equal outcome.Code 1 (string at + " is " + string value)))

          testCase "a producer snapshot is checked against the segments before it" (fun () ->
              let log = bytesOf [ producing 0L 0 false 3; producing 3L 3 false 2 ]
              let file (entry: ProducerSnapshot.ProducerEntry) = (ProducerSnapshotFile.encode [ entry ] |> ok "encode").ToArray()

              let outcome entry =
                  let mutable found = None

                  withFolder [ name ".log", log; "00000000000000000005.snapshot", file entry ] (fun path ->
                      found <- Some(inspect ("--format json " + path "00000000000000000005.snapshot") Array.empty))

                  found.Value

              let right = outcome producer
              Expect.equal
                  (right.Code, get "firstSequence" (json right.Lines.Head), get "fault" (json right.Lines.Head))
                  (0, "3", "")
                  "right"
              let wrong = outcome { producer with LastSequence = 9 }
              Expect.equal (get "fault" (json wrong.Lines.Head)) "the last sequence number at the last offset is 4" "the sequence number"
              Expect.equal wrong.Code 1 "the exit code"
              let missing = outcome { producer with LastOffset = 8L }
              Expect.equal (get "fault" (json missing.Lines.Head)) "no batch has the last offset" "the offset")

          testCase "a file that is damaged, or whose name is not an offset, is reported" (fun () ->
              withFolder
                  [ "00000000000000000005.snapshot", [| 0uy; 1uy; 0uy |]; "a.index", Array.zeroCreate 8; "5.index", [| 1uy |] ]
                  (fun path ->
                      let line file = (inspect ("index " + path file) Array.empty).Lines
                      Expect.stringContains (line "00000000000000000005.snapshot").Head "ProducerSnapshot/Crc: needs 4 bytes" "damaged"
                      Expect.stringContains (line "a.index").Head "must be the base offset of its segment" "the name"
                      Expect.stringContains (line "5.index").Head "OffsetIndex: needs 8 bytes, but 1 remains" "cut off"))

          testCase "without a segment, an index is not checked" (fun () ->
              withFolder [ "00000000000000000100.index", index [ 5, 700 ] ] (fun path ->
                  let outcome = inspect (path "00000000000000000100.index") Array.empty
                  let lines = [ "offset 105 position 700"; "1 entry, not checked: there is no segment next to it" ]
                  Expect.equal (outcome.Code, outcome.Lines) (0, lines) "the lines")) ]

// ---- Growing segments

let patience = TimeSpan.FromSeconds 30.0

/// A line from the tool, which must come in time.
let nextLine (lines: StreamReader) : string =
    let line = lines.ReadLineAsync()
    if not (line.Wait patience) then failtest "no line came"

    match line.Result with
    | null -> failtest "the output ended"
    | text -> text

let private append (path: string) (content: byte[]) =
    use file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)
    file.Write(content, 0, content.Length)

let private surroundings (output: Stream) (complaints: TextWriter) (cancellation: CancellationToken) : Surroundings =
    { Surroundings.none with Output = output; Complaints = complaints; Cancellation = cancellation }

/// Follows the log and passes the action its path and a function that returns the next line.
let private followed (content: byte[]) (action: (string -> string) -> (unit -> string) -> unit) =
    withFolder [ name ".log", content ] (fun path ->
        use pipe = new AnonymousPipeServerStream(PipeDirection.In)
        use writer = new AnonymousPipeClientStream(PipeDirection.Out, pipe.ClientSafePipeHandle)
        use complaints = new StringWriter()
        use stop = new CancellationTokenSource()
        use lines = new StreamReader(pipe)
        let tool = Task.Run(fun () -> runIn (surroundings writer complaints stop.Token) [ "log"; "--follow"; path (name ".log") ])
        action path (fun () -> nextLine lines)
        stop.Cancel()
        Expect.isTrue (tool.Wait patience) "ends on cancellation"
        Expect.equal (tool.Result, complaints.ToString()) (0, "") "the exit code and complaints")

/// Begins the next segment, whose batch must be printed next.
let private rollsOver (path: string -> string) (nextLine: unit -> string) =
    let next = path "00000000000000000008.log"
    File.WriteAllBytes(next, bytesOf [ batchOf BatchOptions.standard [ data 8L "k" (ValueSome "v") ] ])
    Expect.equal (nextLine ()) ("==> " + next + " <==") "the next segment"
    Expect.stringStarts (nextLine ()) "@0 offsets 8 to 8" "its batch"

/// A file that has other content each time it is read again.
type private Rewritten(contents: byte[] list) =
    inherit GrowingStream()
    let mutable content = new MemoryStream(contents.Head)
    let mutable later = contents.Tail

    override _.Reread(position: int64) : bool =
        match later with
        | [] -> false
        | next :: rest ->
            content <- new MemoryStream(next, Position = position)
            later <- rest
            true

    override _.Read(buffer: byte[], offset: int, count: int) : int = content.Read(buffer, offset, count)

let private itemsOf (contents: byte[] list) : string list =
    [ for item in Records.LogItems(Limits.standard, ByteReader(new Rewritten(contents), ValueNone)) do
          match item with
          | Records.Item.Batch(_, batch, _) -> "offsets to " + string batch.LastOffset
          | Records.Item.Zeros(offset, bytes) -> string bytes + " zeros at " + string offset
          | Records.Item.Trouble(offset, _) -> "trouble at " + string offset
          | _ -> "other" ]

let private following =
    let first, rest = batches.Head.Bytes.ToArray(), batches[1].Bytes.ToArray()
    let zeros = Array.zeroCreate<byte> 300_000

    testList
        "following"
        [ testCase "--follow prints batches as they are written, and continues with the next segment" (fun () ->
              followed first (fun path nextLine ->
                  Expect.stringStarts (nextLine ()) "@0 offsets 0 to 2" "the first batch"
                  // A batch that is written in two parts is printed once.
                  append (path (name ".log")) (Array.truncate 100 rest)
                  append (path (name ".log")) (Array.skip 100 rest)
                  Expect.stringStarts (nextLine ()) ("@" + string second + " offsets 5 to 7") "the second batch"
                  rollsOver path nextLine))

          testCase "--follow prints batches that are written into preallocated space" (fun () ->
              followed (Array.append first zeros) (fun path nextLine ->
                  Expect.stringStarts (nextLine ()) "@0 offsets 0 to 2" "the first batch"
                  use file = new FileStream(path (name ".log"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite)
                  file.Position <- second
                  file.Write rest
                  file.Flush()
                  Expect.stringStarts (nextLine ()) ("@" + string second + " offsets 5 to 7") "the second batch"
                  // A broker does that when it begins the next segment.
                  file.SetLength(int64 (first.Length + rest.Length))
                  rollsOver path nextLine))

          testCase "a batch in preallocated space is read when all of it is there" (fun () ->
              let torn (size: int) = Array.concat [ first; Array.truncate size rest; zeros ]
              let whole = Array.concat [ first; rest; zeros ]
              let expected = [ "offsets to 2"; "offsets to 7"; "300000 zeros at " + string (first.Length + rest.Length) ]

              for size in 0 .. rest.Length do
                  Expect.equal (itemsOf [ torn 0; torn 0; torn size; whole; whole ]) expected $"%d{size} bytes are there first")

          testCase "a corrupt batch is read again once" (fun () ->
              let corrupt = Array.copy first
              corrupt[70] <- corrupt[70] ^^^ 1uy
              let all = Array.append corrupt rest
              Expect.equal (itemsOf [ all; all; all; all ]) [ "trouble at 0"; "offsets to 7" ] "it remains corrupt"
              Expect.equal (itemsOf [ all; Array.append first rest ]) [ "offsets to 2"; "offsets to 7" ] "it is complete") ]

// ---- Terminals and pipes

let private terminals =
    testList
        "terminals"
        [ testCase "on a terminal it says what it waits for" (fun () ->
              let complaint (arguments: string list) (isTerminal: bool) =
                  use complaints = new StringWriter()

                  let surroundings =
                      { surroundings Stream.Null complaints CancellationToken.None with
                          Terminal = { Terminal.none with IsInput = isTerminal } }

                  Expect.equal (runIn surroundings arguments) 0 "the exit code"
                  complaints.ToString()

              Expect.stringStarts
                  (complaint [] true)
                  "libkafka-inspect: waiting for frames in hex, one on each line, from the terminal"
                  "frames"
              Expect.stringStarts (complaint [ "log" ] true) "libkafka-inspect: waiting for a log as raw bytes, from the terminal" "a log"
              Expect.equal (complaint [] false) "" "not without a terminal")

          testCase "colors only if the terminal has them, or if they are asked for" (fun () ->
              let output (arguments: string list) (hasColors: bool) =
                  use output = new MemoryStream()

                  let surroundings =
                      { surroundings output TextWriter.Null CancellationToken.None with
                          Terminal = { Terminal.none with HasColors = hasColors }
                          Input = new MemoryStream(segment) }

                  runIn surroundings arguments |> ignore
                  Text.Encoding.UTF8.GetString(output.ToArray())

              let plain = output [ "log"; "--records" ] false
              let colored = output [ "log"; "--records" ] true
              Expect.isFalse (plain.Contains '\u001b') "none"
              Expect.stringContains colored "\u001b[2m@0 \u001b[0moffsets 0 to 2" "an offset"
              Expect.equal (Regex.Replace(colored, "\u001b\\[[0-9]+m", "")) plain "the same text"
              Expect.equal (output [ "log"; "--records"; "--color"; "never" ] true) plain "never"
              Expect.equal (output [ "log"; "--records"; "--color"; "always" ] false) colored "always"
              Expect.isFalse ((output [ "log"; "--format"; "json" ] true).Contains '\u001b') "JSON")

          testCase "control characters of UTF-8 are not printed as they are" (fun () ->
              // U+009B begins an escape sequence, and its first byte is also that of other characters.
              let value = "a\u009b31m\u00a9\u00c2\u0085\u2028"
              let log = bytesOf [ batchOf BatchOptions.standard [ data 0L "k" (ValueSome value) ] ]
              Expect.stringEnds (inspect "log --records" log).Lines[1] "value \"a\\u009b31m\u00a9\u00c2\\u0085\u2028\"" "the value") ]

// ---- Usage

let private usage =
    testList
        "usage"
        [ for arguments, reason in
              [ "--grep x", "--grep, --from and --until go with logs"
                "stats --from 1", "--grep, --from and --until go with logs"
                "log --from yesterday", "--from needs milliseconds since 1970 or a date such as 2026-11-30T09:15:00Z, not 'yesterday'"
                "log --until=", "--until needs milliseconds since 1970"
                "stream --topic __consumer_offsets", "--topic goes with logs"
                "log --topic orders",
                "--topic must be __consumer_offsets, __transaction_state, __share_group_state, __cluster_metadata, __remote_log_metadata or none, not 'orders'"
                "log --follow", "--follow goes with one log segment, and not with standard input"
                "log --follow a.log b.log", "--follow goes with one log segment"
                "stats --follow a.log", "--follow goes with one log segment"
                "log --follow --input hex a.log", "--follow goes with raw segments"
                "index", "an index needs a file"
                "--color green", "--color must be auto, always or never, not 'green'"
                "stats --api Fetch --version 4 --body", "a log has no APIs" ] do
              testCase ("'" + arguments + "' is wrong") (fun () ->
                  let outcome = inspect arguments Array.empty
                  Expect.equal outcome.Code 2 "the exit code"
                  Expect.stringContains outcome.Complaints reason "the message")

          testCase "the words help and version are commands" (fun () ->
              for word in [ "help"; "version" ] do
                  let outcome = inspect word Array.empty
                  Expect.equal outcome (inspect ("--" + word) Array.empty) word
                  Expect.equal outcome.Code 0 "the exit code")

          testCase "a directory in place of a file is named as such" (fun () ->
              let folder = Directory.CreateTempSubdirectory "inspect"

              try
                  for arguments in [ [ "log" ]; [ "index" ]; [ "stats" ]; [ "capture" ]; [ "stream" ]; [] ] do
                      let outcome = inspectWith (arguments @ [ folder.FullName ]) Array.empty
                      Expect.equal outcome.Code 1 "the exit code"

                      Expect.equal
                          outcome.Complaints
                          ("libkafka-inspect: cannot read " + folder.FullName + ": it is a directory; give the names of its files\n")
                          "the message"
              finally
                  folder.Delete true)

          testCase "--grep needs a text" (fun () ->
              Expect.stringContains (inspectWith [ "log"; "--grep"; "" ] Array.empty).Complaints "--grep needs a text" "the message")

          testCase "help lists these options too" (fun () ->
              let help = String.Join('\n', (inspect "--help" Array.empty).Lines)

              for option in [ "--topic"; "--grep"; "--from"; "--until"; "--follow"; "--color"; "stats"; "index" ] do
                  Expect.stringContains help option "an option") ]

[<Tests>]
let tests = testList "libkafka-inspect on logs" [ filters; arrivals; statistics; indexes; following; terminals; usage ]
