namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// UnfenceBrokerRecord (type 8 of the metadata log): a broker is no longer fenced. Kafka before 3.1 wrote it;
/// BrokerRegistrationChangeRecord replaces it.
module UnfenceBrokerRecord =

    let message: Message<BrokerEpoch> = Message.define "UnfenceBrokerRecord" (versions 0 0 |> flexibleFrom 0) BrokerEpoch.schema
