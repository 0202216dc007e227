namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// RemoveDelegationTokenRecord (type 26 of the metadata log): a delegation token has been deleted or has expired (KIP-900).
module RemoveDelegationTokenRecord =

    type Value = { TokenId: string }

    let schema = message {
        let! tokenId = field "TokenId" _.TokenId string

        return { TokenId = tokenId }
    }

    let message: Message<Value> = Message.define "RemoveDelegationTokenRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
