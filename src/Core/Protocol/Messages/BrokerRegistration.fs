namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// BrokerRegistration (API key 62): registers a broker when it starts (KIP-631). Brokers send it to the controller.
module BrokerRegistration =

    type Request =
        {
            BrokerId: int32
            /// The cluster id that the broker expects.
            ClusterId: string
            /// A new random id for each start of the broker process.
            IncarnationId: Guid
            /// Each listener name only once.
            Listeners: RegisteredListener list
            /// Each feature name only once. The minimum level can be 0 since version 4; earlier versions omit such a feature.
            Features: RegisteredFeature list
            /// The broker's rack; null if it has none.
            Rack: string option
            /// Whether the broker still uses ZooKeeper and is migrating to KRaft. Since version 1 (KIP-866).
            IsMigratingZkBroker: bool
            /// The ids of the usable log directories. Since version 2 (KIP-858).
            LogDirs: Guid list
            /// The epoch of the registration before the last clean shutdown; -1 if there was none, in which case the broker may have lost
            /// records. Since version 3 (KIP-966).
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
            /// How long the sender is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// DUPLICATE_BROKER_REGISTRATION if another live process has this id; INCONSISTENT_CLUSTER_ID; UNSUPPORTED_VERSION if the
            /// broker does not support a feature level of the cluster; INVALID_REGISTRATION; NOT_CONTROLLER if another node is the active
            /// controller; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// The epoch of the registration, which the broker sends with each later request; -1 on error.
            BrokerEpoch: int64
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! epoch = field "BrokerEpoch" _.BrokerEpoch (int64 |> withDefault -1L)

        return { ThrottleTimeMs = throttle; Error = error; BrokerEpoch = epoch }
    }

    let api =
        Api.define ApiKey.BrokerRegistration (versions 0 4 |> flexibleFrom 0) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
