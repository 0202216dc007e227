using System;
using LibKafka.Records;

namespace LibKafka;

/// <summary>Memory for the headers of one record after another, as the core takes them.</summary>
internal sealed class HeaderBuffer
{
    private RecordHeader[] _headers = [];

    /// <summary>The headers, valid until the next call.</summary>
    public ReadOnlySpan<RecordHeader> ToCore(ReadOnlySpan<KafkaHeader> headers)
    {
        if (_headers.Length < headers.Length)
        {
            Array.Resize(ref _headers, Math.Max(headers.Length, 2 * _headers.Length));
        }

        for (var i = 0; i < headers.Length; i++)
        {
            _headers[i] = headers[i].ToCore();
        }

        return _headers.AsSpan(0, headers.Length);
    }
}
