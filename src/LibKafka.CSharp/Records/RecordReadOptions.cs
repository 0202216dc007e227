using System;
using System.Collections.Generic;
using LibKafka.Records;
using LibKafka.Wire;

namespace LibKafka;

/// <summary>What it takes to read the records of a batch: codecs, which are the caller's, and limits.</summary>
public sealed record RecordReadOptions
{
    private static readonly Limits Standard = LimitsModule.standard;
    private readonly CodecList _codecs = new([]);

    /// <summary>No codec, the standard limits, and checksums checked.</summary>
    public static RecordReadOptions Default { get; } = new();

    /// <summary>
    /// The codecs to unpack compressed batches with, at most one for each compression; none unless set. Of several for one compression
    /// the last one counts.
    /// </summary>
    public IReadOnlyList<ICompressionCodec> Codecs
    {
        get => _codecs;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            _codecs = new(value);
        }
    }

    /// <summary>Most bytes that the records of one batch may decompress to: 256 MiB unless set.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int MaxDecompressedBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = Standard.MaxDecompressedBytes;

    /// <summary>Most records that one batch may hold: 16 Mi unless set.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int MaxRecords
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = Standard.MaxRecords;

    /// <summary>
    /// Whether the checksum is checked when a batch is opened: yes, unless set. Leave it out only where it has been checked before.
    /// </summary>
    public bool VerifyChecksum { get; init; } = true;

    internal Codecs CodecSet => _codecs.Core;

    internal Limits ToLimits() => new(Standard.MaxFrameBytes, MaxDecompressedBytes, MaxRecords);

    /// <summary>The codecs in the order given, and as the core wants them.</summary>
    private sealed class CodecList : ValueList<ICompressionCodec>
    {
        public CodecList(IEnumerable<ICompressionCodec> codecs)
            : base(codecs)
        {
            Core = CodecsModule.ofList(this.ToFSharpList());
        }

        public Codecs Core { get; }
    }
}
