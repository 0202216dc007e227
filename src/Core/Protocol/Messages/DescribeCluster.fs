namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeCluster (API key 60): the brokers of the cluster, or its controllers (KIP-700, KIP-919). Any broker tells of the brokers, any
/// controller of the controllers.
module DescribeCluster =

    type Request =
        {
            /// Whether to tell what the client may do with the cluster (KIP-430).
            IncludeClusterAuthorizedOperations: bool
            /// Which nodes are asked for (KIP-919).
            EndpointType: EndpointType
            /// Whether to tell also of brokers that are fenced: known, but not alive or not ready (KIP-1073).
            IncludeFencedBrokers: bool
        }

    let request = message {
        let! operations = field "IncludeClusterAuthorizedOperations" _.IncludeClusterAuthorizedOperations bool
        and! kind = field "EndpointType" _.EndpointType (endpointType |> since 1s EndpointType.Broker)
        and! fenced = field "IncludeFencedBrokers" _.IncludeFencedBrokers (bool |> since 2s false)

        return { IncludeClusterAuthorizedOperations = operations; EndpointType = kind; IncludeFencedBrokers = fenced }
    }

    /// A broker, or a controller where those were asked for.
    type Broker =
        {
            BrokerId: int32
            Host: string
            Port: int32
            /// Null where it has none.
            Rack: string option
            IsFenced: bool
        }

    let broker = message {
        let! id = field "BrokerId" _.BrokerId int32
        and! host = field "Host" _.Host string
        and! port = field "Port" _.Port int32
        and! rack = field "Rack" _.Rack (string |> nullable |> withDefault None)
        and! fenced = field "IsFenced" _.IsFenced (bool |> since 2s false)

        return { BrokerId = id; Host = host; Port = port; Rack = rack; IsFenced = fenced }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// MISMATCHED_ENDPOINT_TYPE when a broker was asked for controllers, or a controller for brokers; UNSUPPORTED_ENDPOINT_TYPE.
            Error: ErrorCode
            /// What the node says of the error; null where it says nothing.
            ErrorMessage: string option
            /// Which nodes are told of.
            EndpointType: EndpointType
            ClusterId: string
            /// The node to send administrative requests to; -1 where it is not known. In a KRaft cluster a controller names the leader of
            /// the quorum, a broker just some broker, which passes them on.
            ControllerId: int32
            Brokers: Broker list
            /// What the client may do with the cluster, where it was asked.
            ClusterAuthorizedOperations: AuthorizedOperations
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)
        and! kind = field "EndpointType" _.EndpointType (endpointType |> since 1s EndpointType.Broker)
        and! cluster = field "ClusterId" _.ClusterId string
        and! controller = field "ControllerId" _.ControllerId (int32 |> withDefault -1)
        and! brokers = field "Brokers" _.Brokers (array broker)
        and! operations =
            field
                "ClusterAuthorizedOperations"
                _.ClusterAuthorizedOperations
                (authorizedOperations |> withDefault AuthorizedOperations.NotAsked)

        return
            { ThrottleTimeMs = throttle
              Error = error
              ErrorMessage = text
              EndpointType = kind
              ClusterId = cluster
              ControllerId = controller
              Brokers = brokers
              ClusterAuthorizedOperations = operations }
    }

    let api = Api.define ApiKey.DescribeCluster 0s 2s (Some 0s) request response
