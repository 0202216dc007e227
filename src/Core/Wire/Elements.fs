namespace LibKafka.Wire

open FSharp.Core.CompilerServices

/// The elements of an array, with their paths.
[<RequireQualifiedAccess>]
module internal Elements =

    let write (element: Codec<'T>) (writer: Writer) (values: 'T list) =
        match writer.Trail with
        | null ->
            for value in values do
                element.Write(writer, value)
        | trail ->
            values
            |> List.iteri (fun i value ->
                trail.Element i
                element.Write(writer, value)
                trail.Leave())

    let read (element: Codec<'T>) (reader: Reader) (count: int) : 'T list =
        let mutable values = ListCollector<'T>()

        let trail = reader.Trail

        for i in 0 .. count - 1 do
            match trail with
            | null -> ()
            | trail -> trail.Element i

            let value = element.Read reader
            reader.Charge(HeapSize.ofElement<'T>())
            values.Add value

            match trail with
            | null -> ()
            | trail -> trail.Leave()

        values.Close()

    let visit (element: Codec<'T>) (visitor: Visitor) (values: 'T list) =
        if isAbsent values then
            visitor.LostNull()
        else
            visitor.BeginArray(List.length values)

            values
            |> List.iteri (fun i value ->
                visitor.BeginElement i
                element.Visit(visitor, value)
                visitor.EndElement())

            visitor.EndArray()

    let relay (element: Codec<'T>) (reader: Reader) (visitor: JsonVisitor) (count: int) =
        visitor.BeginArray count

        match Relay.kind (box element) with
        | RelayKind.ByCodec ->
            for i in 0 .. count - 1 do
                visitor.BeginElement i
                element.Relay(reader, visitor)
        | kind ->
            for i in 0 .. count - 1 do
                visitor.BeginElement i
                Relay.directly kind reader visitor

        visitor.EndArray()

    let build (element: Codec<'T>) (source: Source) : 'T list =
        let values =
            List.init (source.BeginArray()) (fun i ->
                source.BeginElement i
                let value = element.Build source
                source.EndElement()
                value)

        source.EndArray()
        values

/// A field of a record, with its path.
[<RequireQualifiedAccess>]
module internal Field =

    let inline visit name (codec: Codec<'T>) (visitor: Visitor) value =
        visitor.BeginField name
        codec.Visit(visitor, value)
        visitor.EndField()

    let inline build name (codec: Codec<'T>) fallback (source: Source) =
        if source.BeginField name then
            let value = codec.Build source
            source.EndField()
            value
        else
            fallback

    let inline write name (codec: Codec<'T>) (writer: Writer) value =
        match writer.Trail with
        | null -> codec.Write(writer, value)
        | trail ->
            trail.Field name
            codec.Write(writer, value)
            trail.Leave()

    let inline read name (codec: Codec<'T>) (reader: Reader) =
        match reader.Trail with
        | null -> codec.Read reader
        | trail ->
            trail.Field name
            let value = codec.Read reader
            trail.Leave()
            value
