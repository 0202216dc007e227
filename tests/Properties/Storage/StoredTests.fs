/// Records as they are stored, with what precedes the messages in them, and the files next to log segments.
module LibKafka.Properties.StoredTests

open System
open System.Text
open System.Text.Json
open Expecto
open FsCheck.FSharp
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Storage
open LibKafka.Properties
open LibKafka.Properties.Support
open LibKafka.Properties.Protocol

// ---- The golden vectors

let private lines = lazy (TestData.jsonLines TestData.vectors "storage.jsonl.gz")
let private kindOf (line: JsonElement) = TestData.text "kind" line
let private idOf (line: JsonElement) = line.GetProperty("apiKey").GetInt32()
let private framed (line: JsonElement) = Bytes.ofHex (TestData.text "framedHex" line)

let private hasUnknownTags (line: JsonElement) =
    match line.TryGetProperty "unknownTaggedFields" with
    | true, tags -> tags.GetArrayLength() > 0
    | _ -> false

/// A topic of a coordinator, independent of the type of its records.
type private Topic =
    {
        Name: string
        /// The record of a key and a value as JSON, and its bytes after it was read.
        Through: Bytes -> Bytes option -> Result<StoredJson * StoredBytes, Fault>
    }

/// JSON that was made without a value is that of the value.
let private sameTranscoded (transcoded: Result<StoredUtf8, Fault>) (json: Result<StoredJson, Fault>) =
    Expect.equal (transcoded |> Result.map _.ToJson()) json "transcoded"

/// A transcoder that has been used before, for a record that ends within its key.
let private transcoder () =
    let used = StoredTranscoder(Limits.standard, false)
    let key = Bytes.ofHex "00010003616263000361"
    Expect.isError (ConsumerOffsetsRecord.transcode used key None) "the record before"
    used

let private topic name decode toJson transcode encode =
    let through key value =
        let record = decode Limits.standard key value
        let json = record |> Result.bind toJson
        sameTranscoded (transcode (transcoder ()) key value) json
        json |> Result.bind (fun json -> record |> Result.bind encode |> Result.map (fun bytes -> json, bytes))

    { Name = name; Through = through }

let private topics =
    [ topic
          ConsumerOffsetsRecord.TopicName
          ConsumerOffsetsRecord.decode
          ConsumerOffsetsRecord.toJson
          ConsumerOffsetsRecord.transcode
          ConsumerOffsetsRecord.encode
      topic
          TransactionStateRecord.TopicName
          TransactionStateRecord.decode
          TransactionStateRecord.toJson
          TransactionStateRecord.transcode
          TransactionStateRecord.encode
      topic
          ShareGroupStateRecord.TopicName
          ShareGroupStateRecord.decode
          ShareGroupStateRecord.toJson
          ShareGroupStateRecord.transcode
          ShareGroupStateRecord.encode ]

let private linesOf (topic: Topic) (kind: string) =
    lines.Value |> List.filter (fun line -> kindOf line = kind && TestData.text "where" line = topic.Name)

let private sameJson (what: string) (line: JsonElement) (json: string) =
    match JsonComparison.differenceOf (line.GetProperty "json") json with
    | None -> ()
    | Some difference -> failtestf "%s of %s: %s" what (TestData.text "name" line) difference

/// Every value with a key of its type, and every key with a tombstone.
let private coordinatorVectors (topic: Topic) =
    testCase topic.Name (fun () ->
        let keys = linesOf topic "coordinator-key"
        let values = linesOf topic "coordinator-value"
        Expect.isNonEmpty keys "keys"
        Expect.isNonEmpty values "values"

        for line in keys do
            let json, bytes = topic.Through (framed line) None |> ok "a key"
            sameJson "the key" line json.Key
            Expect.equal (json.Id, json.Name + "Key") (idOf line, TestData.text "name" line) "the type"
            Expect.equal bytes { Key = framed line; Value = None } "the bytes"

        for line in values do
            let key = keys |> List.find (fun key -> idOf key = idOf line) |> framed
            let json, bytes = topic.Through key (Some(framed line)) |> ok "a value"

            match json.Value with
            | Some value ->
                sameJson "the value" line value.Value
                Expect.equal value.Version (line.GetProperty("version").GetInt16()) "the version"
            | None -> failtest "a tombstone"

            if not (hasUnknownTags line) then
                Expect.equal bytes { Key = key; Value = Some(framed line) } "the bytes")

let private contentVectors name (decode: Limits -> Bytes -> Result<Versioned<'R>, Fault>) toJson transcode encode =
    testCase name (fun () ->
        let lines = lines.Value |> List.filter (fun line -> kindOf line = "metadata" && TestData.text "where" line = name)
        Expect.isNonEmpty lines "records"

        for line in lines do
            let record = decode Limits.standard (framed line) |> ok "a record"
            let json: StoredJson = toJson record |> ok "JSON"
            sameTranscoded (transcode (transcoder ()) (framed line)) (Ok json)
            Expect.equal (json.Id, json.Name) (idOf line, TestData.text "name" line) "the type"
            json.Value |> Option.iter (fun value -> sameJson "the record" line value.Value)
            Expect.equal (json.Value |> Option.map _.Version) (Some(line.GetProperty("version").GetInt16())) "the version"

            if not (hasUnknownTags line) then
                Expect.equal (encode record |> ok "encode") (framed line) "the bytes")

let private snapshotVectors =
    testCase "producer snapshots" (fun () ->
        let lines = lines.Value |> List.filter (fun line -> TestData.text "name" line = "ProducerSnapshot")
        Expect.isNonEmpty lines "snapshots"

        for line in lines do
            let snapshot = ProducerSnapshotFile.decode Limits.standard (framed line) |> ok "a snapshot"
            Expect.equal (ProducerSnapshotFile.encode snapshot.ProducerEntries |> ok "encode") (framed line) "the bytes")

let private quorumVectors =
    testCase "the file quorum-state" (fun () ->
        let lines = lines.Value |> List.filter (fun line -> TestData.text "name" line = "QuorumStateData")
        Expect.isNonEmpty lines "states"

        for line in lines do
            let version = line.GetProperty("version").GetInt16()
            let json = line.GetProperty("json").GetRawText()
            let text = json.Substring(0, json.Length - 1) + sprintf ",\"data_version\":%d}" version
            let state = QuorumStateFile.decode text |> ok "a state"
            Expect.equal state.Version version "the version"
            let written = QuorumStateFile.encode state |> ok "encode"

            JsonComparison.differenceOf (JsonDocument.Parse(text).RootElement) written |> Option.iter (failtestf "written: %s"))

// ---- What precedes the messages

let private offsetKey = Bytes.ofHex "00010001670001740000002a"

let private readsCommit =
    testCase "an offset commit is read and shown" (fun () ->
        let value = Bytes.ofHex "0003000000000000000700000005000161000000000000000b"
        let record = ConsumerOffsetsRecord.decode Limits.standard offsetKey (Some value) |> ok "decode"

        Expect.equal
            (ConsumerOffsetsRecord.show record)
            ("OffsetCommit {Group: \"g\", Topic: \"t\", Partition: 42} v3 "
             + "{Offset: 7, LeaderEpoch: 5, Metadata: \"a\", CommitTimestamp: 11, ExpireTimestamp: -1}")
            "the text")

let private ignoresRest =
    testCase "bytes after the fields of a key or value are ignored, as brokers do" (fun () ->
        let longer (bytes: Bytes) = Bytes(Array.append (bytes.ToArray()) [| 1uy; 2uy |])
        let value = Bytes.ofHex "000000000000000000070000000000000000000b"
        let read key value = ConsumerOffsetsRecord.decode Limits.standard key (Some value) |> ok "decode"
        Expect.equal (read (longer offsetKey) (longer value)) (read offsetKey value) "the record")

let private keepsUnknown =
    testCase "a record of an unknown type is kept as it is" (fun () ->
        let key, value = Bytes.ofHex "00090102", Some(Bytes.ofHex "05")
        let record = ConsumerOffsetsRecord.decode Limits.standard key value |> ok "decode"
        Expect.equal record (ConsumerOffsetsRecord.Unknown { Id = 9s; Key = Bytes.ofHex "0102"; Value = value }) "the record"
        Expect.equal (ConsumerOffsetsRecord.encode record) (Ok { Key = key; Value = value }) "the bytes"
        let content = Bytes.ofHex "010d030102"
        let record = MetadataRecord.decode Limits.standard content |> ok "decode"
        Expect.equal record { Version = 3s; Value = MetadataRecord.Unknown { Id = 13; Body = Bytes.ofHex "0102" } } "the record"
        Expect.equal (MetadataRecord.encode record) (Ok content) "the bytes")

let private makesTopic =
    testCase "the record of a topic is made by its case" (fun () ->
        let record = { Version = 0s; Value = MetadataRecord.Topic { Name = "a"; TopicId = Guid.Empty } }
        let bytes = MetadataRecord.encode record |> ok "encode"
        Expect.equal bytes (Bytes.ofHex ("010200" + "0261" + String.replicate 32 "0" + "00")) "the bytes"
        Expect.equal (MetadataRecord.decode Limits.standard bytes) (Ok record) "read back")

let private withMeanings =
    testCase "transcoded with meanings, the status of a transaction is a string, and other numbers are not" (fun () ->
        let payload (status: TransactionStatus) =
            let value = { TransactionLogRecord.valueSchema.Default with ProducerId = 7L; TransactionStatus = status }

            let record =
                TransactionStateRecord.TransactionLog { Key = { TransactionalId = "t" }; Value = Some { Version = 0s; Value = value } }

            let bytes = TransactionStateRecord.encode record |> ok "encode"

            let transcoded =
                TransactionStateRecord.transcode (StoredTranscoder(Limits.standard, true)) bytes.Key bytes.Value |> ok "transcode"

            match transcoded.Value with
            | ValueSome value -> JsonDocument.Parse(value.Value).RootElement
            | ValueNone -> failtest "a tombstone"

        for status, text in [ TransactionStatus.PrepareAbort, "\"PrepareAbort\""; LanguagePrimitives.EnumOfValue 99y, "\"99\"" ] do
            let found = payload status
            Expect.equal (found.GetProperty("transactionStatus").GetRawText()) text "the status"
            Expect.equal (found.GetProperty("producerId").GetRawText()) "7" "another number")

let private texts =
    testCase "the text of a record is one line with its type, its key, and its value with the version" (fun () ->
        let key: OffsetCommitKey = { Group = "g"; Topic = "orders"; Partition = 3 }
        let value = { OffsetCommitRecord.valueSchema.Default with Offset = 42L }
        let commit = { Stored.Key = key; Value = Some { Version = 3s; Value = value } }
        let record = ConsumerOffsetsRecord.OffsetCommit commit
        let fields = """{Offset: 42, LeaderEpoch: -1, Metadata: "", CommitTimestamp: 0, ExpireTimestamp: -1}"""
        let keyText = """{Group: "g", Topic: "orders", Partition: 3}"""
        Expect.equal (string record) ("OffsetCommit " + keyText + " v3 " + fields) "in the union"
        Expect.equal (string commit) (keyText + " v3 OffsetCommitValue " + fields) "by itself"
        let deleted = { commit with Value = None }
        Expect.equal (string deleted) (keyText + " deleted") "a tombstone"
        Expect.equal (string OffsetCommitRecord.recordType) "OffsetCommit (1)" "its type"

        let json = ConsumerOffsetsRecord.toJson record |> ok "toJson"
        let payload = """{"offset":42,"leaderEpoch":-1,"metadata":"","commitTimestamp":0}"""
        let jsonText = """OffsetCommit {"group":"g","topic":"orders","partition":3} v3 """ + payload
        Expect.equal (string json) jsonText "as JSON"
        Expect.equal (string (StoredUtf8.OfJson json)) jsonText "as JSON in UTF-8"

        let topic = MetadataRecord.Topic { Name = "orders"; TopicId = Guid.Empty }
        let topicText = """TopicRecord {Name: "orders", TopicId: 00000000-0000-0000-0000-000000000000}"""
        Expect.equal (string topic) topicText "a record of the metadata log"
        Expect.equal (string { Version = 0s; Value = topic }) ("v0 " + topicText) "with its version"

        let unknown: UnknownRecord = { Id = 99s; Key = Bytes.ofHex "0a"; Value = None }
        Expect.equal (string (ConsumerOffsetsRecord.Unknown unknown)) "record of unknown type 99 0x0a deleted" "an unknown one"

        let secret = Bytes.ofString "open sesame"
        let credential = { UserScramCredentialRecord.schema.Default with StoredKey = secret; ServerKey = secret }
        Expect.isFalse ((string credential).Contains(Bytes.toHex secret)) "keys are secret")

let private faults =
    testCase "faults say where the problem is" (fun () ->
        let offsets key value = ConsumerOffsetsRecord.decode Limits.standard (Bytes.ofHex key) (Some(Bytes.ofHex value))
        let metadata bytes = MetadataRecord.decode Limits.standard (Bytes.ofHex bytes)
        offsets "00" "" |> faultsWith (Problem.Truncated(2L, 1)) 0 "__consumer_offsets/Key"
        offsets (Bytes.toHex offsetKey) "" |> faultsWith (Problem.Truncated(2L, 0)) 0 "OffsetCommitValue/Version"
        offsets (Bytes.toHex offsetKey) "0009" |> faultsWith (Problem.UnsupportedVersion(9s, 0s, 4s)) 2 "OffsetCommitValue"
        offsets (Bytes.toHex offsetKey) "0000000000" |> faultsWith (Problem.Truncated(8L, 3)) 2 "OffsetCommitValue/Offset"
        metadata "" |> faultsWith (Problem.Truncated(1L, 0)) 0 "__cluster_metadata/FrameVersion"
        metadata "020000" |> faultsWith (Problem.OutOfRange(2L, 1L, 1L)) 0 "__cluster_metadata/FrameVersion"
        metadata "01808080808001" |> faultsWith (Problem.BadVarint 5) 5 "__cluster_metadata/Type"
        metadata "0102ffff03" |> faultsWith (Problem.OutOfRange(65535L, 0L, 32767L)) 2 "__cluster_metadata/Version"
        metadata "0102000161" |> faultsWith (Problem.Truncated(16L, 1)) 4 "TopicRecord/TopicId"
        metadata "0114000001" |> faultsWith (Problem.TrailingBytes 1) 4 "NoOpRecord")

let private badSnapshot =
    testCase "a producer snapshot with a wrong checksum is refused" (fun () ->
        let file = ProducerSnapshotFile.encode [] |> ok "encode"
        let changed = file.ToArray()
        changed[changed.Length - 1] <- 1uy

        let refusal = ProducerSnapshotFile.decode Limits.standard (Bytes changed) |> refused "decode"
        Expect.isTrue (refusal.Offset >= 2) "after the version"
        let flipped = file.ToArray()
        flipped[3] <- flipped[3] ^^^ 1uy
        let refusal = ProducerSnapshotFile.decode Limits.standard (Bytes flipped) |> refused "decode"

        match refusal with
        | { Problem = Problem.BadCrc _; Path = "ProducerSnapshot/Crc"; Offset = 2 } -> ()
        | other -> failtestf "%O" other)

// ---- Index files

let private indexes =
    testCase "index files are read up to the zeros at their end" (fun () ->
        let file = Bytes.ofHex "00000005000000640000000900000c800000000000000000"
        let offsets: OffsetIndexEntry list = [ { Offset = 105L; Position = 100 }; { Offset = 109L; Position = 3200 } ]
        Expect.equal (SegmentIndexes.offsets 100L file) (Ok offsets) "offsets"

        let times: TimeIndexEntry list = [ { Timestamp = 1000L; Offset = 103L }; { Timestamp = 1001L; Offset = 107L } ]
        let file = Bytes.ofHex ("00000000000003e800000003" + "00000000000003e900000007" + String.replicate 24 "0")
        Expect.equal (SegmentIndexes.times 100L file) (Ok times) "times"

        let aborted: AbortedTxn.Transaction = { ProducerId = 7L; FirstOffset = 1L; LastOffset = 4L; LastStableOffset = 5L }
        let entry = Message.encode 0s AbortedTxn.message aborted |> ok "encode"
        let file = Bytes(Array.append [| 0uy; 0uy |] (entry.ToArray()))
        Expect.equal (SegmentIndexes.transactions Limits.standard file) (Ok [ aborted ]) "transactions"

        SegmentIndexes.offsets 0L (Bytes.ofHex "000000010000000200") |> faultsWith (Problem.Truncated(8L, 1)) 8 "OffsetIndex")

// ---- Laws

/// Bytes of any kind, with many that begin like a record.
let private noise =
    let start = Gen.choose (0, 26) |> Gen.map byte
    let any = Gen.choose (0, 255) |> Gen.map byte
    let rest = Gen.arrayOf (Gen.frequency [ 3, Gen.choose (0, 3) |> Gen.map byte; 1, any ])

    let shaped = Gen.map2 (fun id rest -> Array.append [| 0uy; id |] rest) start rest

    let framed = Gen.map2 (fun id rest -> Array.append [| 1uy; id; 0uy |] rest) start rest
    Gen.oneof [ rest; shaped; framed ] |> Gen.map Bytes

/// A record that can be read can be written, and is read back as the same.
let private readsAnything =
    let again decode encode record =
        let written = encode record |> ok "encode"
        Expect.isTrue (same (decode written |> ok "decode") record) "read back"

    law
        300
        "any bytes are a record or a fault, and a record is written and read back"
        (Prop.forAll (Arb.fromGen (Gen.zip noise noise)) (fun (key, value) ->
            for topic in topics do
                match topic.Through key (Some value) with
                | Ok(_, bytes) -> Expect.isOk (topic.Through bytes.Key bytes.Value) "read back"
                | Error fault -> Expect.isNotEmpty fault.Path "the path"

            match ConsumerOffsetsRecord.decode Limits.standard key (Some value) with
            | Ok record ->
                again
                    (fun (bytes: StoredBytes) -> ConsumerOffsetsRecord.decode Limits.standard bytes.Key bytes.Value)
                    ConsumerOffsetsRecord.encode
                    record
            | Error _ -> ()

            let json (decode: Limits -> Bytes -> Result<'R, Fault>) toJson = decode Limits.standard value |> Result.bind toJson
            sameTranscoded (MetadataRecord.transcode (transcoder ()) value) (json MetadataRecord.decode MetadataRecord.toJson)

            sameTranscoded
                (RemoteLogMetadataRecord.transcode (transcoder ()) value)
                (json RemoteLogMetadataRecord.decode RemoteLogMetadataRecord.toJson)

            // NaN does not equal itself.
            match MetadataRecord.decode Limits.standard value with
            | Ok { Value = MetadataRecord.ClientQuota _ }
            | Error _ -> ()
            | Ok record -> again (MetadataRecord.decode Limits.standard) MetadataRecord.encode record

            match RemoteLogMetadataRecord.decode Limits.standard value with
            | Ok record -> again (RemoteLogMetadataRecord.decode Limits.standard) RemoteLogMetadataRecord.encode record
            | Error _ -> ()

            ProducerSnapshotFile.decode Limits.standard value |> ignore
            SegmentIndexes.offsets 0L value |> ignore
            SegmentIndexes.times 0L value |> ignore
            SegmentIndexes.transactions Limits.standard value |> ignore
            QuorumStateFile.decode (Bytes.toText value) |> ignore))

[<Tests>]
let tests =
    testList
        "Stored records"
        [ testList "records of coordinators are read as their JSON says and written again" (List.map coordinatorVectors topics)
          testList
              "records without keys are read as their JSON says and written again"
              [ contentVectors
                    MetadataRecord.TopicName
                    MetadataRecord.decode
                    MetadataRecord.toJson
                    MetadataRecord.transcode
                    MetadataRecord.encode
                contentVectors
                    RemoteLogMetadataRecord.TopicName
                    RemoteLogMetadataRecord.decode
                    RemoteLogMetadataRecord.toJson
                    RemoteLogMetadataRecord.transcode
                    RemoteLogMetadataRecord.encode ]
          snapshotVectors
          quorumVectors
          readsCommit
          ignoresRest
          keepsUnknown
          makesTopic
          withMeanings
          texts
          faults
          badSnapshot
          indexes
          readsAnything ]
