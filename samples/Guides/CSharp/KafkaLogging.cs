// Writes each exchange with a broker to an ILogger.
using LibKafka;
using Microsoft.Extensions.Logging;

static partial class KafkaLogging
{
    public static KafkaClientOptions LogTo(this KafkaClientOptions options, ILogger logger) =>
        options with
        {
            Observer = exchange =>
            {
                if (exchange.Fault is { Kind: not KafkaFaultKind.Cancelled } fault)
                    logger.ExchangeFailed(exchange.Api.Name, exchange.Attempt, fault.Message);
                else
                    logger.Exchanged(exchange);
            },
        };

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Exchange}")]
    private static partial void Exchanged(this ILogger logger, ExchangeInfo exchange);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Api}, attempt {Attempt}: {Fault}")]
    private static partial void ExchangeFailed(this ILogger logger, string api, int attempt, string fault);
}
