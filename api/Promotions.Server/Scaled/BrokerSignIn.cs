using System.Diagnostics;
using Confluent.Kafka;

namespace Promotions.Server.Scaled;

/// <summary>Whether the brokers accept who this process says it is: asked before anything waits for them, since the client goes on trying with a password that will never be right.</summary>
internal static class BrokerSignIn
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    /// <summary>Returns when the brokers have answered, and also when they are away for longer than <paramref name="patience"/>: whoever needs them waits for them in its own way.</summary>
    /// <exception cref="StartRefusedException">They refuse this process, or are not those that its certificates are for.</exception>
    public static async Task CheckAsync(ScaledOptions options, TimeSpan patience, CancellationToken cancellationToken)
    {
        string? refusal = null;
        using var admin = new AdminClientBuilder(options.ClientWithBootstrap()).SetLogHandler(static (_, _) => { }).SetErrorHandler((_, error) =>
        {
            if (error.Code is ErrorCode.Local_Authentication or ErrorCode.SaslAuthenticationFailed or ErrorCode.Local_Ssl) Interlocked.CompareExchange(ref refusal, error.Reason, null);
        }).Build();
        var began = Stopwatch.GetTimestamp();
        while (!await Task.Run(Answered, cancellationToken))
        {
            if (Volatile.Read(ref refusal) is { } reason)
                throw new StartRefusedException($"Kafka at {options.Bootstrap} refuses this process: {reason} Look at PROMOTIONS_KAFKA_SECURITY_PROTOCOL, PROMOTIONS_KAFKA_SASL_... and PROMOTIONS_KAFKA_SSL_...");
            if (Stopwatch.GetElapsedTime(began) > patience) return;
        }

        bool Answered()
        {
            try
            {
                admin.GetMetadata(Look);
                return true;
            }
            catch (KafkaException)
            {
                return false;
            }
        }
    }
}
