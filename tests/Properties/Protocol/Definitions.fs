/// Every message that the library defines, so that a test can be run on each of them, whatever its type. No API is named here: an API that
/// is added to the table of `Apis` is tested without a change.
module LibKafka.Properties.Protocol.Definitions

open Expecto
open LibKafka.Wire
open LibKafka.Protocol

/// An action on a definition of any type.
type IUse<'Result> =
    abstract Use: Message<'T> -> 'Result

/// A definition whose type is hidden.
[<AbstractClass>]
type Definition(name: string, range: VersionRange) =
    member _.Name = name
    member _.Range = range
    member _.Versions = range.ToList()
    abstract Use: IUse<'Result> -> 'Result
    override _.ToString() = name

let private hide (message: Message<'T>) =
    { new Definition(message.Name, message.Versions) with
        member _.Use action = action.Use message }

/// Both definitions of an API, and its versions.
type ApiDefinition =
    { Key: ApiKey
      Request: Definition
      Response: Definition
      Versions: VersionRange
      IsFlexible: int16 -> bool
      RequestHeaderVersion: int16 -> int16
      ResponseHeaderVersion: int16 -> int16 }

let private describe =
    { new IApiVisitor<ApiDefinition> with
        member _.Visit(api, _, _) =
            { Key = api.Key
              Request = hide api.Request
              Response = hide api.Response
              Versions = api.Versions
              IsFlexible = api.IsFlexible
              RequestHeaderVersion = api.RequestHeaderVersion
              ResponseHeaderVersion = api.ResponseHeaderVersion } }

/// The API with the key, if it is known.
let tryApi (key: ApiKey) : ApiDefinition option = Apis.visit describe key

/// All known APIs.
let apis: ApiDefinition list =
    Apis.keys
    |> List.map (fun key ->
        match tryApi key with
        | Some api -> api
        | None -> failtestf "API key %d is listed and cannot be visited" key.Code)

/// The messages of an API, each with its `type` as the vectors name it.
let messagesOf (api: ApiDefinition) : (string * Definition) list = [ "request", api.Request; "response", api.Response ]

let headers: Definition list = [ hide RequestHeader.message; hide ResponseHeader.message ]

/// The messages that are parts of others, or of logs.
let data: Definition list =
    [ hide ConsumerProtocolSubscription.message
      hide ConsumerProtocolAssignment.message
      hide AbortedTxn.message
      hide ControlRecordTypeSchema.message
      hide EndTxnMarker.message
      hide LeaderChangeMessage.message
      hide KRaftVersionRecord.message
      hide SnapshotHeaderRecord.message
      hide SnapshotFooterRecord.message
      hide VotersRecord.message
      hide DefaultPrincipalData.message ]

/// The headers, the data messages, then all requests and responses.
let all: Definition list = headers @ data @ (apis |> List.collect (messagesOf >> List.map snd))

/// A test for each definition, under a name that states the law.
let forEach (statement: string) (definitions: Definition list) (test: Definition -> Test) : Test =
    testList statement (definitions |> List.map test)
