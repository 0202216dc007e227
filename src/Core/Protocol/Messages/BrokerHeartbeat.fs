namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// BrokerHeartbeat (API key 63): a broker says that it lives and what it wants, and is told what it may do (KIP-631). It goes from the
/// broker to the controller. A broker that stays silent is fenced: it leads nothing and clients are not shown it.
module BrokerHeartbeat =

    type Request =
        {
            BrokerId: int32
            /// The epoch of the broker's registration.
            BrokerEpoch: int64
            /// How far the broker has come in the metadata log.
            CurrentMetadataOffset: int64
            /// Whether the broker wants to be fenced, as it does until it is ready for clients.
            WantFence: bool
            /// Whether the broker wants to shut down. The controller then moves leaders away from it.
            WantShutDown: bool
            /// The log directories that have failed (KIP-858).
            OfflineLogDirs: Guid list
            /// The log directories that are to get no new partitions (KIP-1066); null where it is not told.
            CordonedLogDirs: Guid list option
        }

    let request = message {
        let! broker = field "BrokerId" _.BrokerId int32
        and! epoch = field "BrokerEpoch" _.BrokerEpoch (int64 |> withDefault -1L)
        and! offset = field "CurrentMetadataOffset" _.CurrentMetadataOffset int64
        and! fence = field "WantFence" _.WantFence bool
        and! shutDown = field "WantShutDown" _.WantShutDown bool
        and! offline = field "OfflineLogDirs" _.OfflineLogDirs (array uuid |> since 1s [] |> tagged 0)
        and! cordoned = field "CordonedLogDirs" _.CordonedLogDirs (array uuid |> nullable |> since 2s None |> tagged 1)

        return
            { BrokerId = broker
              BrokerEpoch = epoch
              CurrentMetadataOffset = offset
              WantFence = fence
              WantShutDown = shutDown
              OfflineLogDirs = offline
              CordonedLogDirs = cordoned }
    }

    type Response =
        {
            /// How long the broker is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// STALE_BROKER_EPOCH when the broker is not registered, or has registered anew since; NOT_CONTROLLER when to ask elsewhere;
            /// CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// Whether the broker has come as far in the metadata log as its own registration.
            IsCaughtUp: bool
            IsFenced: bool
            /// Whether the broker can go now: it leads nothing any more, and the others know.
            ShouldShutDown: bool
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! caughtUp = field "IsCaughtUp" _.IsCaughtUp bool
        and! fenced = field "IsFenced" _.IsFenced (bool |> withDefault true)
        and! shutDown = field "ShouldShutDown" _.ShouldShutDown bool

        return { ThrottleTimeMs = throttle; Error = error; IsCaughtUp = caughtUp; IsFenced = fenced; ShouldShutDown = shutDown }
    }

    let api = Api.define ApiKey.BrokerHeartbeat 0s 2s (Some 0s) request response
