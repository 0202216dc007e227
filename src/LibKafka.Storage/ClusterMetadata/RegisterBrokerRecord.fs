namespace LibKafka.Storage

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol

/// RegisterBrokerRecord (type 0 of the metadata log): a broker has registered (KIP-631).
module RegisterBrokerRecord =

    type Value =
        {
            /// The node id of the broker.
            BrokerId: int32
            /// Whether the broker uses ZooKeeper and is migrating to KRaft. Since version 2.
            IsMigratingZkBroker: bool
            /// A random id of the process.
            IncarnationId: Guid
            /// The epoch of the registration.
            BrokerEpoch: int64
            /// The listeners of the broker.
            EndPoints: RegisteredListener list
            /// The features that the broker supports.
            Features: RegisteredFeature list
            /// The rack of the broker; null if it has none.
            Rack: string option
            /// Whether the broker is fenced: it leads no partition and is in no ISR.
            Fenced: bool
            /// Whether the broker is shutting down. Since version 1.
            InControlledShutdown: bool
            /// The ids of the usable log directories. Since version 3.
            LogDirs: Guid list
            /// The ids of the log directories that take no new replicas; null if unknown. Since version 4.
            CordonedLogDirs: Guid list option
        }

    let schema = message {
        let! brokerId = field "BrokerId" _.BrokerId int32
        and! isMigratingZkBroker = field "IsMigratingZkBroker" _.IsMigratingZkBroker (bool |> since 2s false)
        and! incarnationId = field "IncarnationId" _.IncarnationId uuid
        and! brokerEpoch = field "BrokerEpoch" _.BrokerEpoch int64
        and! endPoints = field "EndPoints" _.EndPoints (array RegisteredListener.schema)
        and! features = field "Features" _.Features (array RegisteredFeature.schema)
        and! rack = field "Rack" _.Rack (string |> nullable)
        and! fenced = field "Fenced" _.Fenced (bool |> withDefault true)
        and! inControlledShutdown = field "InControlledShutdown" _.InControlledShutdown (bool |> since 1s false)
        and! logDirs = field "LogDirs" _.LogDirs (array uuid |> since 3s [] |> tagged 0)
        and! cordonedLogDirs = field "CordonedLogDirs" _.CordonedLogDirs (array uuid |> nullable |> since 4s None |> tagged 1)

        return
            { BrokerId = brokerId
              IsMigratingZkBroker = isMigratingZkBroker
              IncarnationId = incarnationId
              BrokerEpoch = brokerEpoch
              EndPoints = endPoints
              Features = features
              Rack = rack
              Fenced = fenced
              InControlledShutdown = inControlledShutdown
              LogDirs = logDirs
              CordonedLogDirs = cordonedLogDirs }
    }

    let message: Message<Value> = Message.define "RegisterBrokerRecord" (versions 0 4 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
