namespace LibKafka.Storage

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol
open LibKafka.Protocol.Types

/// AccessControlEntryRecord (type 18 of the metadata log): an ACL has been created (KIP-801).
module AccessControlEntryRecord =

    type Value =
        {
            Id: Guid
            ResourceType: AclResourceType
            ResourceName: string
            PatternType: AclPatternType
            /// Such as `User:alice`.
            Principal: string
            /// An address, or `*` for all.
            Host: string
            Operation: AclOperation
            PermissionType: AclPermission
        }

    let schema = message {
        let! id = field "Id" _.Id uuid
        and! resourceType = field "ResourceType" _.ResourceType aclResourceType
        and! resourceName = field "ResourceName" _.ResourceName string
        and! patternType = field "PatternType" _.PatternType aclPatternType
        and! principal = field "Principal" _.Principal string
        and! host = field "Host" _.Host string
        and! operation = field "Operation" _.Operation aclOperation
        and! permissionType = field "PermissionType" _.PermissionType aclPermission

        return
            { Id = id
              ResourceType = resourceType
              ResourceName = resourceName
              PatternType = patternType
              Principal = principal
              Host = host
              Operation = operation
              PermissionType = permissionType }
    }

    let message: Message<Value> = Message.define "AccessControlEntryRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
