/// Sample messages: a type by itself, in a version with classic lengths and in versions with compact lengths.
module LibKafka.Properties.Wire.Sample

open LibKafka.Wire
open LibKafka.Properties.Support

/// The last version with classic lengths.
let classic = 0s

/// The first flexible version.
let flexible = 1s

/// A message with versions 0 to 9, flexible since 1.
let messageOf (schema: Schema<'T>) : Message<'T> =
    Message.define "Sample" (Notation.versions 0 9 |> Notation.flexibleFrom (int flexible)) schema

let encodeAt version (schema: Schema<'T>) (value: 'T) : Result<string, Fault> =
    Message.encode version (messageOf schema) value |> Result.map Bytes.toHex

let decodeAt version (schema: Schema<'T>) (hex: string) : Result<'T, Fault> =
    Message.decode Limits.standard version (messageOf schema) (Bytes.ofHex hex)

/// Checks that the value is written as these bytes and read from them.
let hasBytes version (schema: Schema<'T>) (value: 'T) (hex: string) =
    let written = encodeAt version schema value |> ok "encode"
    Expecto.Expect.equal written hex "the bytes"
    let read = decodeAt version schema hex |> ok "decode"
    Expecto.Expect.isTrue (same read value) ("the value read from " + hex)

/// A surrogate without its partner. (The compiler would replace one in a literal.)
let loneSurrogate = System.String(char 0xD800, 1)

/// A text of so many `x`, and its bytes.
let letters count = String.replicate count "x"

let lettersHex count = String.replicate count "78"
