/// The options of the façade.
module LibKafka.Integration.FacadeOptionsTests

open System
open Expecto
open LibKafka
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Integration.FacadeSupport

let private outOfRange (name: string) (make: unit -> obj) = Expect.throwsT<ArgumentOutOfRangeException> (make >> ignore) name

let private options =
    testList
        "options"
        [ testCase "addresses are parsed and written" (fun () ->
              let address = BrokerAddress.Parse "kafka-1:9092"
              Expect.equal (address.Host, address.Port) ("kafka-1", 9092) "read"
              Expect.equal (address.ToString()) "kafka-1:9092" "written"
              Expect.equal (BrokerAddress.Parse("[::1]:1").ToString()) "[::1]:1" "IPv6"
              let list = BrokerAddress.ParseList "a:1,b:2"
              Expect.equal (List.ofSeq list) [ BrokerAddress("a", 1); BrokerAddress("b", 2) ] "a list"
              Expect.equal (BrokerAddress.TryParse "a:1") (true, BrokerAddress("a", 1)) "tried"

              for bad in [ ""; "a:"; ":1"; "a:0"; "a:70000" ] do
                  Expect.throwsT<FormatException> (fun () -> BrokerAddress.Parse bad |> ignore) bad
                  Expect.throwsT<FormatException> (fun () -> BrokerAddress.ParseList bad |> ignore) bad
                  Expect.throwsT<FormatException> (fun () -> KafkaClientOptions bad |> ignore) bad
                  Expect.isFalse (fst (BrokerAddress.TryParse bad)) bad

              Expect.equal
                  (Unchecked.defaultof<BrokerAddress>.ToString(), Unchecked.defaultof<TopicPartition>.ToString())
                  (":0", "-0")
                  "nothing")

          testCase "the defaults are those of the core" (fun () ->
              let client, core = KafkaClientOptions "a:1", Client.ClientSettings.standard
              Expect.equal client.ClientId core.ClientId "client id"
              Expect.equal (client.ConnectTimeout, client.CallTimeout) (core.ConnectTimeout, core.CallTimeout) "time-outs"
              Expect.equal (client.ConnectionTtl, client.MaxIdle) (core.ConnectionTtl, core.MaxIdle) "ages"
              Expect.equal (client.HeedThrottle, client.TimeProvider) (core.HeedThrottle, core.Time) "the rest"
              Expect.isTrue (isNull client.Tls && isNull client.Sasl && isNull client.HostLookUp) "no security"
              Expect.equal client.MaxFrameBytes core.Limits.MaxFrameBytes "largest answer"
              Expect.equal client.MaxDecodedBytes core.Limits.MaxDecodedBytes "memory of an answer"
              let producer, core = ProducerOptions(), Client.ProducerSettings.standard
              Expect.equal
                  (producer.Acks, producer.AckTimeout, producer.MaxBatchBytes)
                  (core.Acks, core.AckTimeout, core.MaxBatchBytes)
                  "producer"
              let fetcher, core = FetcherOptions(), Client.FetcherSettings.standard
              Expect.equal (fetcher.MaxWait, fetcher.MinBytes, fetcher.MaxBytes) (core.MaxWait, core.MinBytes, core.MaxBytes) "fetcher"
              Expect.equal fetcher.IsolationLevel core.IsolationLevel "isolation"
              Expect.equal (fetcher.ReplicaTime, fetcher.UseSession) (core.ReplicaTime, core.UseSession) "replica and session"
              Expect.isNull fetcher.RackId "no rack"
              let reading, core = RecordReadOptions.Default, Limits.standard
              Expect.equal (reading.MaxRecords, reading.MaxDecompressedBytes) (core.MaxRecords, core.MaxDecompressedBytes) "reading")

          testCase "options are immutable, even if the lists that they were made from change" (fun () ->
              let brokers = [| BrokerAddress("a", 1) |]
              let client = KafkaClientOptions(brokers :> seq<BrokerAddress>)
              let codecs = [| gzip |]
              let reading = RecordReadOptions(Codecs = codecs)
              let settings = Collections.Generic.Dictionary(dict [ "cleanup.policy", "compact" ])
              let topic = NewTopic("t", Configs = settings)
              brokers[0] <- BrokerAddress("b", 2)
              codecs[0] <- Unchecked.defaultof<_>
              settings["cleanup.policy"] <- "delete"
              Expect.equal (List.ofSeq client.BootstrapServers) [ BrokerAddress("a", 1) ] "brokers"
              Expect.equal (List.ofSeq reading.Codecs) [ gzip ] "codecs"
              Expect.equal topic.Configs["cleanup.policy"] "compact" "settings of a topic"

              for options in
                  [ typeof<KafkaClientOptions>
                    typeof<ProducerOptions>
                    typeof<FetcherOptions>
                    typeof<RecordReadOptions>
                    typeof<RecordBatchOptions>
                    typeof<NewTopic>
                    typeof<BearerToken>
                    typeof<JoinOptions>
                    typeof<ConsumerSubscription>
                    typeof<ConsumerGroupSubscription>
                    typeof<RetryPolicy<FetchResult>>
                    typeof<BatchCollectorOptions>
                    typeof<TopicProducerOptions>
                    typeof<TopicConsumerOptions>
                    typeof<GroupConsumerOptions>
                    typeof<ExactlyOnceOptions>
                    typeof<GroupMembership>
                    typeof<NewPartitions>
                    typeof<ConfigEntry>
                    typeof<AclBinding>
                    typeof<AclBindingFilter> ] do
                  for property in options.GetProperties() do
                      match property.SetMethod with
                      | null -> ()
                      | set ->
                          let modifiers = set.ReturnParameter.GetRequiredCustomModifiers() |> Array.map _.Name
                          Expect.contains modifiers "IsExternalInit" (options.Name + "." + property.Name + " is set once"))

          testCase "options are compared by content" (fun () ->
              Expect.equal (KafkaClientOptions("a:1,b:2", ClientId = "x")) (KafkaClientOptions("a:1,b:2", ClientId = "x")) "client"
              Expect.notEqual (KafkaClientOptions "a:1,b:2") (KafkaClientOptions "a:1,b:3") "other brokers"
              Expect.equal (RecordReadOptions(Codecs = [| gzip |])) withGzip "reading"
              Expect.equal (withGzip.GetHashCode()) (RecordReadOptions(Codecs = [| gzip |]).GetHashCode()) "hash code"
              Expect.notEqual (RecordReadOptions()) withGzip "other codecs"
              let topic () = NewTopic("t", 3, 1s, Configs = readOnlyDict [ "a", "b" ])
              Expect.equal (topic ()) (topic ()) "topic"
              Expect.notEqual (topic ()) (NewTopic("t", 3, 1s)) "other settings"
              Expect.equal (TopicPartition("t", 1)) (TopicPartition("t", 1)) "partition"
              Expect.stringContains (KafkaClientOptions("a:1,b:2").ToString()) "[a:1, b:2]" "text")

          testCase "the text of a config hides the value of a secret" (fun () ->
              let resource = ConfigResource.Topic "t"
              let secret = "open sesame"

              let texts =
                  [ ConfigChange.Set(resource, "listener.name.a.sasl.jaas.config", secret).ToString()
                    ConfigEntry(Name = "ssl.key.password", Value = secret).ToString()
                    ConfigEntry(Name = "x", Value = secret, IsSensitive = true).ToString()
                    ConfigEntry(Name = "x", Value = secret, Type = ConfigType.Password).ToString()
                    ConfigEntry(Name = "x", Synonyms = [| ConfigSynonym("ssl.key.password", secret, ConfigSource.StaticBrokerConfig) |])
                        .ToString()
                    NewTopic("t", Configs = readOnlyDict [ "x.password", secret ]).ToString() ]

              for text in texts do
                  Expect.isFalse (text.Contains secret) text
                  Expect.stringContains text "[secret]" text

              Expect.equal
                  (ConfigChange.Set(resource, "a", "b").ToString())
                  "ConfigChange { Resource = Topic t, Name = a, Operation = Set, Value = b }"
                  "another change"

              Expect.equal
                  (NewTopic("t", 3, 1s, Configs = readOnlyDict [ "a", "b" ]).ToString())
                  "NewTopic { Name = t, Partitions = 3, ReplicationFactor = 1, Configs = [a=b] }"
                  "a topic"

              Expect.equal
                  (ConfigEntry(Name = "a", Value = "b").ToString())
                  ("ConfigEntry { Name = a, Value = b, IsReadOnly = False, IsSensitive = False, Source = Unknown, Type = Unknown, "
                   + "Documentation = , Synonyms = [] }")
                  "a config")

          testCase "the text of options has every option, and no limit for an infinite time" (fun () ->
              let endless = Threading.Timeout.InfiniteTimeSpan

              let all: obj list =
                  [ KafkaClientOptions "a:1"
                    CallOptions()
                    RetryPolicy<KafkaResult>(fun _ -> false)
                    FetcherOptions()
                    ProducerOptions()
                    BatchCollectorOptions()
                    TopicProducerOptions()
                    TopicConsumerOptions()
                    GroupConsumerOptions("g", [ "t" ]) ]

              // The times that may be infinite.
              let infinite =
                  [ for options in all do
                        for property in options.GetType().GetProperties() do
                            let shape = property.PropertyType

                            if property.CanWrite && (shape = typeof<TimeSpan> || shape = typeof<Nullable<TimeSpan>>) then
                                let isSet =
                                    try
                                        property.SetValue(options, endless)
                                        true
                                    with :? Reflection.TargetInvocationException ->
                                        false

                                if isSet then property.Name ]

              Expect.containsAll
                  infinite
                  [ "CallTimeout"; "ConnectionTtl"; "Timeout"; "TimeLimit"; "Linger"; "MetadataAge" ]
                  "infinite times"

              for name in infinite do
                  Expect.exists all (fun options -> (string options).Contains(name + " = no limit")) name

              for options in all do
                  let text = string options
                  Expect.isFalse (text.Contains "-00:00:00.001") text

                  for property in options.GetType().GetProperties(Reflection.BindingFlags.Instance ||| Reflection.BindingFlags.Public) do
                      Expect.stringContains text (property.Name + " = ") "an option")

          testCase "invalid options are refused when they are set" (fun () ->
              let long = TimeSpan.FromDays 30.0
              outOfRange "connect time" (fun () -> KafkaClientOptions("a:1", ConnectTimeout = TimeSpan.Zero))
              outOfRange "connect time" (fun () -> KafkaClientOptions("a:1", ConnectTimeout = long))
              outOfRange "call time" (fun () -> KafkaClientOptions("a:1", CallTimeout = -second))
              outOfRange "age" (fun () -> KafkaClientOptions("a:1", ConnectionTtl = TimeSpan.Zero))
              outOfRange "idle time" (fun () -> KafkaClientOptions("a:1", MaxIdle = -second))
              outOfRange "largest batch" (fun () -> ProducerOptions(MaxBatchBytes = 0))
              outOfRange "time at a replica" (fun () -> FetcherOptions(ReplicaTime = -second))
              outOfRange "largest answer" (fun () -> KafkaClientOptions("a:1", MaxFrameBytes = 0))
              outOfRange "memory of an answer" (fun () -> KafkaClientOptions("a:1", MaxDecodedBytes = 0L))
              outOfRange "ack time" (fun () -> ProducerOptions(AckTimeout = -second))
              outOfRange "wait" (fun () -> FetcherOptions(MaxWait = long))
              outOfRange "least bytes" (fun () -> FetcherOptions(MinBytes = -1))
              outOfRange "most bytes" (fun () -> FetcherOptions(MaxBytes = 0))
              outOfRange "decompressed" (fun () -> RecordReadOptions(MaxDecompressedBytes = -1))
              outOfRange "records" (fun () -> RecordReadOptions(MaxRecords = -1))
              outOfRange "base offset" (fun () -> RecordBatchOptions(BaseOffset = -1L))
              outOfRange "base offset" (fun () -> RecordBatchOptions(BaseOffset = Int64.MaxValue))
              outOfRange "batch size" (fun () -> RecordBatchBuilder(maxBytes = 0))
              outOfRange "partition" (fun () -> new PartitionClient(KafkaClientOptions "a:1", TopicPartition("t", -1)))
              Expect.throwsT<ArgumentException>
                  (fun () -> new PartitionClient(KafkaClientOptions "a:1", TopicPartition("", 0)) |> ignore)
                  "topic"
              Expect.throwsT<ArgumentException> (fun () -> KafkaClientOptions([]: BrokerAddress list) |> ignore) "no broker"
              use fetcher = new PartitionFetcher(KafkaClientOptions "a:1", TopicPartition("t", 0))
              Expect.throwsT<ArgumentOutOfRangeException> (fun () -> fetcher.Offset <- -1L) "offset") ]

[<Tests>]
let tests = testList "façade" [ options ]
