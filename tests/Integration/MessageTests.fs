/// What the texts of faults and errors say: what is wrong, and what the user can do.
module LibKafka.Integration.MessageTests

open System
open System.Text.RegularExpressions
open FSharp.Reflection
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Groups
open LibKafka.Topics
open LibKafka.Integration.Support

/// The F# libraries that programs use, except the brokers of LibKafka.Testing.
let private fsharpAssemblies =
    [ typeof<ClientFault>.Assembly
      typeof<GroupEvent>.Assembly
      typeof<LibKafka.Compression.Zstd>.Assembly
      typeof<LibKafka.Dns.SrvLookUp>.Assembly ]

// ---- values of every case ----

let private fault: Fault = { Problem = Problem.BadUtf8; Offset = 7; Path = "Records[3]/Key" }
let private partition: TopicPartition = { Topic = "orders"; Partition = 3 }

/// Values of the types that the cases have and that are not unions.
let private known: (Type * objnull list) list =
    [ typeof<string>, [ "word" ]
      typeof<bool>, [ true ]
      typeof<int8>, [ 1y ]
      typeof<int16>, [ 1s; 2s ]
      typeof<int32>, [ 1; 2 ]
      typeof<int64>, [ 1L; 2L ]
      typeof<uint32>, [ 1u ]
      typeof<TimeSpan>, [ ms 1500 ]
      typeof<BrokerAddress>, [ ({ Host = "kafka"; Port = 9092 }: BrokerAddress) ]
      typeof<TopicPartition>, [ partition ]
      typeof<ErrorCode>, [ ErrorCode.CoordinatorNotAvailable; ErrorCode 999s ]
      typeof<LeaveGroup.MemberResponse list>,
      [ ([ { MemberId = "m"; GroupInstanceId = None; Error = ErrorCode.UnknownMemberId } ]: LeaveGroup.MemberResponse list) ]
      typeof<PartitionResult list>,
      [ ([ { Partition = partition; Error = ErrorCode.None }
           { Partition = partition; Error = ErrorCode.CoordinatorNotAvailable } ]
        : PartitionResult list) ]
      typeof<ApiKey>, [ ApiKey.CreateTopics ]
      typeof<VersionRange>, [ { Lowest = 2s; Highest = 7s }; { Lowest = 1s; Highest = 1s } ]
      typeof<CoordinatorType>, [ CoordinatorType.Group ]
      typeof<OffsetSpec>, [ OffsetSpec.Latest; OffsetSpec.AtTimestamp 5L ]
      typeof<Fault>, [ fault; { fault with Path = "" } ]
      typeof<Produce.PartitionResponse>,
      [ { Produce.partitionResponse.Default with Error = ErrorCode.InvalidRecord }
        { Produce.partitionResponse.Default with
            Error = ErrorCode.InvalidRecord
            ErrorMessage = Some "the broker's own words." } ]
      typeof<Acknowledgement>, [ { BaseOffset = 5L; LogAppendTimeMs = -1L; LogStartOffset = 0L } ] ]

/// The words of an exception or a broker, where a case has such words.
let private foreign = "A sentence of an exception. It has two.\r\nAnd a line.\n"

/// All combinations of one element of each list.
let private combinations (choices: 'T list list) : 'T list list =
    List.foldBack (fun choice rest -> List.allPairs choice rest |> List.map (fun (head, tail) -> head :: tail)) choices [ [] ]

/// Values of a type; of a union, values of each of its cases, nested ones of one level.
let rec private valuesOf (depth: int) (wanted: Type) : objnull list =
    match known |> List.tryFind (fun (type', _) -> type' = wanted) with
    | Some(_, values) -> values
    | None when FSharpType.IsTuple wanted ->
        FSharpType.GetTupleElements wanted
        |> List.ofArray
        |> List.map (valuesOf depth)
        |> combinations
        |> List.map (fun parts -> FSharpValue.MakeTuple(Array.ofList parts, wanted))
    | None when FSharpType.IsUnion wanted && depth > 0 ->
        FSharpType.GetUnionCases wanted |> List.ofArray |> List.collect (casesOf (depth - 1))
    | None when FSharpType.IsUnion wanted -> FSharpType.GetUnionCases wanted |> Seq.map (casesOf 0) |> Seq.find (List.isEmpty >> not)
    | None -> failtestf "there is no value of %O" wanted

and private casesOf (depth: int) (case: UnionCaseInfo) : objnull list =
    let valuesOfField (field: Reflection.PropertyInfo) : objnull list =
        match field.Name with
        | "reason"
        | "cause" -> [ "word"; foreign ]
        | "remark" -> [ box (None: string option); box (Some "word"); box (Some foreign) ]
        | _ when field.PropertyType = case.DeclaringType && depth = 0 -> []
        | _ -> valuesOf depth field.PropertyType

    case.GetFields()
    |> List.ofArray
    |> List.map valuesOfField
    |> combinations
    |> List.map (fun parts -> FSharpValue.MakeUnion(case, Array.ofList parts))

let private all<'Union> : 'Union list = valuesOf 3 typeof<'Union> |> List.map unbox<'Union>

/// The texts of every fault, by its name.
let faultTexts: Lazy<(string * string list) list> =
    lazy (all<ClientFault> |> List.groupBy _.Name |> List.map (fun (name, faults) -> name, faults |> List.map string))

// ---- the rules ----

/// What a line of text must not have, and why.
let private faultsIn (text: string) : string list =
    [ if text.Trim() <> text || text = "" then "blanks at an end, or nothing"
      if text.IndexOfAny [| '\r'; '\n' |] >= 0 then "more than one line"
      if Regex.IsMatch(text, @"[.;:,]$") then "a mark at the end"
      if Regex.IsMatch(text, @"[.;:,]\s*[;:,]|\s\s|\s[;:,]") then
          "marks or blanks in a row"
      if Regex.IsMatch(text, @"\bSome [\d(]|ValueSome|ValueNone|FSharp|\[\||""|`\d|LibKafka\.(Client|Wire|Records|Protocol)\b") then
          "the syntax of F#"
      if Regex.IsMatch(text, @"\b(known here|to the broker$|none to)\b") then
          "versions as a program counts them" ]

let private checkLine (text: string) = Expect.equal (faultsIn text) [] text

let private rules =
    testList
        "is one line without a mark at its end and without the syntax of F#"
        [ testCase "of every client fault" (fun () ->
              let faults = all<ClientFault>
              let cases = FSharpType.GetUnionCases typeof<ClientFault> |> Array.map _.Name |> Set.ofArray
              Expect.equal (faults |> List.map _.Name |> Set.ofList) cases "every case is tried"
              let nested =
                  faults
                  |> List.map (fun fault -> ClientFault.NoBroker [ { Host = "a"; Port = 1 }, fault; { Host = "b"; Port = 1 }, fault ])
              faults @ nested |> List.iter (string >> checkLine)

              for fault in nested do
                  Expect.all [ "a:1"; "b:1" ] ((string fault).Contains) "each broker that was tried is named")

          testCase "of every problem with bytes" (fun () ->
              for problem in all<Problem> do
                  for path in [ ""; "Records[3]/Key" ] do
                      checkLine (string { Problem = problem; Offset = 7; Path = path }))

          testCase "of every other fault and result" (fun () ->
              all<SaslFailure> |> List.iter (string >> checkLine)
              all<NotForwardable> |> List.iter (string >> checkLine)
              all<AdminFault> |> List.iter (string >> checkLine)
              all<AssignFault> |> List.iter (string >> checkLine)
              all<GroupFailure> |> List.iter (string >> checkLine)
              all<LossReason> |> List.iter (string >> checkLine)
              all<CommitOutcome> |> List.iter (string >> checkLine)
              all<GroupLeave> |> List.iter (string >> checkLine)
              all<CallFailure> |> List.iter (string >> checkLine)
              all<PartitionsFailure> |> List.iter (string >> checkLine)
              all<LeaveFailure> |> List.iter (string >> checkLine)
              // The reason of a batch that was not produced is a line already.
              all<TransactionProblem> |> List.filter (fun one -> not one.IsNotProduced) |> List.iter (string >> checkLine)
              all<Rejection> |> List.iter (string >> checkLine)
              all<Doubt> |> List.iter (string >> checkLine)
              all<ProduceResult> |> List.iter (string >> checkLine))

          testCase "of every error code" (fun () ->
              let messages: (string | null) list = [ null; ""; "the broker's own words."; "Two.\nLines." ]

              for code, message in List.allPairs [ -1s .. 140s ] messages do
                  checkLine ((ErrorCode code).Explain message))

          testCase "of every fault of the façade" (fun () ->
              let methods = typeof<LibKafka.KafkaFault>.GetMethods(Reflection.BindingFlags.Static ||| Reflection.BindingFlags.NonPublic)

              let ofFault (fault: 'Fault) (other: obj) : LibKafka.KafkaFault =
                  let isFitting (found: Reflection.MethodInfo) =
                      match found.Name, List.ofArray (found.GetParameters()) with
                      | "Of", [ first; _ ] -> first.ParameterType = typeof<'Fault>
                      | _ -> false

                  (methods |> Array.find isFitting).Invoke(null, [| box fault; other |]) |> unbox

              for fault in all<ClientFault> do
                  let told = ofFault fault (LibKafka.BrokerAddress("kafka", 9092))
                  checkLine (string told)
                  Expect.equal told.Message (string fault) "as in F#"
                  Expect.equal (string told.Kind) fault.Name "a kind for each case"
                  Expect.equal told.IsTransient fault.IsTransient "whether it may pass"

              for problem in all<Problem> do
                  checkLine (string (ofFault { fault with Problem = problem } "the batch of offsets 1 to 2"))

              for reason in all<NotForwardable> do
                  checkLine (string (ofFault reason "the batch of offsets 1 to 2"))) ]

let private contents =
    let says (name: string) (text: string) (parts: string list) =
        testCase name (fun () ->
            for part in parts do
                Expect.stringContains text part "what to do")

    let range lowest highest : VersionRange = { Lowest = lowest; Highest = highest }
    let encoded problem = string (ClientFault.CannotEncode { fault with Problem = problem })

    testList
        "says what to do"
        [ says
              "an API that the broker does not have: it is too old"
              (string (ClientFault.NoCommonVersion(ApiKey.CreateTopics, range 2s 7s, None)))
              [ "the broker does not support CreateTopics"; "too old" ]
          says
              "an API of which the broker has too low versions: it is too old"
              (string (ClientFault.NoCommonVersion(ApiKey.CreateTopics, range 2s 7s, Some(range 0s 1s))))
              [ "versions 0-1"; "the broker is too old for this" ]
          says
              "an API of which the broker has too high versions: a newer client"
              (string (ClientFault.NoCommonVersion(ApiKey.CreateTopics, range 2s 7s, Some(range 8s 9s))))
              [ "versions 8-9"; "newer client" ]
          says "a setting: its name" (string (ClientFault.InvalidSetting("CallTimeout", "it must be positive"))) [ "CallTimeout" ]
          says "a time-out: the settings" (string (ClientFault.TimedOut(ms 1500))) [ "1500 ms"; "CallTimeout"; "ConnectTimeout" ]
          says
              "a frame that is too large: the setting"
              (string (ClientFault.BadFrameLength(100, 10)))
              [ "100"; "MaxFrameBytes allows (10)" ]
          says "a batch that is too large: the setting" (encoded (Problem.BatchTooLarge(100, 10))) [ "100"; "MaxBatchBytes allows (10)" ]
          says "a message that is too large: the setting" (encoded (Problem.DecodedTooLarge 10L)) [ "10 bytes"; "MaxDecodedBytes" ]
          says "too many records: the setting" (encoded (Problem.TooManyRecords 10L)) [ "10 records"; "MaxRecords" ]
          says "records that are too large: the setting" (encoded (Problem.DecompressedTooLarge 10L)) [ "10 bytes"; "MaxDecompressedBytes" ]
          says
              "a request that is too large: the broker's setting"
              (string (ClientFault.ClosedWhileSending(1L, 2L)))
              [ "socket.request.max.bytes" ]
          says "TLS that is missing: the setting" (string (ClientFault.TlsExpected { Host = "a"; Port = 1 })) [ "set Tls" ]
          says "TLS that is not spoken: the setting" (string (ClientFault.TlsNotSpoken { Host = "a"; Port = 1 })) [ "leave out Tls" ]
          says "authentication that is missing" (string ClientFault.ClosedUnauthenticated) [ "SASL" ]
          says "a mechanism that is not offered: those that are" (string (SaslFailure.NotOffered [ "PLAIN" ])) [ "only PLAIN"; "use one" ]
          says "a codec that is missing: where there is one" (encoded (Problem.CodecMissing "zstd")) [ "LibKafka.Compression" ]
          says
              "an error code: its meaning"
              (string (ClientFault.NoLeader(partition, ErrorCode.UnknownTopicOrPartition)))
              [ "orders-3"; "Refresh" ]

          says
              "a topic that does not exist: how to create it"
              (string (ClientFault.NoLeader(partition, ErrorCode.UnknownTopicOrPartition)))
              [ "orders-3"; "AdminClient.CreateTopics" ]
          says
              "a member that was removed because its handler takes too long: the setting"
              (string (GroupEvent.Lost([ partition ], LossReason.Removed ErrorCode.UnknownMemberId)))
              [ "orders-3"; "SessionTimeout"; "HeartbeatThread" ]
          says
              "a commit that was refused: the meaning of the code"
              (string (CommitOutcome.Refused ErrorCode.RebalanceInProgress))
              [ "REBALANCE_IN_PROGRESS (27)"; "The group is rebalancing" ]
          says
              "a member without partitions: why there may be none"
              (string (GroupEvent.Assigned []))
              [ "no partitions"; "other members have them"; "the topics do not exist" ]
          says "a batch that was not sent before Close: the call that sends it" (string UndeliveredReason.Closed) [ "Flush"; "Close" ]

          testCase "an exchange in F# is as readable as in C#" (fun () ->
              Scripted.partition patient (Script.finding 7L) (fun broker client ->
                  let exchange = client.Call(ListOffsets.api, Script.askLatest)
                  let text = string exchange
                  Expect.isMatch text @"^ListOffsets v\d+ to 127\.0\.0\.1:\d+: \d+ bytes out, \d+ bytes in, [\d.]+ ms$" "F#"
                  checkLine text
                  let options = LibKafka.KafkaClientOptions(broker.Address.ToString())
                  use fetcher = new LibKafka.PartitionFetcher(options, LibKafka.TopicPartition("t", 0))
                  let told = string (fetcher.FindOffset OffsetSpec.Latest).Exchange
                  let shape (line: string) = Regex.Replace(line, @"[\d.]+", "0")
                  Expect.equal (shape told) (shape text) "C#"))

          testCase "an item of a record set is described as its batch is" (fun () ->
              let whole = batch "a" 2
              let bytes = whole.Bytes.ToArray()
              let items = [ for item in RecordSet.split (Bytes(Array.append bytes bytes[..69])) -> string item ]
              Expect.equal items [ string whole; "a batch that is cut off after 70 bytes" ] "both"
              List.iter checkLine items)

          testCase "settings print their values, without secrets" (fun () ->
              let settings =
                  { ClientSettings.standard with
                      ClientId = "billing"
                      Sasl = Some(Sasl.plain "alice" "secret")
                      CallTimeout = Threading.Timeout.InfiniteTimeSpan }

              for part in [ "ClientId: \"billing\""; "CallTimeout: no limit"; "ConnectTimeout: 00:00:"; "Tls: none"; "PLAIN" ] do
                  Expect.stringContains (string settings) part "the settings"

              Expect.isFalse ((string settings).Contains "secret") "the password"
              let group = string (GroupSettings.make "billing" [ "orders" ])

              for part in [ "GroupId: \"billing\""; "Subscription: orders"; "Reset: "; "RequireStable: false"; "CommitInterval: 00:00:05" ] do
                  Expect.stringContains group part "the group"

              Expect.equal (string Produce.api) "Produce 0-13" "an API"
              let shape = Message.shape 1s ListTransactions.api.Request |> Result.map string
              Expect.stringContains (ok shape) "compact [compact string]" "a shape") ]

/// A type in which a value is wrapped more than once: a result or an option of a result, or an option of an option.
let rec private isNested (found: Type) : bool =
    let definition (candidate: Type) = if candidate.IsGenericType then candidate.GetGenericTypeDefinition() else candidate
    let isOption (candidate: Type) = definition candidate = typedefof<_ option> || definition candidate = typedefof<_ voption>
    let isResult (candidate: Type) = definition candidate = typedefof<Result<_, _>>

    if found.HasElementType then
        isNested (nonNull (found.GetElementType()))
    elif found.IsGenericType then
        let arguments = found.GetGenericArguments()
        let inner = arguments[0]

        (isResult found && isResult inner)
        || (isOption found && (isOption inner || isResult inner))
        || Array.exists isNested arguments
    else
        false

type private ResultBuilder() =
    member _.Bind(result, next) = Result.bind next result
    member _.Return value = Ok value
    member _.Using(resource: #IDisposable, next) = using resource next

let private composed =
    testCase "calls that can fail compose in a computation of results" (fun () ->
        let result = ResultBuilder()

        let count (bootstrap: string) (topic: string) : Result<int, ClientFault> = result {
            let! brokers = Bootstrap.parse bootstrap
            use consumer = new TopicConsumer(patient, brokers, ConsumerSettings.standard)
            let! partitions = consumer.AddTopic(topic, Start.earliest)
            return partitions.Length
        }

        use kafka = LibKafka.Testing.TestBroker.Start()
        kafka.Topic("orders", partitions = 3)
        Expect.equal (count kafka.Bootstrap "orders") (Ok 3) "a topic"
        Expect.isTrue (faultOf (count kafka.Bootstrap "ordes")).IsNoLeader "no topic"
        Expect.stringContains (string (faultOf (count "http://kafka:9092" "orders"))) "bootstrap cannot be used: 'http" "no address")

let private signatures =
    testCase "no signature of the F# libraries wraps a value twice" (fun () ->
        Expect.isTrue (isNested typeof<Result<Result<int, string>, string> list>) "Ok (Ok 1)"
        Expect.isFalse (isNested typeof<Result<int option, string>>) "Ok (Some 1) is a value that need not be there"

        let nested =
            [ for assembly in fsharpAssemblies do
                  for found in assembly.GetExportedTypes() do
                      for called in found.GetMethods() do
                          let types = called.ReturnType :: [ for parameter in called.GetParameters() -> parameter.ParameterType ]
                          if List.exists isNested types then $"{found.FullName}.{called.Name}" ]

        Expect.equal nested [] "signatures with Ok (Ok …), Some (Ok …) or Some (Some …)")

[<Tests>]
let tests = testList "the text" [ rules; contents; composed; signatures ]
