namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// BrokerRegistration (API key 62): a broker makes itself known when it starts (KIP-631). It goes from the broker to the controller.
module BrokerRegistration =

    type Request =
        {
            BrokerId: int32
            /// The cluster that the broker means.
            ClusterId: string
            /// Made anew each time the broker process starts.
            IncarnationId: Guid
            /// Each name only once.
            Listeners: RegisteredListener list
            /// Each name only once. The lowest level can be 0 from version 4 on; in earlier versions such a feature is left out.
            Features: RegisteredFeature list
            /// Null where the broker has none.
            Rack: string option
            /// Whether the broker still runs with ZooKeeper, on its way to KRaft (KIP-866).
            IsMigratingZkBroker: bool
            /// The log directories that work (KIP-858).
            LogDirs: Guid list
            /// The epoch of the registration that ended with a clean shutdown (KIP-966); -1 where there is none. A broker that cannot say
            /// it may have lost records.
            PreviousBrokerEpoch: int64
        }

    let request = message {
        let! broker = field "BrokerId" _.BrokerId int32
        and! cluster = field "ClusterId" _.ClusterId string
        and! incarnation = field "IncarnationId" _.IncarnationId uuid
        and! listeners = field "Listeners" _.Listeners (array RegisteredListener.schema)
        and! features = field "Features" _.Features (array RegisteredFeature.schema)
        and! rack = field "Rack" _.Rack (string |> nullable)
        and! migrating = field "IsMigratingZkBroker" _.IsMigratingZkBroker (bool |> since 1s false)
        and! directories = field "LogDirs" _.LogDirs (array uuid |> since 2s [] |> ignorable)
        and! previousEpoch = field "PreviousBrokerEpoch" _.PreviousBrokerEpoch (int64 |> since 3s -1L |> ignorable)

        return
            { BrokerId = broker
              ClusterId = cluster
              IncarnationId = incarnation
              Listeners = listeners
              Features = features
              Rack = rack
              IsMigratingZkBroker = migrating
              LogDirs = directories
              PreviousBrokerEpoch = previousEpoch }
    }

    type Response =
        {
            /// How long the broker is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// DUPLICATE_BROKER_REGISTRATION while another process with this id is alive; INCONSISTENT_CLUSTER_ID; UNSUPPORTED_VERSION
            /// when the broker does not support a feature level of the cluster; INVALID_REGISTRATION; NOT_CONTROLLER when to ask
            /// elsewhere; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// The epoch of the registration, to be sent with each later request; -1 on error.
            BrokerEpoch: int64
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! epoch = field "BrokerEpoch" _.BrokerEpoch (int64 |> withDefault -1L)

        return { ThrottleTimeMs = throttle; Error = error; BrokerEpoch = epoch }
    }

    let api = Api.define ApiKey.BrokerRegistration 0s 4s (Some 0s) request response
