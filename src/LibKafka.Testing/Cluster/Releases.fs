namespace LibKafka.Testing

open System
open System.Collections.Generic
open LibKafka.Wire
open LibKafka.Protocol

/// A release of Apache Kafka, which decides the versions and the behaviour of a broker.
[<Struct; NoComparison>]
type Release =
    private
    | Release of major: int * minor: int * patch: int

    /// Whether it is this release or a later one.
    member this.IsAtLeast(major: int, minor: int) = this.IsAtLeast(major, minor, 0)

    /// Whether it is the other release or a later one.
    member this.IsAtLeast(other: Release) =
        let (Release(major, minor, patch)) = other
        this.IsAtLeast(major, minor, patch)

    /// Whether it is this release or a later one.
    member this.IsAtLeast(major: int, minor: int, patch: int) =
        let (Release(ownMajor, ownMinor, ownPatch)) = this

        if ownMajor <> major then ownMajor > major
        elif ownMinor <> minor then ownMinor > minor
        else ownPatch >= patch

    /// Whether its clusters have ZooKeeper. Releases before 4.0 do.
    member this.HasZooKeeper = not (this.IsAtLeast(4, 0))

    /// Such as `4.0.1`.
    override this.ToString() =
        let (Release(major, minor, patch)) = this
        String.Join('.', [| string major; string minor; string patch |])

/// The versions of an API that a release supports.
type ApiRange =
    { Key: ApiKey
      Lowest: int16
      Highest: int16 }

    override this.ToString() = this.Key.Name + " " + string this.Lowest + "-" + string this.Highest

/// The versions of the APIs that each release supports.
[<RequireQualifiedAccess>]
module internal ReleaseTable =

    // A line for each API: its key, then the first release with a range of versions, and the range. It is read from the classes of each
    // release, with the settings that brokers have by default.

    [<Literal>]
    let ZooKeeper =
        """
0: 1.0=0-5 2.0=0-6 2.1=0-7 2.4=0-8 2.8=0-9 3.7=0-10 3.8=0-11
1: 1.0=0-6 1.1=0-7 2.0=0-8 2.1=0-10 2.3=0-11 2.7=0-12 3.1=0-13 3.5=0-15 3.7=0-16 3.9=0-17
2: 1.0=0-2 2.0=0-3 2.1=0-4 2.2=0-5 2.8=0-6 3.0=0-7 3.5=0-8 3.9=0-9
3: 1.0=0-5 2.0=0-6 2.1=0-7 2.3=0-8 2.4=0-9 2.8=0-11 3.1=0-12
4: 1.0=0-1 2.2=0-2 2.4=0-4 2.8=0-5 3.2=0-6 3.4=0-7
5: 1.0=0-0 2.2=0-1 2.4=0-2 2.6=0-3 3.4=0-4
6: 1.0=0-4 2.2=0-5 2.4=0-6 2.8=0-7 3.4=0-8
7: 1.0=0-1 2.2=0-2 2.4=0-3
8: 1.0=0-3 2.0=0-4 2.1=0-6 2.3=0-7 2.4=0-8 3.7=0-9
9: 1.0=0-3 2.0=0-4 2.1=0-5 2.4=0-6 2.5=0-7 3.0=0-8 3.7=0-9
10: 1.0=0-1 2.0=0-2 2.4=0-3 3.0=0-4 3.8=0-5 3.9=0-6
11: 1.0=0-2 2.0=0-3 2.2=0-4 2.3=0-5 2.4=0-6 2.5=0-7 3.2=0-9
12: 1.0=0-1 2.0=0-2 2.3=0-3 2.4=0-4
13: 1.0=0-1 2.0=0-2 2.4=0-4 3.2=0-5
14: 1.0=0-1 2.0=0-2 2.3=0-3 2.4=0-4 2.5=0-5
15: 1.0=0-1 2.0=0-2 2.3=0-3 2.4=0-5
16: 1.0=0-1 2.0=0-2 2.4=0-3 2.6=0-4 3.8=0-5
17: 1.0=0-1
18: 1.0=0-1 2.0=0-2 2.4=0-3 3.9=0-4
19: 1.0=0-2 2.0=0-3 2.4=0-5 2.7=0-6 2.8=0-7
20: 1.0=0-1 2.0=0-2 2.1=0-3 2.4=0-4 2.7=0-5 2.8=0-6
21: 1.0=0-0 2.0=0-1 2.6=0-2
22: 1.0=0-0 2.0=0-1 2.4=0-2 2.5=0-3 2.7=0-4 3.8=0-5
23: 1.0=0-0 2.0=0-1 2.1=0-2 2.3=0-3 2.8=0-4
24: 1.0=0-0 2.0=0-1 2.7=0-2 2.8=0-3 3.6=0-4 3.8=0-5
25: 1.0=0-0 2.0=0-1 2.7=0-2 2.8=0-3 3.8=0-4
26: 1.0=0-0 2.0=0-1 2.7=0-2 2.8=0-3 3.8=0-4
27: 1.0=0-0 2.8=0-1
28: 1.0=0-0 2.0=0-1 2.1=0-2 2.5=0-3 3.8=0-4
29: 1.0=0-0 2.0=0-1 2.5=0-2 3.3=0-3
30: 1.0=0-0 2.0=0-1 2.5=0-2 3.3=0-3
31: 1.0=0-0 2.0=0-1 2.5=0-2 3.3=0-3
32: 1.0=0-0 1.1=0-1 2.0=0-2 2.6=0-3 2.8=0-4
33: 1.0=0-0 2.0=0-1 2.8=0-2
34: 1.0=0-0 2.0=0-1 2.8=0-2
35: 1.0=0-0 2.0=0-1 2.6=0-2 3.2=0-3 3.3=0-4
36: 1.0=0-0 2.2=0-1 2.5=0-2
37: 1.0=0-0 2.0=0-1 2.5=0-2 2.7=0-3
38: 1.1=0-0 2.0=0-1 2.4=0-2 3.3=0-3
39: 1.1=0-0 2.0=0-1 2.5=0-2
40: 1.1=0-0 2.0=0-1 2.5=0-2
41: 1.1=0-0 2.0=0-1 2.5=0-2 3.3=0-3
42: 1.1=0-0 2.0=0-1 2.4=0-2
43: 2.2=0-0 2.4=0-2
44: 2.3=0-0 2.4=0-1
45: 2.4=0-0
46: 2.4=0-0
47: 2.4=0-0
48: 2.6=0-0 2.8=0-1
49: 2.6=0-0 2.8=0-1
50: 2.7=0-0
51: 2.7=0-0
56: 2.7=0-0 3.2=0-1 3.3=0-2 3.5=0-3
57: 2.7=0-0 3.3=0-1
58: 3.4=0-0
60: 2.8=0-0 3.7=0-1
61: 2.8=0-0
65: 3.0=0-0
66: 3.0=0-0 3.8=0-1
67: 3.0=0-0
68: 3.7=0-0
69: 3.8=0-0
"""

    [<Literal>]
    let KRaft =
        """
0: 2.8=0-9 3.7=0-10 3.8=0-11 4.0=0-12 4.1=0-13
1: 2.8=0-12 3.1=0-13 3.5=0-15 3.7=0-16 3.9=0-17 4.0=4-17 4.1=4-18
2: 2.8=0-6 3.0=0-7 3.5=0-8 3.9=0-9 4.0=1-10 4.2=1-11
3: 2.8=0-11 3.1=0-12 4.0=0-13
8: 2.8=0-8 3.7=0-9 4.0=2-9 4.2=2-10
9: 2.8=0-7 3.0=0-8 3.7=0-9 4.0=1-9 4.2=1-10
10: 2.8=0-3 3.0=0-4 3.8=0-5 3.9=0-6
11: 2.8=0-7 3.2=0-9 4.0=2-9 4.0.1=0-9
12: 2.8=0-4
13: 2.8=0-4 3.2=0-5
14: 2.8=0-5
15: 2.8=0-5 4.0=0-6
16: 2.8=0-4 3.8=0-5
17: 2.8=0-1
18: 2.8=0-3 3.9=0-4
19: 2.8=0-7 4.0=2-7
20: 2.8=0-6 4.0=1-6
21: 2.8=0-2
22: 3.0=0-4 3.8=0-5
23: 2.8=0-4 4.0=2-4
24: 3.0=0-3 3.6=0-4 3.8=0-5
25: 3.0=0-3 3.8=0-4
26: 3.0=0-3 3.8=0-4 4.0=0-5
27: 2.8=0-1 4.0=1-1 4.2=1-2
28: 3.0=0-3 3.8=0-4 4.0=0-5
29: 3.0=0-2 3.3=0-3 4.0=1-3
30: 3.0=0-2 3.3=0-3 4.0=1-3
31: 3.0=0-2 3.3=0-3 4.0=1-3
32: 2.8=0-4 4.0=1-4
33: 3.0=0-2
34: 2.8=0-2 4.0=1-2
35: 2.8=0-2 3.2=0-3 3.3=0-4 4.0=1-4 4.3=1-5
36: 2.8=0-2
37: 3.0=0-3
38: 3.6=0-3 4.0=1-3
39: 3.6=0-2 4.0=1-2
40: 3.6=0-2 4.0=1-2
41: 3.6=0-3 4.0=1-3
42: 2.8=0-2
43: 3.0=0-2
44: 2.8=0-1
45: 3.0=0-0 4.1=0-1
46: 3.0=0-0
47: 2.8=0-0
48: 3.0=0-1
49: 2.8=0-1
50: 3.5=0-0
51: 3.5=0-0
55: 2.8=0-0 3.3=0-1 3.9=0-2
57: 3.2=0-0 3.3=0-1 4.0=0-2
60: 2.8=0-0 3.7=0-1 4.0=0-2
61: 2.8=0-0
64: 2.8=0-0 3.0=none 3.3=0-0
65: 3.0=0-0
66: 3.0=0-0 3.8=0-1 4.1=0-2
68: 3.7=0-0 4.0=0-1
69: 3.8=0-0 4.0=0-1
74: 3.7=0-0 4.1=0-1
75: 3.8=0-0
76: 4.1=1-1
77: 4.1=1-1
78: 4.1=1-1 4.2=1-2
79: 4.1=1-1 4.2=1-2
80: 3.9=0-0 4.2=0-1
81: 3.9=0-0
83: 4.1=0-0
84: 4.1=0-0
85: 4.1=0-0 4.2=0-1
86: 4.1=0-0
87: 4.1=0-0 4.2=0-1
88: 4.2=0-0
89: 4.2=0-0
90: 4.1=0-0 4.2=0-1
91: 4.1=0-0
92: 4.1=0-0
"""

    /// The last patch of a minor release.
    let lastPatch (major: int) (minor: int) : int voption =
        match major, minor with
        | 1, 0 -> ValueSome 2
        | 1, 1 -> ValueSome 1
        | 2, 0 -> ValueSome 1
        | 2, 1 -> ValueSome 1
        | 2, 2 -> ValueSome 2
        | 2, 3 -> ValueSome 1
        | 2, 4 -> ValueSome 1
        | 2, 5 -> ValueSome 1
        | 2, 6 -> ValueSome 3
        | 2, 7 -> ValueSome 2
        | 2, 8 -> ValueSome 2
        | 3, 0 -> ValueSome 2
        | 3, 1 -> ValueSome 2
        | 3, 2 -> ValueSome 3
        | 3, 3 -> ValueSome 2
        | 3, 4 -> ValueSome 1
        | 3, 5 -> ValueSome 2
        | 3, 6 -> ValueSome 2
        | 3, 7 -> ValueSome 2
        | 3, 8 -> ValueSome 1
        | 3, 9 -> ValueSome 2
        | 4, 0 -> ValueSome 2
        | 4, 1 -> ValueSome 2
        | 4, 2 -> ValueSome 1
        | 4, 3 -> ValueSome 1
        | _ -> ValueNone

/// Releases of Apache Kafka from 1.0.0 to 4.3.1.
[<RequireQualifiedAccess>]
module Release =

    let private isPatch (patch: int) (major: int) (minor: int) : bool =
        match ReleaseTable.lastPatch major minor with
        | ValueSome last -> patch >= 0 && patch <= last
        | ValueNone -> false

    /// Parses a release such as `2.8.1`, or `2.8` for its last patch release. None if there is no such release.
    let tryParse (text: string) : Release option =
        let parts = text.Split '.'
        let isNumber, major = Int32.TryParse parts[0]
        let isFollowed, minor = if parts.Length > 1 then Int32.TryParse parts[1] else false, 0

        match parts.Length with
        | 2 when isNumber && isFollowed ->
            match ReleaseTable.lastPatch major minor with
            | ValueSome patch -> Some(Release(major, minor, patch))
            | ValueNone -> None
        | 3 when isNumber && isFollowed ->
            match Int32.TryParse parts[2] with
            | true, patch when isPatch patch major minor -> Some(Release(major, minor, patch))
            | _ -> None
        | _ -> None

    /// Like `tryParse`. It throws `ArgumentException` if there is no such release.
    let parse (text: string) : Release =
        match tryParse text with
        | Some release -> release
        | None ->
            raise (ArgumentException("There is no Kafka release '" + text + "' from 1.0.0 to 4.3.1. Examples: 2.8, 3.9.1.", nameof text))

    /// The newest release, 4.3.1.
    let newest = Release(4, 3, 1)

    // The tables are read character by character, because a cluster reads one when it starts: anything more general would take the JIT compiler
    // longer than the rest of the start.

    /// The number at a position of a table, and the position after it.
    let private number (table: string) (start: int) : struct (int * int) =
        let mutable at = start
        let mutable value = 0

        while at < table.Length && Char.IsAsciiDigit table[at] do
            value <- 10 * value + int table[at] - int '0'
            at <- at + 1

        struct (value, at)

    /// The release at a position of a table, and the position after it.
    let private releaseAt (table: string) (start: int) : struct (Release * int) =
        let struct (major, at) = number table start
        let struct (minor, at) = number table (at + 1)

        if table[at] = '.' then
            let struct (patch, at) = number table (at + 1)
            struct (Release(major, minor, patch), at)
        else
            struct (Release(major, minor, 0), at)

    /// The range of an API in a release, from the fields of its line, the first of which is at a position; null if the release does not have it. The
    /// position of the next line comes with it.
    let private rangeAt (release: Release) (key: ApiKey) (table: string) (start: int) : struct (ApiRange | null * int) =
        let mutable at = start
        let mutable range: ApiRange | null = null

        while table[at] = ' ' do
            let struct (since, equals) = releaseAt table (at + 1)
            let isIncluded = release.IsAtLeast since

            if Char.IsAsciiDigit table[equals + 1] then
                let struct (lowest, dash) = number table (equals + 1)
                let struct (highest, next) = number table (dash + 1)
                if isIncluded then
                    range <- { Key = key; Lowest = int16 lowest; Highest = int16 highest }
                at <- next
            else
                // "none": the release no longer has it.
                if isIncluded then range <- null
                at <- equals + 5

        struct (range, at + 1)

    /// The APIs that a broker of the release reports in ApiVersions, with their lowest and highest versions, by API key.
    let apis (release: Release) : ApiRange list =
        let table = if release.HasZooKeeper then ReleaseTable.ZooKeeper else ReleaseTable.KRaft

        [ let mutable at = 1

          while at < table.Length do
              let struct (key, colon) = number table at
              let struct (range, next) = rangeAt release (ApiKey(int16 key)) table (colon + 1)

              match range with
              | null -> ()
              | range -> range

              at <- next ]

    /// The versions that a broker of the release accepts. From 4.0 on, brokers report versions of Produce that they do not accept, for the sake of
    /// old librdkafka clients.
    let internal accepted (release: Release) : ApiRange list =
        if release.IsAtLeast(4, 0) then
            [ for range in apis release -> if range.Key.Code = 0s then { range with Lowest = 3s } else range ]
        else
            apis release
