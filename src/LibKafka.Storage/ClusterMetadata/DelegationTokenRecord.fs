namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// DelegationTokenRecord (type 10 of the metadata log): a delegation token has been created or renewed (KIP-900).
module DelegationTokenRecord =

    type Value =
        {
            /// The principal that the token authenticates.
            Owner: string
            /// The principal that requested the token.
            Requester: string
            /// The principals that may renew the token.
            Renewers: string list
            /// In milliseconds since the epoch.
            IssueTimestamp: int64
            /// The latest time to which the token can be renewed, in milliseconds since the epoch.
            MaxTimestamp: int64
            /// When the token expires unless it is renewed, in milliseconds since the epoch.
            ExpirationTimestamp: int64
            TokenId: string
        }

    let schema = message {
        let! owner = field "Owner" _.Owner string
        and! requester = field "Requester" _.Requester string
        and! renewers = field "Renewers" _.Renewers (array string)
        and! issueTimestamp = field "IssueTimestamp" _.IssueTimestamp int64
        and! maxTimestamp = field "MaxTimestamp" _.MaxTimestamp int64
        and! expirationTimestamp = field "ExpirationTimestamp" _.ExpirationTimestamp int64
        and! tokenId = field "TokenId" _.TokenId string

        return
            { Owner = owner
              Requester = requester
              Renewers = renewers
              IssueTimestamp = issueTimestamp
              MaxTimestamp = maxTimestamp
              ExpirationTimestamp = expirationTimestamp
              TokenId = tokenId }
    }

    let message: Message<Value> = Message.define "DelegationTokenRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
