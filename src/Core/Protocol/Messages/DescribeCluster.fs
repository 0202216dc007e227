namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeCluster (API key 60): lists the brokers of the cluster, or its controllers (KIP-700, KIP-919). Send it to any broker to list
/// brokers, to any controller to list controllers.
module DescribeCluster =

    type Request =
        {
            /// Whether the response includes the operations that the client is authorized for on the cluster (KIP-430).
            IncludeClusterAuthorizedOperations: bool
            /// The kind of nodes to list. Since version 1 (KIP-919).
            EndpointType: EndpointType
            /// Whether fenced brokers are listed too: registered, but not alive or not ready. Since version 2 (KIP-1073).
            IncludeFencedBrokers: bool
        }

    let request = message {
        let! operations = field "IncludeClusterAuthorizedOperations" _.IncludeClusterAuthorizedOperations bool
        and! kind = field "EndpointType" _.EndpointType (endpointType |> since 1s EndpointType.Broker)
        and! fenced = field "IncludeFencedBrokers" _.IncludeFencedBrokers (bool |> since 2s false)

        return { IncludeClusterAuthorizedOperations = operations; EndpointType = kind; IncludeFencedBrokers = fenced }
    }

    /// A broker, or a controller if controllers were requested.
    type Broker =
        {
            BrokerId: int32
            Host: string
            Port: int32
            /// Null if it has none.
            Rack: string option
            /// Whether the broker is registered, but not alive or not ready. Since version 2 (KIP-1073).
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
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// MISMATCHED_ENDPOINT_TYPE if a broker was asked for controllers, or a controller for brokers; UNSUPPORTED_ENDPOINT_TYPE.
            Error: ErrorCode
            /// The node's description of the error; null if it gives none.
            ErrorMessage: string option
            /// The kind of nodes that are listed. Since version 1 (KIP-919).
            EndpointType: EndpointType
            ClusterId: string
            /// The node for administrative requests; -1 if unknown. In a KRaft cluster a controller returns the leader of the quorum, and
            /// a broker returns any broker, which forwards the requests.
            ControllerId: int32
            Brokers: Broker list
            /// The operations that the client is authorized for on the cluster, if requested.
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

    let api =
        Api.define ApiKey.DescribeCluster (versions 0 2 |> flexibleFrom 0) request response |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Broker with
        override this.ToString() = Schema.show broker this
    type Response with
        override this.ToString() = Message.show api.Response this
