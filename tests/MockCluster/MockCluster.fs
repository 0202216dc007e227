namespace LibKafka.MockCluster

/// librdkafka, the C client whose in-process mock brokers are the foreign peer of the tests.
module NativeLibrary =

    /// Loads the library and asks it who it is.
    let version () : string = Confluent.Kafka.Library.VersionString
