/// Secrets in the texts of messages, and in the JSON that is meant for logs and screens.
module LibKafka.Properties.SecretTests

open System
open System.Collections.Generic

open Expecto
open FsCheck.FSharp
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Storage
open LibKafka.Properties.Support
open LibKafka.Properties.Protocol.Definitions
open LibKafka.Properties.Protocol.Generate

/// The configs of Kafka's type PASSWORD, among them those that newer releases no longer have.
let private secretConfigs =
    [| "ssl.key.password"
       "ssl.keystore.password"
       "ssl.keystore.key"
       "ssl.keystore.certificate.chain"
       "ssl.truststore.password"
       "ssl.truststore.certificates"
       "sasl.jaas.config"
       "sasl.oauthbearer.client.credentials.client.secret"
       "sasl.oauthbearer.assertion.private.key.passphrase"
       "delegation.token.secret.key"
       "delegation.token.master.key"
       "password.encoder.secret"
       "password.encoder.old.secret"
       "zookeeper.ssl.keystore.password"
       "zookeeper.ssl.truststore.password"
       "listener.name.internal.ssl.keystore.password"
       "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config" |]

let private plainConfigs =
    [| "cleanup.policy"
       "retention.ms"
       "ssl.keystore.location"
       "ssl.keystore.type"
       "ssl.truststore.location"
       "sasl.enabled.mechanisms"
       "sasl.oauthbearer.client.credentials.client.id"
       "delegation.token.expiry.time.ms"
       "min.insync.replicas"
       "" |]

/// The fields of bytes that are secret, by their names in the protocol.
let private secretFields =
    set [ "AuthBytes"; "Hmac"; "SaltedPassword"; "StoredKey"; "ServerKey"; "RequestData"; "ResponseData" ]

[<Literal>]
let private SecretString = "open sesame"

let private secretBytes = Bytes.ofString "open sesame!"

/// Draws values whose secrets are all the same. The value of a config is a secret if its name is that of a secret config.
[<Sealed>]
type private SecretSource(choices: int64[]) =
    inherit Source()
    let drawn = ChoiceSource choices
    let fields = Stack<string>()
    let mutable name = ""
    let field () = if fields.Count = 0 then "" else fields.Peek()

    let configName () =
        let some = if drawn.Bool() then secretConfigs else plainConfigs
        name <- some[int (drawn.Integer(0L, int64 some.Length - 1L))]
        name

    override _.Bool() = field () <> "IsSensitive" && drawn.Bool()
    // The type of a config says that it is a secret too.
    override _.Integer(lowest, highest) = if field () = "ConfigType" then 2L else drawn.Integer(lowest, highest)
    override _.Float64() = drawn.Float64()
    override _.Uuid() = drawn.Uuid()

    override _.String() =
        match field () with
        | "Name"
        | "Key" -> configName ()
        | "Value" when Array.contains name secretConfigs -> SecretString
        | _ -> drawn.String()

    override _.Bytes() = if secretFields.Contains(field ()) then secretBytes else drawn.Bytes()
    override _.IsNull() = drawn.IsNull()
    override _.BeginStruct() = name <- ""
    override _.EndStruct() = ()

    override _.BeginField name =
        fields.Push name
        true

    override _.EndField() = fields.Pop() |> ignore
    override _.BeginArray() = drawn.BeginArray()
    override _.BeginElement index = drawn.BeginElement index
    override _.EndElement() = ()
    override _.EndArray() = ()

let private hiddenText (text: string) =
    text.Replace("\"" + SecretString + "\"", "[secret]").Replace("0x" + Bytes.toHex secretBytes, "[secret]")

let private hiddenJson (json: string) =
    let base64 = Convert.ToBase64String secretBytes.Span
    json.Replace("\"" + SecretString + "\"", "\"[secret]\"").Replace("\"" + base64 + "\"", "\"[secret]\"")

let private draw (message: Message<'T>) (choices: int64[]) : 'T = (message.Schema.At MessageVersion.Every).Build(SecretSource choices)

let private hides (definition: Definition) =
    definition.Use
        { new IUse<Test> with
            member _.Use message =
                law
                    20
                    message.Name
                    (Prop.forAll (Arb.fromGenShrink (numbers, shrinkNumbers)) (fun choices ->
                        let value = draw message choices
                        Expect.equal (Message.show message value) (hiddenText (Message.showWithSecrets message value)) "the text"

                        for version in [ definition.Range.Lowest; definition.Range.Highest ] do
                            let json = Message.toJson version message value |> ok "JSON"
                            let hidden = Message.toJsonWithoutSecrets version message value |> ok "hidden JSON"
                            Expect.equal hidden (hiddenJson json) "the JSON")) }

/// Whether the message has a secret in values that are drawn from many numbers.
let private hasSecret (definition: Definition) : bool =
    definition.Use
        { new IUse<bool> with
            member _.Use message =
                let random = Random 7

                Seq.init 40 (fun _ -> Array.init 400 (fun _ -> random.NextInt64()))
                |> Seq.exists (fun choices -> (draw message choices |> Message.show message).Contains "[secret]") }

[<Tests>]
let tests =
    testList
        "Secrets in texts"
        [ forEach "the text and the JSON without secrets hide the secrets, and nothing else" all hides

          testCase "the messages with secrets" (fun () ->
              let found = all |> List.filter hasSecret |> List.map _.Name |> List.sort

              Expect.equal
                  found
                  [ "AlterConfigsRequest"
                    "AlterUserScramCredentialsRequest"
                    "ConfigRecord"
                    "CreateDelegationTokenResponse"
                    "CreateTopicsRequest"
                    "CreateTopicsResponse"
                    "DescribeConfigsResponse"
                    "DescribeDelegationTokenResponse"
                    "EnvelopeRequest"
                    "EnvelopeResponse"
                    "ExpireDelegationTokenRequest"
                    "IncrementalAlterConfigsRequest"
                    "RenewDelegationTokenRequest"
                    "SaslAuthenticateRequest"
                    "SaslAuthenticateResponse"
                    "StreamsGroupDescribeResponse"
                    "StreamsGroupHeartbeatRequest"
                    "StreamsGroupMemberMetadataValue"
                    "StreamsGroupMetadataValue"
                    "StreamsGroupTopologyValue"
                    "UserScramCredentialRecord" ]
                  "their names")

          testCase "a config is secret by its name" (fun () ->
              for name in secretConfigs do
                  Expect.isTrue (ConfigName.isSecret name) name
                  Expect.isTrue (ConfigName.isSecret ("listener.name.external." + name)) ("of a listener: " + name)

              for name in plainConfigs do
                  Expect.isFalse (ConfigName.isSecret name) name

              Expect.isTrue (ConfigName.isSecret "rsm.config.storage.aws.secret.access.key") "a config of a plugin")

          testCase "a config that the broker calls sensitive is secret" (fun () ->
              let config = { DescribeConfigs.config.Default with Name = "x"; Value = Some SecretString }
              Expect.stringContains (string config) SecretString "plain"
              let ofType = { config with Type = ConfigType.Password }

              for secret in [ string { config with IsSensitive = true }; string ofType ] do
                  Expect.stringContains secret "Name: \"x\", Value: [secret]" "described"

              let created = { CreateTopics.configResult.Default with Name = "x"; Value = Some SecretString; IsSensitive = true }
              Expect.stringContains (string created) "Name: \"x\", Value: [secret]" "created")

          testCase "a null or empty secret is shown as such" (fun () ->
              let config value : AlterConfigs.Config = { Name = "ssl.key.password"; Value = value }
              Expect.equal (string (config None)) "{Name: \"ssl.key.password\", Value: null}" "null"
              Expect.equal (string (config (Some ""))) "{Name: \"ssl.key.password\", Value: \"\"}" "empty"
              Expect.equal (string (config (Some "x"))) "{Name: \"ssl.key.password\", Value: [secret]}" "a secret")

          testCase "the value after a null secret is shown" (fun () ->
              let resource: AlterConfigs.Resource =
                  { ResourceType = ConfigResourceType.Broker
                    ResourceName = "1"
                    Configs = [ { Name = "ssl.key.password"; Value = None }; { Name = "ssl.keystore.type"; Value = Some "PEM" } ] }

              Expect.stringContains (string resource) "{Name: \"ssl.keystore.type\", Value: \"PEM\"}" "the text"

              let json =
                  Message.toJsonWithoutSecrets 2s AlterConfigs.api.Request { Resources = [ resource ]; ValidateOnly = false } |> ok "JSON"

              Expect.stringContains json "{\"name\":\"ssl.keystore.type\",\"value\":\"PEM\"}" "the JSON")

          testCase "a topic to create" (fun () ->
              let topic: NewTopic =
                  { Name = "t"
                    Partitions = 1
                    ReplicationFactor = 1s
                    Configs = [ "cleanup.policy", "compact"; "x.password", SecretString ] }

              Expect.stringContains (string topic) "[\"cleanup.policy=compact\", \"x.password=[secret]\"]" "its configs")

          testCase "a secret that is a record of the metadata log is JSON in Kafka's own form" (fun () ->
              let record: ConfigRecord.Value =
                  { ResourceType = ConfigResourceType.Broker; ResourceName = "1"; Name = "sasl.jaas.config"; Value = Some SecretString }

              Expect.stringContains (string record) "Value: [secret]" "the text"
              let json = Message.toJson 0s ConfigRecord.message record |> ok "JSON"
              Expect.stringContains json SecretString "the data") ]
