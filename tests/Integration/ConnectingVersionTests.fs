/// Versions of APIs: a broker that hangs up on a version of ApiVersions, and options that a broker is too old for.
module LibKafka.Integration.ConnectingVersionTests

open System
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support
open LibKafka.Integration.ConnectingSupport

let private versions =
    let highest = int ApiVersions.api.Versions.Highest

    /// Closes the connection at ApiVersions above a version, as Azure Event Hubs does.
    let hangingUp (above: int) (rest: Received -> Act list) (received: Received) : Act list =
        if received.Header.ApiKey = ApiKey.ApiVersions && int received.Header.ApiVersion > above then
            [ Act.Close ]
        else
            rest received

    let leading (above: unit -> int) (me: BrokerAddress) (received: Received) =
        match received.Request with
        | Request.Metadata _ -> Script.answer Metadata.api received (Script.metadata me [ Script.topic "t" Guid.Empty ])
        | _ -> hangingUp (above ()) script received

    let asked (broker: ScriptedBroker) = broker.VersionsOf ApiKey.ApiVersions

    let client (settings: ClientSettings) (broker: ScriptedBroker) =
        new PartitionClient(settings, Bootstrap.ofAddresses [ broker.Address ], { Topic = "t"; Partition = 0 })

    testList
        "a broker that hangs up on a version of ApiVersions"
        [ for above, expected in [ 3, [ highest; 3 ]; 2, [ highest; 3; 0 ]; 0, [ highest; 3; 0 ] ] do
              testCase ("above " + string above + " is asked in lower ones, on new connections") (fun () ->
                  use broker = new ScriptedBroker(fun _ -> hangingUp above script)
                  use connection = Connection.Open(patient, broker.Address) |> ok
                  Expect.equal (asked broker) expected "asked"
                  Expect.equal broker.Connections expected.Length "each on a connection of its own"
                  Expect.isOk (ask connection).Result "a call")

          testCase "even at version 0 is not asked again, and the fault says why a broker may do that" (fun () ->
              use broker = new ScriptedBroker(fun _ -> hangingUp -1 script)
              let fault = faultOf (Connection.Open(patient, broker.Address))
              Expect.isTrue (fault.IsCannotConnect && fault.IsTransient) "it may be a broker that stops"
              Expect.stringContains (fault.ToString()) "expects TLS" "or one with TLS"
              Expect.equal (asked broker) [ highest; 3; 0 ] "asked")

          testCase "is remembered by the client, and by no other" (fun () ->
              use broker = new ScriptedBroker(leading (fun () -> 3))
              use first = client patient broker
              first.Connect() |> ok |> ignore
              let before = (asked broker).Length
              first.Close()
              first.Connect() |> ok |> ignore
              Expect.equal (List.skip before (asked broker)) [ 3; 3 ] "the next time version 3 comes first"
              let before = (asked broker).Length
              use other = client patient broker
              other.Connect() |> ok |> ignore
              Expect.equal (List.item before (asked broker)) highest "another client asks in the highest")

          testCase "is asked in the highest again after a while" (fun () ->
              let time = ManualTime()
              let mutable above = 3
              use broker = new ScriptedBroker(leading (fun () -> Volatile.Read &above))
              use client = client { patient with Time = time } broker
              client.Connect() |> ok |> ignore
              client.Close()
              Volatile.Write(&above, highest)
              time.Advance(TimeSpan.FromHours 1.0)
              let before = (asked broker).Length
              client.Connect() |> ok |> ignore
              Expect.equal (List.skip before (asked broker)) [ highest; highest ] "the highest"
              client.Close()
              client.Connect() |> ok |> ignore
              Expect.equal (List.last (asked broker)) highest "and stays")

          testCase "because it restarts downgrades nobody: no lower version has succeeded right after the close" (fun () ->
              let mutable above = -1
              use broker = new ScriptedBroker(leading (fun () -> Volatile.Read &above))
              use client = client patient broker
              client.Connect() |> faultOf |> ignore
              Volatile.Write(&above, highest)
              let before = (asked broker).Length
              client.Connect() |> ok |> ignore
              Expect.equal (List.item before (asked broker)) highest "the highest") ]

let private tooOld =
    let knowing (api: ApiKey) highest rest = Script.knowing (Script.everythingBut [ Script.versions api 0 highest ]) rest

    let coordinated (api: ApiKey) highest (me: BrokerAddress) (received: Received) =
        let coordinator = { FindCoordinator.response.Default with Host = me.Host; Port = me.Port; NodeId = 1 }
        let table = Script.everythingBut [ Script.versions api 0 highest; Script.versions ApiKey.FindCoordinator 0 2 ]

        Script.knowing
            table
            (fun received ->
                match received.Request with
                | Request.FindCoordinator _ -> Script.answer FindCoordinator.api received coordinator
                | Request.InitProducerId _ ->
                    Script.answer InitProducerId.api received { InitProducerId.response.Default with ProducerId = 5L; ProducerEpoch = 0s }
                | _ -> Script.unexpected received)
            received

    let names (option: string) (release: string) (fault: ClientFault) =
        match fault with
        | ClientFault.BrokerTooOld(part, needs, _) ->
            Expect.stringContains part option "the option"
            Expect.equal needs release "the release"
            Expect.stringContains (fault.ToString()) "too old" "the text"
        | other -> failtestf "%O" other

    testList
        "a broker that is too old"
        [ testCase "for requireStable" (fun () ->
              use broker = new ScriptedBroker(coordinated ApiKey.OffsetFetch 6)
              use group = new GroupClient(patient, Bootstrap.ofAddresses [ broker.Address ], "g")
              let reply = group.FetchOffsets(GroupMembership.none, [ { Topic = "t"; Partition = 0 } ], true)
              names "requireStable" "Kafka 2.5" (faultOf reply.Exchange.Result)
              Expect.isFalse reply.Exchange.Info.WasSent "nothing was sent")

          testCase "for RaiseEpoch" (fun () ->
              use broker = new ScriptedBroker(coordinated ApiKey.InitProducerId 2)
              use transaction = new TransactionClient(patient, Bootstrap.ofAddresses [ broker.Address ], "tx")
              transaction.InitProducerId(ms 10_000).Exchange.Result |> ok |> ignore
              names "RaiseEpoch" "Kafka 2.5" (faultOf (transaction.RaiseEpoch(ms 10_000)).Exchange.Result))

          testCase "for a field without an option of its own: its path and the version that has it" (fun () ->
              use broker = new ScriptedBroker(fun _ -> knowing ApiKey.Metadata 7 Script.unexpected)
              use connection = Connection.Open(patient, broker.Address) |> ok

              let request: Metadata.Request =
                  { Topics = Some []
                    AllowAutoTopicCreation = true
                    IncludeClusterAuthorizedOperations = false
                    IncludeTopicAuthorizedOperations = true }

              names
                  "MetadataRequest/IncludeTopicAuthorizedOperations"
                  "Metadata version 8"
                  (faultOf (connection.Call(Metadata.api, request)).Result)

              Expect.isTrue connection.IsOpen "the connection stays open")

          testCase "is not blamed for a version that the caller has chosen" (fun () ->
              use broker = new ScriptedBroker(fun _ -> script)
              use connection = Connection.Open(patient, broker.Address) |> ok

              let request: Metadata.Request =
                  { Topics = Some []
                    AllowAutoTopicCreation = true
                    IncludeClusterAuthorizedOperations = false
                    IncludeTopicAuthorizedOperations = true }

              Expect.isTrue (faultOf (connection.CallAt(7s, Metadata.api, request)).Result).IsCannotEncode "the field") ]

[<Tests>]
let tests = testList "connecting" [ versions; tooOld ]
