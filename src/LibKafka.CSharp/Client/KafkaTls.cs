using System.Net.Security;
using LibKafka.Client;

namespace LibKafka;

/// <summary>Options for TLS that are made of files.</summary>
public static class KafkaTls
{
    /// <summary>Makes options for <see cref="KafkaClientOptions.Tls"/> of files in PEM form, which are read now.</summary>
    /// <param name="authorities">
    /// Certificates of the authorities that a broker's certificate may come from, and those between; null for those that the system
    /// trusts.
    /// </param>
    /// <param name="certificate">
    /// The client's certificate, those between it and its authority behind it, for brokers that ask for one (mTLS); null for none.
    /// </param>
    /// <param name="key">The private key of the client's certificate; null where it stands in the same file.</param>
    /// <param name="keyPassword">What the private key is encrypted with; null where it is not.</param>
    /// <returns>The options, which may be changed before they are used.</returns>
    /// <exception cref="KafkaException">
    /// A file cannot be used (<see cref="KafkaFaultKind.InvalidSetting"/>): the message says which, and why.
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
        return TlsModule.readPemFiles(files).ValueOrThrow(null, default);
    }
}
