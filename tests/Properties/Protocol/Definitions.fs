/// Every message that the library defines, so that a test can be run on each of them, whatever its type. No API is named here: an API that
/// is added to the table of `Apis` is tested without a change.
module LibKafka.Properties.Protocol.Definitions

open System.Reflection
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Storage

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

type private Hider =
    /// Hides the type of a definition that was found by reflection.
    static member Hide<'T>(message: obj) : Definition =
        match message with
        | :? Message<'T> as message -> hide message
        | other -> failtestf "%O is no message" other

/// Every message that LibKafka.Storage defines: each is a property of a module.
let storage: Definition list =
    let hideAny (property: PropertyInfo) =
        let flags = BindingFlags.Static ||| BindingFlags.NonPublic ||| BindingFlags.Public
        let hide = typeof<Hider>.GetMethod("Hide", flags) |> Unchecked.nonNull
        let kind = property.PropertyType.GetGenericArguments()[0]

        match hide.MakeGenericMethod(kind).Invoke(null, [| property.GetValue null |]) with
        | :? Definition as definition -> definition
        | _ -> failtestf "%s is no message" property.Name

    let isMessage (property: PropertyInfo) =
        let kind = property.PropertyType
        kind.IsGenericType && kind.GetGenericTypeDefinition() = typedefof<Message<_>>

    [ for kind in typeof<MetadataRecord>.Assembly.GetExportedTypes() do
          for property in kind.GetProperties(BindingFlags.Public ||| BindingFlags.Static) do
              if isMessage property then hideAny property ]
    |> List.sortBy _.Name

/// The headers, the data messages, all requests and responses, then what is stored.
let all: Definition list = headers @ data @ (apis |> List.collect (messagesOf >> List.map snd)) @ storage

/// A test for each definition, under a name that states the law.
let forEach (statement: string) (definitions: Definition list) (test: Definition -> Test) : Test =
    testList statement (definitions |> List.map test)
