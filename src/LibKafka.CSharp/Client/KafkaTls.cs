using System.Net.Security;
using LibKafka.Client;

namespace LibKafka;

/// <summary>TLS options from files.</summary>
public static class KafkaTls
{
    /// <summary>Makes options for <see cref="KafkaClientOptions.Tls"/> from PEM files, which are read now.</summary>
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
