/// Reads a log segment that a broker is still writing.
module LibKafka.Inspect.Follow

open System
open System.IO
open System.Threading
open LibKafka.Inspect.Input

/// How long to wait before looking again whether a file has grown.
let private pause = TimeSpan.FromMilliseconds 100.0

/// The next segment of the same partition, if the broker has begun one. Segments are named after their base offsets, with leading zeros.
let nextSegment (path: string) : string option =
    let name = Path.GetFileName path |> Option.ofObj |> Option.defaultValue ""

    match Path.GetDirectoryName(Path.GetFullPath path) with
    | null -> None
    | folder ->
        try
            Directory.EnumerateFiles(folder, "*.log")
            |> Seq.filter (fun file ->
                let other = Path.GetFileName file |> Option.ofObj |> Option.defaultValue ""
                other.Length = name.Length && String.CompareOrdinal(other, name) > 0)
            |> Seq.sort
            |> Seq.tryHead
        with :? IOException ->
            None

/// The content of a file as it grows. It ends if the file is followed by another segment, if it became shorter, or on cancellation.
[<Sealed>]
type FollowedFile(file: Stream, path: string, cancellation: CancellationToken) =
    inherit GrowingStream()

    // After the next segment has begun, the broker writes nothing more to this one. What it has written before is read once more.
    let mutable isComplete = false

    let wait () =
        cancellation.WaitHandle.WaitOne pause |> ignore
        isComplete <- cancellation.IsCancellationRequested || (nextSegment path).IsSome

    let rec read (buffer: byte[]) (offset: int) (count: int) : int =
        match file.Read(buffer, offset, count) with
        | 0 when isComplete -> 0
        | 0 when file.Length < file.Position -> raise (IOException "the file has become shorter: the broker has truncated the log")
        | 0 ->
            wait ()
            read buffer offset count
        | count -> count

    override _.Reread(position: int64) : bool =
        if isComplete then
            false
        else
            wait ()
            file.Position <- position
            true

    override _.Read(buffer: byte[], offset: int, count: int) : int = if count = 0 then 0 else read buffer offset count

    override _.Dispose(disposing: bool) = if disposing then file.Dispose()
