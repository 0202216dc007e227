using System.Net.Security;
using LibKafka.Client;

namespace LibKafka;

/// <summary>
/// PEM files for TLS, which may be replaced while the program runs. They are read when a client is made, and again before it makes a connection if
/// the last write time or the length of one of them has changed. Open connections keep their certificates. If the changed files cannot be used,
/// because one is missing or half written, or the key does not belong to the certificate, the connection is made with what was read before, and the
/// next one looks again. Write a new file elsewhere and rename it. A certificate and its key in one file are replaced together.
/// </summary>
/// <remarks>
/// Files that cannot be used when a client is made throw a <see cref="KafkaException"/> (<see cref="KafkaFaultKind.InvalidSetting"/>).
/// </remarks>
public sealed record KafkaTlsFiles
{
    /// <summary>
    /// The certificates of the authorities that may have issued a broker's certificate, and intermediate ones; null, unless set, for the authorities
    /// that the system trusts.
    /// </summary>
    public string? Authorities { get; init; }

    /// <summary>
    /// The client's certificate, followed by the intermediate ones, for brokers that require one (mTLS); null, unless set, for none.
    /// </summary>
    public string? Certificate { get; init; }

    /// <summary>The private key of the client's certificate; null, unless set, if it is in the same file.</summary>
    public string? Key { get; init; }

    /// <summary>The password of the private key; null, unless set, if it is not encrypted.</summary>
    public string? KeyPassword { get; init; }

    /// <summary>The names of the files.</summary>
    /// <returns>A description without the password.</returns>
    public override string ToString() => ToCore().ToString();

    internal PemFiles ToCore() =>
        new(Interop.OptionOf(Authorities), Interop.OptionOf(Certificate), Interop.OptionOf(Key), Interop.OptionOf(KeyPassword));
}

/// <summary>TLS options from files.</summary>
public static class KafkaTls
{
    /// <summary>Makes options for <see cref="KafkaClientOptions.Tls"/> from PEM files, which are read now and not again: see <see cref="KafkaTlsFiles"/>.</summary>
    /// <param name="authorities">
    /// The certificates of the authorities that may have issued a broker's certificate, and intermediate ones; null for the authorities
    /// that the system trusts.
    /// </param>
    /// <param name="certificate">
    /// The client's certificate, followed by the intermediate ones, for brokers that require one (mTLS); null for none.
    /// </param>
    /// <param name="key">The private key of the client's certificate; null if it is in the same file.</param>
    /// <param name="keyPassword">The password of the private key; null if it is not encrypted.</param>
    /// <returns>The options, which may be changed before they are used.</returns>
    /// <exception cref="KafkaException">
    /// A file cannot be used (<see cref="KafkaFaultKind.InvalidSetting"/>). The message says which, and why.
    /// </exception>
    public static SslClientAuthenticationOptions FromPemFiles(
        string? authorities = null,
        string? certificate = null,
        string? key = null,
        string? keyPassword = null
    )
    {
        var files = new PemFiles(
            Interop.OptionOf(authorities),
            Interop.OptionOf(certificate),
            Interop.OptionOf(key),
            Interop.OptionOf(keyPassword)
        );
        return TlsModule.readPemFiles(files).ValueOrThrow();
    }
}
