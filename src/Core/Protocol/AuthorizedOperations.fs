namespace LibKafka

open System
open LibKafka.Protocol

/// The operations that the client's principal may perform on a topic, a group or the cluster (KIP-430). Bit n is the operation number n.
[<Struct>]
type AuthorizedOperations(bits: int32) =

    static let hasBit (operation: AclOperation) = int operation >= 0 && int operation < 31
    static let bit (operation: AclOperation) = 1 <<< int operation

    /// The number on the wire.
    member _.Bits = bits

    /// The value if the request did not ask for the operations.
    static member NotAsked = AuthorizedOperations Int32.MinValue

    /// Exactly these operations. Numbers outside 0 to 30 have no bit and are left out.
    static member Of(operations: AclOperation seq) =
        operations |> Seq.filter hasBit |> Seq.fold (fun bits operation -> bits ||| bit operation) 0 |> AuthorizedOperations

    /// False for `NotAsked`.
    member _.IsKnown = bits <> Int32.MinValue

    /// Whether the operation is in the set.
    member _.Contains(operation: AclOperation) = hasBit operation && bits &&& bit operation <> 0

    /// The operations in ascending order.
    member this.Operations: AclOperation list =
        [ 0y .. 30y ] |> List.map LanguagePrimitives.EnumOfValue |> List.filter this.Contains

    /// `READ, WRITE, DESCRIBE`
    override this.ToString() =
        if this.IsKnown then
            this.Operations
            |> List.map (fun operation -> Code.text "AclOperation" (CodeName.Of operation) (int64 operation))
            |> String.concat ", "
        else
            "not asked"

    static member op_Equality(a: AuthorizedOperations, b: AuthorizedOperations) = a.Bits = b.Bits
    static member op_Inequality(a: AuthorizedOperations, b: AuthorizedOperations) = a.Bits <> b.Bits
