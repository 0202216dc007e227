/// Configs of topics, groups, client metrics subscriptions, brokers and loggers in the test broker, without sockets.
module LibKafka.Properties.Testing.ConfigTests

open Expecto
open LibKafka
open LibKafka.Protocol
open LibKafka.Testing
open LibKafka.Properties.Testing.PureCluster

let private newCluster () = start State.settings 2 [ "t", 1 ]

let private change operation name value : IncrementalAlterConfigs.Config = { Name = name; ConfigOperation = operation; Value = value }

let private set' name value = change AlterConfigOperation.Set name (Some value)

let private delete name = change AlterConfigOperation.Delete name None

let private resource kind name configs : IncrementalAlterConfigs.Resource = { ResourceType = kind; ResourceName = name; Configs = configs }

let private alterAll (resources: IncrementalAlterConfigs.Resource list) (cluster: PureCluster) : (ErrorCode * string option) list =
    match cluster.Get(1s, Request.IncrementalAlterConfigs { Resources = resources; ValidateOnly = false }) with
    | Response.IncrementalAlterConfigs response -> [ for result in response.Results -> result.Error, result.ErrorMessage ]
    | other -> failtest (Response.show other)

let private alter kind name configs (cluster: PureCluster) : ErrorCode =
    alterAll [ resource kind name configs ] cluster |> List.exactlyOne |> fst

let private result kind name keys synonyms (cluster: PureCluster) : DescribeConfigs.Result =
    let request: DescribeConfigs.Request =
        { Resources = [ { ResourceType = kind; ResourceName = name; ConfigurationKeys = keys } ]
          IncludeSynonyms = synonyms
          IncludeDocumentation = false }

    match cluster.Get(4s, Request.DescribeConfigs request) with
    | Response.DescribeConfigs { Results = [ result ] } -> result
    | other -> failtest (Response.show other)

/// The values of a resource's configs, with their sources.
let private described kind name (cluster: PureCluster) : Map<string, string * ConfigSource> =
    let result = result kind name None false cluster
    Expect.equal result.Error ErrorCode.None "the description"
    Map.ofList [ for config in result.Configs -> config.Name, (config.Value.Value, config.Source) ]

let private heartbeat (group: string) (cluster: PureCluster) : ConsumerGroupHeartbeat.Response =
    let request: ConsumerGroupHeartbeat.Request =
        { GroupId = group
          MemberId = "m"
          MemberEpoch = 0
          InstanceId = None
          RackId = None
          RebalanceTimeoutMs = 60_000
          SubscribedTopicNames = Some [ "t" ]
          SubscribedTopicRegex = None
          ServerAssignor = None
          TopicPartitions = Some [] }

    match cluster.Get(1s, Request.ConsumerGroupHeartbeat request) with
    | Response.ConsumerGroupHeartbeat response -> response
    | other -> failtest (Response.show other)

/// A cluster of one broker, which coordinates every group.
let private single () = start State.settings 1 [ "t", 1 ]

let private groups =
    let kind = ConfigResourceType.Group

    [ testCase "a group has the broker's configs until its own are set" (fun () ->
          let cluster = newCluster ()
          let before = described kind "g" cluster
          Expect.equal before["consumer.session.timeout.ms"] ("45000", ConfigSource.DefaultConfig) "the default"
          Expect.equal (alter kind "g" [ set' "consumer.session.timeout.ms" "50000" ] cluster) ErrorCode.None "the change"
          let after = described kind "g" cluster
          Expect.equal after["consumer.session.timeout.ms"] ("50000", ConfigSource.DynamicGroupConfig) "its own"
          Expect.equal (after.Remove "consumer.session.timeout.ms") (before.Remove "consumer.session.timeout.ms") "the others"
          Expect.equal (described kind "other" cluster) before "another group"

          match (result kind "g" (Some [ "consumer.session.timeout.ms" ]) true cluster).Configs with
          | [ config ] ->
              Expect.equal config.Type ConfigType.Int "the type"

              Expect.equal
                  config.Synonyms
                  [ { Name = config.Name; Value = Some "50000"; Source = ConfigSource.DynamicGroupConfig } ]
                  "the synonyms"
          | other -> failtestf "%d configs" other.Length

          Expect.equal (alter kind "g" [ delete "consumer.session.timeout.ms" ] cluster) ErrorCode.None "the removal"
          Expect.equal (described kind "g" cluster) before "the default again")

      testCase "the members of a group have its heartbeat interval and session time-out" (fun () ->
          let cluster = single ()
          let configs = [ set' "consumer.heartbeat.interval.ms" "700"; set' "consumer.session.timeout.ms" "2000" ]
          Expect.equal (alter kind "g" configs cluster) ErrorCode.None "the change"
          Expect.equal (heartbeat "g" cluster).HeartbeatIntervalMs 700 "the interval"
          Expect.equal (heartbeat "other" cluster).HeartbeatIntervalMs 500 "of another group"
          cluster.Wait 1999
          Expect.equal (GroupControl.members "g" cluster.State) [ "m" ] "within the time-out"
          cluster.Wait 2
          Expect.equal (GroupControl.members "g" cluster.State) [] "after the time-out"
          Expect.equal (GroupControl.members "other" cluster.State) [ "m" ] "of another group")

      testCase "wrong configs of groups are refused" (fun () ->
          let cluster = newCluster ()

          for configs in
              [ [ set' "retention.ms" "1" ]
                [ set' "consumer.session.timeout.ms" "long" ]
                [ set' "consumer.session.timeout.ms" "0" ]
                [ set' "consumer.heartbeat.interval.ms" "45000" ]
                [ change AlterConfigOperation.Append "consumer.session.timeout.ms" (Some "1") ] ] do
              Expect.equal (alter kind "g" configs cluster) ErrorCode.InvalidConfig configs.Head.Name

          Expect.equal (alter kind "" [ set' "consumer.session.timeout.ms" "50000" ] cluster) ErrorCode.InvalidRequest "no name"
          Expect.equal (result kind "" None false cluster).Error ErrorCode.InvalidRequest "no name"
          Expect.isEmpty cluster.State.ResourceConfigs "nothing is changed") ]

let private metrics =
    let kind = ConfigResourceType.ClientMetrics

    let names (cluster: PureCluster) (version: int16) (kinds: ConfigResourceType list) =
        match cluster.Get(version, Request.ListConfigResources { ResourceTypes = kinds }) with
        | Response.ListConfigResources response -> response.Error, [ for it in response.Resources -> it.ResourceType, it.ResourceName ]
        | other -> failtest (Response.show other)

    [ testCase "a subscription to client metrics exists as long as it has a config" (fun () ->
          let cluster = newCluster ()
          let configs = [ set' "interval.ms" "5000"; set' "match" "client_software_name=apache-kafka-java" ]
          Expect.equal (alter kind "some" configs cluster) ErrorCode.None "the change"
          Expect.equal (alter kind "some" [ change AlterConfigOperation.Append "metrics" (Some "a,b") ] cluster) ErrorCode.None "a list"
          let found = described kind "some" cluster
          Expect.equal found["interval.ms"] ("5000", ConfigSource.DynamicClientMetricsConfig) "a config"
          Expect.equal (fst found["metrics"]) "a,b" "the list"
          Expect.equal (described kind "none" cluster) Map.empty "another one"
          Expect.equal (names cluster 0s []) (ErrorCode.None, [ kind, "some" ]) "the list of all"
          let removed = [ for name in [ "interval.ms"; "match"; "metrics" ] -> delete name ]
          Expect.equal (alter kind "some" removed cluster) ErrorCode.None "the removal"
          Expect.equal (names cluster 0s []) (ErrorCode.None, []) "there is none any more")

      testCase "the resources of each type are listed" (fun () ->
          let cluster = newCluster ()
          alter ConfigResourceType.Group "g" [ set' "consumer.session.timeout.ms" "50000" ] cluster |> ignore
          let group = ConfigResourceType.Group, "g"
          Expect.equal (names cluster 1s [ ConfigResourceType.Group ]) (ErrorCode.None, [ group ]) "groups"
          let brokers = [ for id in 1..2 -> ConfigResourceType.Broker, string id ]
          let loggers = [ for id in 1..2 -> ConfigResourceType.BrokerLogger, string id ]
          Expect.equal (names cluster 1s []) (ErrorCode.None, (ConfigResourceType.Topic, "t") :: brokers @ loggers @ [ group ]) "all"
          Expect.equal (names cluster 1s [ ConfigResourceType.Unknown ]) (ErrorCode.UnsupportedVersion, []) "another type")

      testCase "wrong subscriptions to client metrics are refused" (fun () ->
          let cluster = newCluster ()

          for config, code in
              [ set' "retention.ms" "1", ErrorCode.InvalidRequest
                set' "interval.ms" "99", ErrorCode.InvalidRequest
                set' "interval.ms" "3600001", ErrorCode.InvalidRequest
                set' "interval.ms" "often", ErrorCode.InvalidConfig
                set' "match" "name=a", ErrorCode.InvalidConfig
                set' "match" "client_id", ErrorCode.InvalidConfig ] do
              Expect.equal (alter kind "some" [ config ] cluster) code (config.Name + " " + config.Value.Value)

          Expect.isEmpty cluster.State.ResourceConfigs "nothing is changed") ]

let private loggers =
    let kind = ConfigResourceType.BrokerLogger

    [ testCase "the levels of a broker's loggers are described and set" (fun () ->
          let cluster = newCluster ()
          let levels () = described kind "1" cluster |> Map.map (fun _ -> fst)
          let before = levels ()
          Expect.equal (before["root"], before["kafka.request.logger"]) ("INFO", "WARN") "the levels"
          Expect.equal (alter kind "1" [ set' "kafka" "TRACE"; set' "root" "ERROR" ] cluster) ErrorCode.None "the change"
          Expect.equal (levels ()) (before.Add("kafka", "TRACE").Add("root", "ERROR")) "the new levels"
          Expect.equal (alter kind "1" [ delete "kafka" ] cluster) ErrorCode.None "the removal"
          Expect.equal (levels ()) (before.Add("root", "ERROR")) "the level again"

          for config, code in
              [ set' "kafka" "LOUD", ErrorCode.InvalidConfig
                set' "no.such" "INFO", ErrorCode.InvalidConfig
                delete "root", ErrorCode.InvalidRequest
                change AlterConfigOperation.Append "kafka" (Some "INFO"), ErrorCode.InvalidRequest ] do
              Expect.equal (alter kind "1" [ config ] cluster) code config.Name

          Expect.equal (alter kind "2" [ set' "kafka" "INFO" ] cluster) ErrorCode.InvalidRequest "of another broker"
          Expect.equal (result kind "2" None false cluster).Error ErrorCode.InvalidRequest "of another broker"
          Expect.equal (result kind "" None false cluster).Error ErrorCode.InvalidRequest "of no broker")

      testCase "configs of a broker are kept, and its own come before those of all brokers" (fun () ->
          let cluster = newCluster ()
          let kind = ConfigResourceType.Broker
          Expect.equal (alter kind "" [ set' "log.cleaner.threads" "2"; set' "num.io.threads" "3" ] cluster) ErrorCode.None "of all"
          Expect.equal (alter kind "1" [ set' "log.cleaner.threads" "4" ] cluster) ErrorCode.None "of one"
          let own = described kind "1" cluster
          Expect.equal own["log.cleaner.threads"] ("4", ConfigSource.DynamicBrokerConfig) "its own"
          Expect.equal own["num.io.threads"] ("3", ConfigSource.DynamicDefaultBrokerConfig) "of all"
          Expect.equal own["broker.id"] ("1", ConfigSource.StaticBrokerConfig) "of the file"
          Expect.equal (described kind "" cluster).Count 2 "of all brokers"
          Expect.equal (alter kind "2" [ set' "log.cleaner.threads" "4" ] cluster) ErrorCode.InvalidRequest "of another broker") ]

let private requests =
    [ testCase "a resource comes once in a request, and each of its configs once and with a value" (fun () ->
          let cluster = newCluster ()
          let topic configs = resource ConfigResourceType.Topic "t" configs
          let invalid (text: string) = ErrorCode.InvalidRequest, Some text
          let retention = set' "retention.ms" "1000"
          let twice = invalid "Each resource must appear at most once."
          Expect.equal (alterAll [ topic [ retention ]; topic [ retention ] ] cluster) [ twice; twice ] "a resource"
          let duplicate = invalid "Error due to duplicate config keys"
          Expect.equal (alterAll [ topic [ retention; retention ] ] cluster) [ duplicate ] "a config"
          let unset = topic [ change AlterConfigOperation.Set "retention.ms" None ]
          Expect.equal (alterAll [ unset ] cluster) [ invalid "Null value not supported for : retention.ms" ] "no value"
          let append = change AlterConfigOperation.Append "retention.ms" (Some "1")
          let notList = ErrorCode.InvalidConfig, Some "Can't APPEND to key retention.ms because its type is not LIST."
          Expect.equal (alterAll [ topic [ append ] ] cluster) [ notList ] "no list"
          Expect.isTrue cluster.State.Topics["t"].Configs.IsEmpty "nothing is changed"
          let both = [ topic [ retention ]; resource ConfigResourceType.Group "g" [ set' "no.such" "1" ] ]
          Expect.equal (alterAll both cluster |> List.map fst) [ ErrorCode.None; ErrorCode.InvalidConfig ] "one of two"
          Expect.equal (cluster.State.Topics["t"].Configs.TryFind "retention.ms") (Some "1000") "the good one")

      testCase "types of resources are unknown to releases before them" (fun () ->
          for release, kind, isKnown in
              [ "2.3", ConfigResourceType.BrokerLogger, false
                "2.4", ConfigResourceType.BrokerLogger, true
                "3.6", ConfigResourceType.ClientMetrics, false
                "3.7", ConfigResourceType.ClientMetrics, true
                "3.6", ConfigResourceType.Group, false
                "4.0", ConfigResourceType.Group, true ] do
              let cluster = start { State.settings with Release = Release.parse release } 1 []

              let request: DescribeConfigs.Request =
                  { Resources = [ { ResourceType = kind; ResourceName = "1"; ConfigurationKeys = None } ]
                    IncludeSynonyms = false
                    IncludeDocumentation = false }

              match cluster.Get(2s, Request.DescribeConfigs request) with
              | Response.DescribeConfigs { Results = [ result ] } ->
                  Expect.equal result.Error (if isKnown then ErrorCode.None else ErrorCode.InvalidRequest) (release + " " + string kind)
              | other -> failtest (Response.show other))

      testCase "only clients that may alter and describe configs do" (fun () ->
          let cluster = newCluster ()
          cluster.Change(fun state -> { state with Security = { state.Security with IsAuthorizing = true } })

          for kind, name, code in
              [ ConfigResourceType.Topic, "t", ErrorCode.TopicAuthorizationFailed
                ConfigResourceType.Group, "g", ErrorCode.GroupAuthorizationFailed
                ConfigResourceType.ClientMetrics, "some", ErrorCode.ClusterAuthorizationFailed
                ConfigResourceType.Broker, "1", ErrorCode.ClusterAuthorizationFailed
                ConfigResourceType.BrokerLogger, "1", ErrorCode.ClusterAuthorizationFailed ] do
              Expect.equal (alter kind name [] cluster) code (string kind)
              Expect.equal (result kind name None false cluster).Error code (string kind)) ]

[<Tests>]
let tests =
    testList
        "configs of the test broker"
        [ testList "groups" groups
          testList "client metrics" metrics
          testList "brokers" loggers
          testList "requests" requests ]
