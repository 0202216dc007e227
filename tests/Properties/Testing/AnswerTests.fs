/// Answers of the test broker in all versions of a request.
module LibKafka.Properties.Testing.AnswerTests

open Expecto
open LibKafka
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Testing
open LibKafka.Properties.Testing.PureCluster

/// The answer, which the version can express.
let private answer (cluster: PureCluster) (version: int16) (request: Request) : Response =
    let response = cluster.Get(version, request)

    match Response.toJson version response with
    | Ok _ -> response
    | Error fault -> failtestf "version %d: %O" version fault

let private listOffsets: Request =
    Request.ListOffsets
        { ReplicaId = -1
          IsolationLevel = IsolationLevel.ReadUncommitted
          Topics =
            [ { Name = "t"
                Partitions = [ { PartitionIndex = 0; CurrentLeaderEpoch = -1; Spec = OffsetSpec.Latest; MaxNumOffsets = 1 } ] } ]
          TimeoutMs = 0 }

let private describeConfigs: Request =
    Request.DescribeConfigs
        { Resources = [ { ResourceType = ConfigResourceType.Topic; ResourceName = "t"; ConfigurationKeys = None } ]
          IncludeSynonyms = false
          IncludeDocumentation = false }

let private createTopics: Request =
    Request.CreateTopics
        { Topics = [ { Name = "new"; NumPartitions = -1; ReplicationFactor = -1s; Assignments = []; Configs = [] } ]
          TimeoutMs = 1000
          ValidateOnly = false }

[<Tests>]
let tests =
    testList
        "answers of the test broker"
        [ testCase "an offset has a leader epoch since version 4" (fun () ->
              for version in 1s .. 7s do
                  match answer (start State.settings 1 [ "t", 1 ]) version listOffsets with
                  | Response.ListOffsets { Topics = [ { Partitions = [ partition ] } ] } ->
                      Expect.equal partition.Offset 0L "the offset"
                      Expect.equal partition.LeaderEpoch (if version < 4s then -1 else 0) ("version " + string version)
                  | other -> failtest (Response.show other))

          testCase "a config has a source since version 1, and says before whether it is the default" (fun () ->
              let settings = { State.settings with Release = Release.parse "3.9" }

              for version in 0s .. 4s do
                  match answer (start settings 1 [ "t", 1 ]) version describeConfigs with
                  | Response.DescribeConfigs { Results = [ { Configs = configs } ] } ->
                      let policy = configs |> List.find (fun config -> config.Name = "cleanup.policy")
                      Expect.equal policy.IsDefault (version = 0s) ("version " + string version)
                      if version > 0s then
                          Expect.equal policy.Source ConfigSource.DefaultConfig "the source"
                  | other -> failtest (Response.show other))

          testCase "a topic is created with the broker's defaults, in every version since Kafka 2.4" (fun () ->
              for release, expected in [ "2.3", ErrorCode.InvalidPartitions; "2.4", ErrorCode.None; "3.9", ErrorCode.None ] do
                  let settings = { State.settings with Release = Release.parse release; DefaultPartitions = 3 }

                  for version in 0s .. 3s do
                      let cluster = start settings 1 []

                      match answer cluster version createTopics with
                      | Response.CreateTopics { Topics = [ topic ] } ->
                          Expect.equal topic.Error expected (release + ", version " + string version)
                          let found = cluster.State.Topics.TryFind "new" |> Option.map _.Partitions.Length
                          Expect.equal found (if expected = ErrorCode.None then Some 3 else None) "the partitions"
                      | other -> failtest (Response.show other))

          testCase "a broker describes the log directory with its own replicas, their sizes and lags" (fun () ->
              let cluster = start State.settings 3 []
              cluster.Change(fun state -> fst (Topics.create "t" 3 2 Map.empty state))
              let records = batch BatchOptions.standard [ "a"; "b" ]
              let produce () = Expect.equal (produced (cluster.Get(9s, produceRequest None "t" 0 records))).Error ErrorCode.None "a batch"
              // The replicas of partition 0 are on the brokers 1 and 2, those of 1 on 2 and 3, and those of 2 on 3 and 1.
              produce ()
              cluster.Change(Nodes.demote 2)
              produce ()

              let described (topics: DescribeLogDirs.TopicRequest list option) (node: int) =
                  match cluster.Ask(4s, Request.DescribeLogDirs { Topics = topics }, node) with
                  | Reply(Response.DescribeLogDirs { Error = code; Results = [ folder ] }) ->
                      Expect.equal (code, folder.Error) (ErrorCode.None, ErrorCode.None) "the codes"
                      [ for topic in folder.Topics do
                            for it in topic.Partitions -> topic.Name, it.PartitionIndex, it.PartitionSize, it.OffsetLag ]
                  | _ -> failtest "no description"

              let size = int64 records.Length
              Expect.equal (described None 1) [ "t", 0, 2L * size, 0L; "t", 2, 0L, 0L ] "all of broker 1"
              Expect.equal (described None 2) [ "t", 0, size, 2L; "t", 1, 0L, 0L ] "all of broker 2, which lags"
              Expect.equal (described None 3) [ "t", 1, 0L, 0L; "t", 2, 0L, 0L ] "all of broker 3"
              let asked (name: string) partitions : DescribeLogDirs.TopicRequest = { Topic = name; Partitions = partitions }
              Expect.equal (described (Some [ asked "t" [ 0; 1; 9 ]; asked "none" [ 0 ] ]) 1) [ "t", 0, 2L * size, 0L ] "what is asked for")

          testCase "log directories are described only to clients that may describe the cluster" (fun () ->
              let cluster = start State.settings 1 [ "t", 1 ]
              cluster.Change(fun state -> { state with Security = { state.Security with IsAuthorizing = true } })

              match answer cluster 4s (Request.DescribeLogDirs { Topics = None }) with
              | Response.DescribeLogDirs response ->
                  Expect.equal response.Error ErrorCode.ClusterAuthorizationFailed "the code"
                  Expect.isEmpty response.Results "the folders"
              | other -> failtest (Response.show other)) ]
