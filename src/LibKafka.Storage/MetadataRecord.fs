namespace LibKafka.Storage

open LibKafka.Wire

/// A record of `__cluster_metadata`, the log of the controllers, or of a snapshot of it (KIP-631). Control records in the log are not of
/// this kind: `ControlRecord` reads them.
[<RequireQualifiedAccess>]
type MetadataRecord =
    | RegisterBroker of RegisterBrokerRecord.Value
    | UnregisterBroker of UnregisterBrokerRecord.Value
    | Topic of TopicRecord.Value
    | Partition of PartitionRecord.Value
    | Config of ConfigRecord.Value
    | PartitionChange of PartitionChangeRecord.Value
    | FenceBroker of BrokerEpoch
    | UnfenceBroker of BrokerEpoch
    | RemoveTopic of RemoveTopicRecord.Value
    | DelegationToken of DelegationTokenRecord.Value
    | UserScramCredential of UserScramCredentialRecord.Value
    | FeatureLevel of FeatureLevelRecord.Value
    | ClientQuota of ClientQuotaRecord.Value
    | ProducerIds of ProducerIdsRecord.Value
    | BrokerRegistrationChange of BrokerRegistrationChangeRecord.Value
    | AccessControlEntry of AccessControlEntryRecord.Value
    | RemoveAccessControlEntry of RemoveAccessControlEntryRecord.Value
    | NoOp of NoFields
    | ZkMigrationState of ZkMigrationStateRecord.Value
    | RemoveUserScramCredential of RemoveUserScramCredentialRecord.Value
    | BeginTransaction of BeginTransactionRecord.Value
    | EndTransaction of NoFields
    | AbortTransaction of AbortTransactionRecord.Value
    | RemoveDelegationToken of RemoveDelegationTokenRecord.Value
    | RegisterController of RegisterControllerRecord.Value
    | ClearElr of ClearElrRecord.Value
    | UnregisterController of UnregisterControllerRecord.Value
    /// A record of a type that this library does not know.
    | Unknown of UnknownContent

/// What can be done with a record of the metadata log.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module MetadataRecord =

    /// The name of the topic.
    [<Literal>]
    let TopicName = "__cluster_metadata"

    let private visitType (action: IContentTypeAction<MetadataRecord, 'Result>) (id: int32) : 'Result =
        match id with
        | 0 -> action.Type(RegisterBrokerRecord.message, MetadataRecord.RegisterBroker)
        | 1 -> action.Type(UnregisterBrokerRecord.message, MetadataRecord.UnregisterBroker)
        | 2 -> action.Type(TopicRecord.message, MetadataRecord.Topic)
        | 3 -> action.Type(PartitionRecord.message, MetadataRecord.Partition)
        | 4 -> action.Type(ConfigRecord.message, MetadataRecord.Config)
        | 5 -> action.Type(PartitionChangeRecord.message, MetadataRecord.PartitionChange)
        | 7 -> action.Type(FenceBrokerRecord.message, MetadataRecord.FenceBroker)
        | 8 -> action.Type(UnfenceBrokerRecord.message, MetadataRecord.UnfenceBroker)
        | 9 -> action.Type(RemoveTopicRecord.message, MetadataRecord.RemoveTopic)
        | 10 -> action.Type(DelegationTokenRecord.message, MetadataRecord.DelegationToken)
        | 11 -> action.Type(UserScramCredentialRecord.message, MetadataRecord.UserScramCredential)
        | 12 -> action.Type(FeatureLevelRecord.message, MetadataRecord.FeatureLevel)
        | 14 -> action.Type(ClientQuotaRecord.message, MetadataRecord.ClientQuota)
        | 15 -> action.Type(ProducerIdsRecord.message, MetadataRecord.ProducerIds)
        | 17 -> action.Type(BrokerRegistrationChangeRecord.message, MetadataRecord.BrokerRegistrationChange)
        | 18 -> action.Type(AccessControlEntryRecord.message, MetadataRecord.AccessControlEntry)
        | 19 -> action.Type(RemoveAccessControlEntryRecord.message, MetadataRecord.RemoveAccessControlEntry)
        | 20 -> action.Type(NoOpRecord.message, MetadataRecord.NoOp)
        | 21 -> action.Type(ZkMigrationStateRecord.message, MetadataRecord.ZkMigrationState)
        | 22 -> action.Type(RemoveUserScramCredentialRecord.message, MetadataRecord.RemoveUserScramCredential)
        | 23 -> action.Type(BeginTransactionRecord.message, MetadataRecord.BeginTransaction)
        | 24 -> action.Type(EndTransactionRecord.message, MetadataRecord.EndTransaction)
        | 25 -> action.Type(AbortTransactionRecord.message, MetadataRecord.AbortTransaction)
        | 26 -> action.Type(RemoveDelegationTokenRecord.message, MetadataRecord.RemoveDelegationToken)
        | 27 -> action.Type(RegisterControllerRecord.message, MetadataRecord.RegisterController)
        | 28 -> action.Type(ClearElrRecord.message, MetadataRecord.ClearElr)
        | 29 -> action.Type(UnregisterControllerRecord.message, MetadataRecord.UnregisterController)
        | _ -> action.Unknown

    /// Reads the value of a record. It is a fault if bytes remain after it.
    let decode (limits: Limits) (bytes: Bytes) : Result<Versioned<MetadataRecord>, Fault> =
        Framed.decode TopicName visitType MetadataRecord.Unknown limits bytes

    let private transcoders = Framed.transcoders visitType

    /// The record as JSON, without making a value of it. It is faster than `decode` and `toJson`.
    let transcode (transcoder: StoredTranscoder) (bytes: Bytes) : Result<StoredUtf8, Fault> =
        Framed.transcode TopicName transcoders transcoder bytes

    /// Runs an action on the content of the union.
    let visit (visitor: IContentVisitor<'Result>) (record: MetadataRecord) : 'Result =
        match record with
        | MetadataRecord.RegisterBroker value -> visitor.Visit(0, RegisterBrokerRecord.message, value)
        | MetadataRecord.UnregisterBroker value -> visitor.Visit(1, UnregisterBrokerRecord.message, value)
        | MetadataRecord.Topic value -> visitor.Visit(2, TopicRecord.message, value)
        | MetadataRecord.Partition value -> visitor.Visit(3, PartitionRecord.message, value)
        | MetadataRecord.Config value -> visitor.Visit(4, ConfigRecord.message, value)
        | MetadataRecord.PartitionChange value -> visitor.Visit(5, PartitionChangeRecord.message, value)
        | MetadataRecord.FenceBroker value -> visitor.Visit(7, FenceBrokerRecord.message, value)
        | MetadataRecord.UnfenceBroker value -> visitor.Visit(8, UnfenceBrokerRecord.message, value)
        | MetadataRecord.RemoveTopic value -> visitor.Visit(9, RemoveTopicRecord.message, value)
        | MetadataRecord.DelegationToken value -> visitor.Visit(10, DelegationTokenRecord.message, value)
        | MetadataRecord.UserScramCredential value -> visitor.Visit(11, UserScramCredentialRecord.message, value)
        | MetadataRecord.FeatureLevel value -> visitor.Visit(12, FeatureLevelRecord.message, value)
        | MetadataRecord.ClientQuota value -> visitor.Visit(14, ClientQuotaRecord.message, value)
        | MetadataRecord.ProducerIds value -> visitor.Visit(15, ProducerIdsRecord.message, value)
        | MetadataRecord.BrokerRegistrationChange value -> visitor.Visit(17, BrokerRegistrationChangeRecord.message, value)
        | MetadataRecord.AccessControlEntry value -> visitor.Visit(18, AccessControlEntryRecord.message, value)
        | MetadataRecord.RemoveAccessControlEntry value -> visitor.Visit(19, RemoveAccessControlEntryRecord.message, value)
        | MetadataRecord.NoOp value -> visitor.Visit(20, NoOpRecord.message, value)
        | MetadataRecord.ZkMigrationState value -> visitor.Visit(21, ZkMigrationStateRecord.message, value)
        | MetadataRecord.RemoveUserScramCredential value -> visitor.Visit(22, RemoveUserScramCredentialRecord.message, value)
        | MetadataRecord.BeginTransaction value -> visitor.Visit(23, BeginTransactionRecord.message, value)
        | MetadataRecord.EndTransaction value -> visitor.Visit(24, EndTransactionRecord.message, value)
        | MetadataRecord.AbortTransaction value -> visitor.Visit(25, AbortTransactionRecord.message, value)
        | MetadataRecord.RemoveDelegationToken value -> visitor.Visit(26, RemoveDelegationTokenRecord.message, value)
        | MetadataRecord.RegisterController value -> visitor.Visit(27, RegisterControllerRecord.message, value)
        | MetadataRecord.ClearElr value -> visitor.Visit(28, ClearElrRecord.message, value)
        | MetadataRecord.UnregisterController value -> visitor.Visit(29, UnregisterControllerRecord.message, value)
        | MetadataRecord.Unknown content -> visitor.Unknown content

    /// The value of the record. It is a fault if a field is set that the version cannot carry.
    let encode (record: Versioned<MetadataRecord>) : Result<Bytes, Fault> = visit (Framed.encodeContent record.Version) record.Value

    /// The record as JSON in Kafka's own form.
    let toJson (record: Versioned<MetadataRecord>) : Result<StoredJson, Fault> = visit (Framed.toJson record.Version) record.Value

    /// A one-line description.
    let show (record: Versioned<MetadataRecord>) : string = visit (Framed.show record.Version) record.Value

type MetadataRecord with
    override this.ToString() = MetadataRecord.visit Framed.text this
