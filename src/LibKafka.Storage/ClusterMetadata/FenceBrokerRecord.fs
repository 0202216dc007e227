namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// FenceBrokerRecord (type 7 of the metadata log): a broker has been fenced: it leads no partition and is in no ISR. Kafka before 3.1 wrote
/// it; BrokerRegistrationChangeRecord replaces it.
module FenceBrokerRecord =

    let message: Message<BrokerEpoch> = Message.define "FenceBrokerRecord" (versions 0 0 |> flexibleFrom 0) BrokerEpoch.schema
