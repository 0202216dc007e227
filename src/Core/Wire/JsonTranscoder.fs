namespace LibKafka.Wire

/// Writes the bytes of messages as JSON in Kafka's own form, without making values of them. It is faster than `Message.decode` and
/// `Message.toJson`. An instance is used by one thread at a time. With `withMeanings`, a number of a type that has names, such as a status, is
/// written as a string: its name, or its digits if it has none.
[<Sealed>]
type JsonTranscoder(output: Utf8Writer, withMeanings: bool) =
    let visitor = JsonVisitor(output, withMeanings, false)
    let reader = Reader()

    /// Appends the message at the start of the bytes as a single line to the output, and returns the number of bytes that the message takes.
    /// After a fault, a part of the JSON may have been written.
    member _.Write(limits: Limits, version: int16, message: Message<'T>, bytes: Bytes) : Result<int, Fault> =
        Message.relay reader limits version message visitor bytes
