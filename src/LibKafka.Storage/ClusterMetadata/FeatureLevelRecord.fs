namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// FeatureLevelRecord (type 12 of the metadata log): the level of a feature has been set for the cluster (KIP-584, KIP-778).
module FeatureLevelRecord =

    type Value =
        {
            Name: string
            /// 0 disables the feature.
            FeatureLevel: int16
        }

    let schema = message {
        let! name = field "Name" _.Name string
        and! featureLevel = field "FeatureLevel" _.FeatureLevel int16

        return { Name = name; FeatureLevel = featureLevel }
    }

    let message: Message<Value> = Message.define "FeatureLevelRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
